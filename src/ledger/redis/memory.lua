-- Numbers of milliseconds have more digits than Lua writes by itself.
local function whole(number)
  return string.format('%.0f', number)
end

-- Since when this shard has forgotten nothing, and since when this run of the store is known. The answer is kept
-- beside the entries, so it goes where they go. A store that was restarted, or taken over by a replica, is believed to have kept
-- everything only if it writes an append-only file; one that evicted keys is not. Where `now` is
-- before it, clocks were set back, and what is remembered from now on is all that is certain.
local function complete_since(key, now, forgot, anyway)
  local info = redis.call('INFO')
  local run = info:match('run_id:(%w+)') or ''
  local evicted = info:match('evicted_keys:(%d+)') or ''
  local file = info:match('aof_enabled:(%d)') or '0'
  local known = redis.call('HMGET', key, 'since', 'run', 'evicted', 'file', 'turned')
  local since, turned = tonumber(known[1] or ''), tonumber(known[5] or '')
  local kept
  if known[2] == run then
    kept = known[3] == evicted
  else
    kept = evicted == '0' and file == '1' and known[4] == '1'
    turned = now
  end
  local anew = not since or not kept or forgot or since > now
  if anew then since = now end
  if not turned or turned > now then turned = now end
  if anew or anyway or known[2] ~= run or known[4] ~= file then
    redis.call('HSET', key, 'since', whole(since), 'run', run, 'evicted', evicted, 'file', file, 'turned', whole(turned))
  end
  return since, turned
end

-- Since when entries are named and kept as they are under each of these bases, without a gap in which somebody
-- did it otherwise: whoever has other bases strikes these out.
local function known_since(key)
  local known = {}
  for basis, since in (redis.call('HMGET', key, 'bases')[1] or ''):gmatch('(%x+) (%d+)') do
    known[basis] = tonumber(since)
  end
  return known
end
