-- KEYS: the entry, the shard's memory. ARGV: token, content, lease and remember in milliseconds, and,
-- where it passes only if nothing was forgotten since then, the signed time in milliseconds.
local token, content, lease, remember, signed = unpack(ARGV)
local entry, now = read(KEYS[1]), clock()
local held = entry and entry.state == FLIGHT and entry.till > now

if entry and entry.state == DELIVERED then
  if entry.content ~= content then return {'conflict'} end
  return {'delivered', entry.status, entry.kind, entry.body}
end
-- The first reply may have been lost.
if held and entry.token == token then return {'held', entry.attempts} end
if held and entry.content ~= content then return {'conflict'} end
if held then return {'busy', entry.till - now} end
if signed ~= '' and complete_since(KEYS[2], now) > tonumber(signed) then return {'unproven'} end

local attempts = (entry and entry.attempts or 0) + 1
write(KEYS[1], remember, FLIGHT, content, attempts, token, now + lease)
return {'held', attempts}
