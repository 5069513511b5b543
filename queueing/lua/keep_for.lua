-- keep_for: a waiting turn is kept for one agent: it is as if all others had passed on it. Or for nobody.
--
-- KEYS  book          hash    pages
-- KEYS  due           zset    when to look again
-- KEYS  journal       stream  what happened, in order
-- KEYS  waiting[]     zset    contact by score, one per queue
-- KEYS  idle          zset    who idles, for which queue (see include/match.lua)
-- ARGV  turn          str     the contact that stands for the promise
-- ARGV  agent         str     '' gives it back to all who serve its queue
-- ARGV  now_ms        int
-- ARGV  ring_ms       int
-- ARGV  ask_again_ms  int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- MOVES waiting -> reserved
-- MOVES ready -> reserved
--
-- Returns 'done', 'already' (it is kept for this agent, or for nobody), 'stale' (it does not wait) or 'gone'.
-- It keeps its place. Once the agent has passed on it too, or is not at work, expire offers it to all again.
-- Cost: O(log N + idle agents).

local known = redis.call('HGET', book, turn)
if not known then
    return 'gone'
end
local c = contact_page(known)
if c.state ~= 'waiting' then
    return 'stale'
end
local before = string.match(c.passed, '^,!([^,]*),') or ''
if before == agent then
    return 'already'
end
c.passed = agent == '' and '' or ',!' .. agent .. ','
redis.call('ZREM', waiting_at .. c.queue, turn)
line_up(turn, c)
return 'done'
