-- claim: an agent takes a turn out of the order: it is kept for this agent for a while.
--
-- KEYS  book          hash    pages
-- KEYS  due           zset    when to look again
-- KEYS  journal       stream  what happened, in order
-- KEYS  waiting[]     zset    contact by score, one per queue
-- KEYS  idle          zset    who idles, for which queue (see include/match.lua)
-- ARGV  turn          str     the contact that stands for the promise
-- ARGV  agent         str
-- ARGV  now_ms        int
-- ARGV  ring_ms       int     so long it is kept
-- ARGV  ask_again_ms  int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- INCLUDE rest
-- MOVES waiting -> reserved
-- MOVES wrap_up -> ready
-- MOVES away -> ready
-- MOVES ready -> reserved
--
-- Returns {outcome, who}: 'done', 'already' (kept for this agent, who may have said yes), 'stale' (ended, or
-- who has it), 'refused' (the agent is off, asked or talking, or unknown) or 'gone'. Cost: O(log N).

local known = redis.call('HMGET', book, turn, '@' .. agent)
if not known[1] then
    return { 'gone', '' }
end
local c = contact_page(known[1])
if c.state == 'ended' then
    return { 'stale', '' }
end
if c.state ~= 'waiting' then
    return { c.agent == agent and 'already' or 'stale', c.agent }
end
local a = known[2] and agent_page(known[2])
local from = a and a.presence
if from ~= 'ready' and from ~= 'away' and from ~= 'wrap_up' then
    return { 'refused', '' }
end
local more = '|claimed=1'
if from == 'ready' then
    unidle(agent, a)
elseif from == 'wrap_up' then
    turn_to(agent, a, 'ready', '')
    a.idle = now_ms
else
    more = '|from=away' .. more
    a.idle = now_ms
end
reserve(turn, known[1], agent, a, true, more)
return { 'done', agent }
