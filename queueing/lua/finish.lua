-- finish: the talk is over; the agent wraps up.
--
-- KEYS  book        hash    pages
-- KEYS  due         zset    when to look again
-- KEYS  journal     stream  what happened, in order
-- ARGV  contact     str
-- ARGV  now_ms      int
-- ARGV  wrap_up_ms  int
-- ARGV  forget_ms   int
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE close
-- INCLUDE wrap_up
-- MOVES connected -> ended
-- MOVES talking -> wrap_up
--
-- Returns 'done', 'already' (ended), 'refused' (not connected: see leave) or 'gone'. Cost: 7 calls.

local text = redis.call('HGET', book, contact)
if not text then
    return 'gone'
end
local c = contact_page(text)
if c.state == 'ended' then
    return 'already'
end
if c.state ~= 'connected' then
    return 'refused'
end
close(contact, c, 'answered')
wrap_up(c.agent, agent_named(c.agent), c.band)
return 'done'
