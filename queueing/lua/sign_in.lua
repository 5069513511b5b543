-- sign_in: an agent comes to work, or changes queues, handicaps or phone while at work.
--
-- KEYS  book       hash    pages
-- KEYS  agents     set     who has a page
-- KEYS  journal    stream  what happened, in order
-- KEYS  waiting[]  zset    contact by score, one per queue
-- KEYS  idle       zset    who idles, for which queue (see include/match.lua)
-- ARGV  agent      str
-- ARGV  name       str     shown to people
-- ARGV  skills     str     queue=handicap_ms,… in the centre's order
-- ARGV  phone      str     'softphone' or a phone number
-- ARGV  now_ms     int
-- ARGV  ring_ms    int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- MOVES off -> away
-- MOVES waiting -> reserved
-- MOVES ready -> reserved
--
-- Returns the agent's page. From off it comes to away; a repeat keeps the presence, and changes nothing
-- when nothing is new. Cost: O(queues log N).

local a = agent_named(agent)
if a and a.presence ~= 'off' and a.skills == skills and a.phone == phone and a.name == name then
    return agent_text(a)
end
if not a then
    redis.call('SADD', agents, agent)
    a = { presence = 'off', deadline = 0, skills = '', name = '', phone = '', misses = 0, busy = 0, since = 0,
        with = '', queue = '', fence = 0, after = '', idle = 0, reason = '' }
end
local from = a.presence
if from == 'ready' then
    unidle(agent, a)
end
a.skills, a.phone, a.name = skills, phone, name
if from == 'off' then
    a.presence, a.since, a.reason, a.misses = 'away', now_ms, 'signed in', 0
end
tell('agent_in', '', agent, '', '',
    'from=' .. from .. '|skills=' .. skills .. '|line=' .. phone .. '||name=' .. name)
if from == 'ready' then
    free(agent, a)
else
    write_agent(agent, a)
end
return redis.call('HGET', book, '@' .. agent)
