-- How many deliveries of a process the store has recorded in this shard. It only grows while the store keeps
-- what it is given, so less than it acknowledged tells of older data.
local WEEK = 604800000

local function marked(key)
  return tonumber(redis.call('GET', key) or '') or 0
end

local function mark(key, number)
  redis.call('SET', key, number, 'PX', WEEK)
end

