-- accept: the agent says yes; the two must now meet within a time.
--
-- KEYS  book        hash    pages
-- KEYS  journal     stream  what happened, in order
-- ARGV  contact     str
-- ARGV  agent       str
-- ARGV  fence       int     which reservation of the contact is meant
-- ARGV  now_ms      int
-- ARGV  connect_ms  int     so long they have to meet
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- MOVES reserved -> talking
--
-- Returns 'done', 'already', 'stale' (another agent's, or over) or 'gone'. Cost: 3 calls.

local known = redis.call('HMGET', book, contact, '@' .. agent)
if not known[1] then
    return 'gone'
end
local c = contact_page(known[1])
if c.agent ~= agent or tonumber(c.fence) ~= fence or c.state == 'ended' then
    return 'stale'
end
if c.accepted == '1' then
    return 'already'
end
local a = agent_page(known[2])
c.accepted, c.deadline = 1, now_ms + connect_ms
a.presence, a.since, a.busy, a.deadline, a.misses = 'talking', now_ms, now_ms, c.deadline, 0
redis.call('HSET', book, contact, contact_text(c), '@' .. agent, agent_text(a))
tell('accepted', contact, agent, c.queue, c.band, 'fence=' .. fence .. '|line=' .. a.phone)
return 'done'
