-- connect: contact and agent have met.
--
-- KEYS  book     hash    pages
-- KEYS  journal  stream  what happened, in order
-- ARGV  contact  str
-- ARGV  agent    str     who met it, or '' for whoever accepted
-- ARGV  now_ms   int
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- MOVES reserved -> connected
--
-- Returns 'done', 'already', 'refused' (nobody has accepted), 'stale' or 'gone'. Cost: 4 calls.

local text = redis.call('HGET', book, contact)
if not text then
    return 'gone'
end
local c = contact_page(text)
if c.state == 'waiting' or c.state == 'ended' or (agent ~= '' and agent ~= c.agent) then
    return 'stale'
end
if c.state == 'connected' then
    return 'already'
end
if c.accepted ~= '1' then
    return 'refused'
end
local a = agent_named(c.agent)
c.state, c.answered, c.deadline, c.passed = 'connected', now_ms, 0, ''
a.deadline = 0
redis.call('HSET', book, contact, contact_text(c), '@' .. c.agent, agent_text(a))
tell('connected', contact, c.agent, c.queue, c.band,
    'fence=' .. c.fence .. '|wait_ms=' .. now_ms - c.entered)
return 'done'
