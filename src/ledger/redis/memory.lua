-- Milliseconds since 1970, by the store's own clock: that of replicas may differ.
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Since when this shard has forgotten nothing. The answer is kept beside the entries, so it goes
-- where they go. A store that was restarted, or taken over by a replica, is believed to have kept
-- everything only if it writes an append-only file; one that evicted keys is not.
local function complete_since(key, now, forgot)
  local info = redis.call('INFO')
  local run = info:match('run_id:(%w+)') or ''
  local evicted = info:match('evicted_keys:(%d+)') or ''
  local file = info:match('aof_enabled:(%d)') or '0'
  local known = redis.call('HMGET', key, 'since', 'run', 'evicted', 'file')
  local since = tonumber(known[1] or '')
  local kept
  if known[2] == run then
    kept = known[3] == evicted
  else
    kept = evicted == '0' and file == '1' and known[4] == '1'
  end
  if not since or not kept or forgot then since = now end
  redis.call('HSET', key, 'since', string.format('%.0f', since), 'run', run, 'evicted', evicted, 'file', file)
  return since
end
