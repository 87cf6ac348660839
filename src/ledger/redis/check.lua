-- KEYS: the shard's memory, the process' mark. ARGV: our own time in milliseconds, how many deliveries the
-- store has acknowledged, 1 where it is known to lack one, 1 to write whether anything changed or not, and
-- the bases of all entries.
local now, known = math.max(clock(), tonumber(ARGV[1])), tonumber(ARGV[2])
local lacks, anyway = ARGV[3] == '1', ARGV[4] == '1'

-- So that it fails where the other scripts would.
for _, command in ipairs({{'GET'}, {'SET', ''}, {'DEL'}, {'HMGET', ''}, {'HSET', '', ''}}) do
  if not redis.acl_check_cmd(command[1], KEYS[1], unpack(command, 2)) then
    error('the user executing the script has no permission for ' .. command[1])
  end
end
local number = marked(KEYS[2])
complete_since(KEYS[1], now, lacks or number < known, anyway)
number = math.max(number, known)
if anyway and number > 0 then mark(KEYS[2], number) end
for i = 5, #ARGV do known_since(KEYS[1], ARGV[i], now) end
return number
