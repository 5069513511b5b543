-- pace: the next slot for what goes out at a limited rate (GCRA without a burst).
--
-- KEYS  slots        string  when the next slot begins (ms)
-- ARGV  now_ms       float
-- ARGV  every_ms     float   between two slots
-- ARGV  patience_ms  float   a slot later than this is not taken
--
-- Returns how many ms until the slot that is now the caller's; -1: none in time, nothing was taken.
-- Moves nothing of the line, so there is no line of the journal. Cost: O(1); 2 calls.

local begins = math.max(tonumber(redis.call('GET', slots) or 0), now_ms)
local wait = begins - now_ms
if wait > patience_ms then
    return -1
end
redis.call('SET', slots, string.format('%.3f', begins + every_ms), 'PX', math.ceil(wait + every_ms) + 60000)
return math.ceil(wait)
