-- KEYS: the entry. ARGV: token, remember in milliseconds, whether the app saw this attempt: 1 or 0.
local token, remember, seen = unpack(ARGV)
local entry = read(KEYS[1])
if not entry or entry.state ~= FLIGHT or entry.token ~= token then return 0 end
local attempts = entry.attempts - 1 + tonumber(seen)
if attempts == 0 then
  redis.call('DEL', KEYS[1])
else
  write(KEYS[1], remember, FREE, entry.content, attempts, '', 0)
end
return 1
