-- KEYS: the shard's memory. ARGV: the store's time when the caller saw it last, in milliseconds; 0 where
-- it never did. It writes, so it fails where the store takes no writes.
local now = clock()
complete_since(KEYS[1], now, tonumber(ARGV[1]))
return now
