-- A script for wrk: sends the requests of a file, each of them once, and ends with the last one.
-- wrk ... -s notify.lua URL -- SET TAIL FIRST COUNT
--   SET    requests without what all bodies end with: each is 8 digits, its length, then its bytes
--   TAIL   what all bodies end with; where it is short, whole requests are made ahead
--   FIRST  the first one to be sent, from 1
--   COUNT  how many; 0: from the first one again after the last one, until wrk is told to stop
-- Behind the last one the set must hold one for every connection: what is asked for while wrk stops
-- may still be sent.
local ffi = require("ffi")
ffi.cdef [[
typedef struct { long seconds; long nanoseconds; } peers_time;
int clock_gettime(int clock, peers_time *time);
]]

local JOINED_AHEAD = 4096
local requests, tail = {}, ""
local first, count, sent = 1, 0, -1
local began

local function now()
    local time = ffi.new("peers_time")
    ffi.C.clock_gettime(1, time)
    return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

local function read(name)
    local file = assert(io.open(name, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end

function init(args)
    local text = read(args[1])
    tail = read(args[2])
    first, count = tonumber(args[3]), tonumber(args[4])
    local joined = #tail <= JOINED_AHEAD
    local at = 1
    while at <= #text do
        local length = tonumber(text:sub(at, at + 7))
        local request = text:sub(at + 8, at + 7 + length)
        requests[#requests + 1] = joined and request .. tail or request
        at = at + 8 + length
    end
    if joined then tail = "" end
    collectgarbage()
end

function request()
    -- wrk asks once before it begins, to see what will come.
    if sent < 0 then
        sent = 0
        return requests[first] .. tail
    end
    if sent == 0 then began = now() end
    local at = first + sent
    if count == 0 then
        at = (first + sent - 1) % #requests + 1
    elseif sent == count then
        io.write(string.format("elapsed %.6f\n", now() - began))
        io.flush()
        wrk.thread:stop()
    end
    sent = sent + 1
    local request = requests[at]
    return tail == "" and request or request .. tail
end

function done(summary, latency, _)
    local errors = summary.errors
    io.write(string.format("answers %d\nrefusals %d\nfailures %d\np50 %d\np99 %d\nmost %d\nduration %d\n",
        summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99), latency.max, summary.duration))
end
