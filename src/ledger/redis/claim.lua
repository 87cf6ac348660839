-- KEYS: the entry, and the shard's memory where it is asked. ARGV: token, content, lease and remember in
-- milliseconds, and, where it passes only if nothing was forgotten since then, that time, our own time, both
-- in milliseconds, and the basis of the entry.
local token, content, lease, remember, unseen_since, ours, basis = unpack(ARGV)
-- By then every process has looked at a store that was started anew, or taken over.
local LOOKED_AT = 5000
local entry, now = read(KEYS[1]), clock()
local held = entry and entry.state == FLIGHT and entry.till > now

if entry and entry.state == DELIVERED then
  -- A copy may be signed anew, and outlive what is known of its delivery.
  redis.call('PEXPIRE', KEYS[1], remember)
  if entry.content ~= content then return {'conflict'} end
  return {'delivered', entry.status, entry.kind, entry.body}
end
-- The clock was set back: from now on it is held for its lease at most.
if held and entry.till - now > entry.lease then
  entry.till = now + entry.lease
  write(KEYS[1], remember, FLIGHT, entry.content, entry.attempts, entry.token, entry.till, entry.lease)
end
-- The first reply may have been lost.
if held and entry.token == token then return {'held', entry.attempts} end
if held and entry.content ~= content then return {'conflict'} end
if held then return {'busy', entry.till - now} end
if unseen_since then
  local at = math.max(now, tonumber(ours))
  local since, turned = complete_since(KEYS[2], at)
  local known = known_since(KEYS[2])[basis]
  if not known or math.max(since, known) > tonumber(unseen_since) then return {'unproven'} end
  -- Others may know of a loss, and have not looked at this store yet.
  if at - turned < LOOKED_AT then return {'down'} end
end

local attempts = (entry and entry.attempts or 0) + 1
write(KEYS[1], remember, FLIGHT, content, attempts, token, now + lease, tonumber(lease))
return {'held', attempts}
