-- KEYS: the entry, the process' mark. ARGV: token, content, remember in milliseconds, status, content type,
-- body, the number of this write.
-- 1 where the delivery is known from now on, 0 where another claim has taken it over.
local token, content, remember, status, kind, body, number = unpack(ARGV)
mark(KEYS[2], tonumber(number))
local entry = read(KEYS[1])
if entry and entry.state == DELIVERED then return entry.content == content and 1 or 0 end
if entry and (entry.state ~= FLIGHT or entry.token ~= token) then return 0 end
-- A delivered one needs neither its attempts nor its token.
write(KEYS[1], remember, DELIVERED, content, 0, '', 0, tonumber(status), kind, body)
return 1
