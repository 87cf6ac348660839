-- Milliseconds since 1970, by the store's own clock: that of replicas may differ.
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- More than a crash may cost a store that writes its file every second.
local TOLERATED = 5000

-- Since when this shard has forgotten nothing. The answer is kept beside the entries, so it goes
-- where they go. A store that was restarted, or taken over by a replica, is believed to have kept
-- everything only if it writes an append-only file; one that evicted keys is not; nor is one whose
-- last beat is older than the one that the caller has seen: these are older data.
local function complete_since(key, now, seen)
  local info = redis.call('INFO')
  local run = info:match('run_id:(%w+)') or ''
  local evicted = info:match('evicted_keys:(%d+)') or ''
  local file = info:match('aof_enabled:(%d)') or '0'
  local known = redis.call('HMGET', key, 'since', 'run', 'evicted', 'file', 'beat')
  local since, beat = tonumber(known[1] or ''), tonumber(known[5] or '')
  local kept
  if known[2] == run then
    kept = known[3] == evicted
  else
    kept = evicted == '0' and file == '1' and known[4] == '1'
  end
  if seen and (beat or 0) + TOLERATED < seen then kept = false end
  if not since or not kept then since = now end
  if seen then beat = now end
  redis.call('HSET', key, 'since', string.format('%.0f', since), 'run', run, 'evicted', evicted,
    'file', file, 'beat', string.format('%.0f', beat or 0))
  return since
end
