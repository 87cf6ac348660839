-- KEYS: the entry. ARGV: seconds since 1970, remember in milliseconds. What is known from now on.
local seconds, remember = unpack(ARGV)
return redis.call('SET', KEYS[1], seconds, 'NX', 'GET', 'PX', remember) or seconds
