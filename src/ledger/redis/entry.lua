local FLIGHT, DELIVERED, FREE = 1, 2, 3

-- An entry as the store has it: one string, so that state, lease and answer change together. One in flight has
-- the length of its lease where a delivered one has its status.
local function read(key)
  local raw = redis.call('GET', key)
  if not raw then return nil end
  local state, content, attempts, token, till, status, kind, body = unpack(cmsgpack.unpack(raw))
  local lease = status
  -- What nobody of us wrote proves nothing.
  local known = type(content) == 'string' and type(attempts) == 'number' and type(till) == 'number'
  if not known or (state ~= FLIGHT and state ~= DELIVERED and state ~= FREE) then
    error('the entry is not one of ours')
  end
  return {
    state = state, content = content, attempts = attempts, token = token, till = till,
    lease = lease, status = status, kind = kind, body = body,
  }
end

-- No entry is ever without an end.
local function write(key, remember, ...)
  redis.call('SET', key, cmsgpack.pack({...}), 'PX', remember)
end
