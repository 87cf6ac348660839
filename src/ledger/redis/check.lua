-- KEYS: the shard's memory, the process' mark. ARGV: the highest number that the store has acknowledged, the
-- number of this write. It uses what the other scripts use, so it fails where they would.
local now = clock()
complete_since(KEYS[1], now, marked(KEYS[2]) < tonumber(ARGV[1]))
redis.call('DEL', KEYS[2])
mark(KEYS[2], tonumber(ARGV[2]))
return now
