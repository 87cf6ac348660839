-- KEYS: the entry, the process' mark. ARGV: token, content, remember in milliseconds, status, content type, body.
-- What became of it: RECORDED, HELD while another claim is at the app, OTHER where the delivered one had another
-- content. And how many deliveries of this process were recorded before, and are now.
local HELD, RECORDED, OTHER = 0, 1, 2
local token, content, remember, status, kind, body = unpack(ARGV)
local entry, number = read(KEYS[1]), marked(KEYS[2])
if entry and entry.state == DELIVERED then
  return {entry.content == content and RECORDED or OTHER, number, number}
end
if entry and entry.state == FLIGHT and entry.token ~= token and entry.till > clock() then
  return {HELD, number, number}
end
-- A delivered one needs neither its attempts nor its token.
write(KEYS[1], remember, DELIVERED, content, 0, '', 0, tonumber(status), kind, body)
mark(KEYS[2], number + 1)
return {RECORDED, number, number + 1}
