-- Since when this shard has forgotten nothing. The answer is kept beside the entries, so it goes
-- where they go. A store that was restarted, or taken over by a replica, is believed to have kept
-- everything only if it writes an append-only file; one that evicted keys is not. Where `now` is
-- before it, clocks were set back, and what is remembered from now on is all that is certain.
local function complete_since(key, now, forgot, anyway)
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
  local anew = not since or not kept or forgot or since > now
  if anew then since = now end
  if anew or anyway or known[2] ~= run or known[4] ~= file then
    redis.call('HSET', key, 'since', string.format('%.0f', since), 'run', run, 'evicted', evicted, 'file', file)
  end
  return since
end

-- Since when entries are named and kept as they are by this configuration: what was delivered under
-- another cannot be found.
local function known_since(key, basis, now)
  local field = 'since:' .. basis
  local since = tonumber(redis.call('HMGET', key, field)[1] or '')
  if not since or since > now then
    since = now
    redis.call('HSET', key, field, string.format('%.0f', since))
  end
  return since
end

