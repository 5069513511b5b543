-- decline: the agent says no. The contact keeps its place and goes to another; the agent is ready, or away.
--
-- KEYS  book          hash    pages
-- KEYS  due           zset    when to look again
-- KEYS  journal       stream  what happened, in order
-- KEYS  waiting[]     zset    contact by score, one per queue
-- KEYS  idle          zset    who idles, for which queue (see include/match.lua)
-- ARGV  contact       str
-- ARGV  agent         str
-- ARGV  fence         int     which reservation of the contact is meant
-- ARGV  away          int     1: the agent wants a break
-- ARGV  now_ms        int
-- ARGV  ring_ms       int
-- ARGV  ask_again_ms  int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- INCLUDE rest
-- MOVES reserved -> waiting
-- MOVES waiting -> reserved
-- MOVES reserved -> ready
-- MOVES ready -> reserved
-- MOVES reserved -> away
--
-- Returns 'done', 'already' (the agent has passed on it before), 'refused' (had accepted: see fail_join),
-- 'stale' or 'gone'. Cost: O(log N).

local known = redis.call('HMGET', book, contact, '@' .. agent)
if not known[1] then
    return 'gone'
end
local c = contact_page(known[1])
local held = c.state == 'reserved' and c.agent == agent and tonumber(c.fence) == fence
if not held then
    local over = c.state == 'waiting' or c.state == 'reserved'
    return over and has_passed(c.passed, agent) and 'already' or 'stale'
end
if c.accepted == '1' then
    return 'refused'
end
local a = agent_page(known[2])
tell('declined', contact, agent, c.queue, c.band, 'fence=' .. fence .. '|line=' .. a.phone)
pass(c, agent)
line_up(contact, c)
if away == 1 then
    stand_down(agent, a, 'away', 'declined')
else
    a.idle = now_ms
    free(agent, a)
end
return 'done'
