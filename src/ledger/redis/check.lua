-- KEYS: the shard's memory, the process' mark. ARGV: our own time in milliseconds, how many deliveries the
-- store has acknowledged, 1 where it is known to lack one, 1 to write whether anything changed or not, and
-- the bases of all entries.
local now, known = math.max(clock(), tonumber(ARGV[1])), tonumber(ARGV[2])
local lacks, anyway = ARGV[3] == '1', ARGV[4] == '1'

-- So that it fails where the other scripts would.
for _, command in ipairs({{'GET'}, {'SET', ''}, {'DEL'}, {'PEXPIRE', '1'}, {'HMGET', ''}, {'HSET', '', ''}}) do
  if not redis.acl_check_cmd(command[1], KEYS[1], unpack(command, 2)) then
    error('the user executing the script has no permission for ' .. command[1])
  end
end
local number = marked(KEYS[2])
local lost = lacks or number < known
complete_since(KEYS[1], now, lost, anyway)
number = math.max(number, known)
-- So that a store which loses this as well shows less than it acknowledged.
if lost then number = number + 1 end
if number > 0 and (anyway or lost) then mark(KEYS[2], number) end

local before, after, same = known_since(KEYS[1]), {}, true
for i = 5, #ARGV do
  local since = before[ARGV[i]]
  if not since or since > now then since, same = now, false end
  after[i - 4] = ARGV[i] .. ' ' .. whole(since)
  before[ARGV[i]] = nil
end
-- Whoever has none delivers nothing, and only looks.
if #after > 0 and (not same or next(before)) then redis.call('HSET', KEYS[1], 'bases', table.concat(after, ',')) end
return number
