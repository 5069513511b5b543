-- fail_join: an agent who accepted could not be joined to the contact, or was lost while talking.
--
-- KEYS  book          hash    pages
-- KEYS  due           zset    when to look again
-- KEYS  journal       stream  what happened, in order
-- KEYS  waiting[]     zset    contact by score, one per queue
-- KEYS  idle          zset    who idles, for which queue (see include/match.lua)
-- ARGV  contact       str
-- ARGV  now_ms        int
-- ARGV  ring_ms       int
-- ARGV  ask_again_ms  int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- INCLUDE rest
-- INCLUDE unjoin
-- MOVES reserved -> waiting
-- MOVES connected -> waiting
-- MOVES waiting -> reserved
-- MOVES talking -> ready
-- MOVES ready -> reserved
-- MOVES talking -> away
-- MOVES talking -> off
--
-- Returns 'done', 'already' (it waits), 'refused' (nobody has accepted: see decline), 'stale' (ended) or
-- 'gone'. The contact keeps its place. Cost: O(log N).

local text = redis.call('HGET', book, contact)
if not text then
    return 'gone'
end
local c = contact_page(text)
if c.state == 'ended' then
    return 'stale'
end
if c.state == 'waiting' then
    return 'already'
end
if c.accepted ~= '1' then
    return 'refused'
end
unjoin(contact, c, c.agent, agent_named(c.agent), 'failed')
return 'done'
