-- The last of a process' writes that the store has. Its number only grows while the store keeps what
-- it is given, so a number below one that was acknowledged tells of older data.
local WEEK = 604800000

local function marked(key)
  return tonumber(redis.call('GET', key) or '') or 0
end

local function mark(key, number)
  redis.call('SET', key, math.max(marked(key), number), 'PX', WEEK)
end
