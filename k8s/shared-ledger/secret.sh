#!/bin/sh
# Prints the Secret of the shared ledger with a new password: in clear for Kawal, as a hash for the store.
#
# Nobody logs in as `default`, which is off. Its rights are for the store itself: by them it takes
# transactions from its append-only file at a start. Without, it would forget what was delivered.
set -eu

random=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
[ -n "$(command -v sha256sum || command -v shasum)" ] || { echo "sha256sum or shasum is needed" >&2; exit 1; }
hash=$(printf %s "$random" | { sha256sum 2>/dev/null || shasum -a 256; } | cut -d ' ' -f 1)
cat <<END
apiVersion: v1
kind: Secret
metadata:
  name: kawal-ledger
stringData:
  password: $random
  users.acl: |
    user default off ~* &* +@all
    user kawal on #$hash resetkeys ~kawal:* resetchannels -@all +evalsha +eval +script|load +get +set +del +pexpire +hmget +hset +time +info +select +cluster|slots
END
