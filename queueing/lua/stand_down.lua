-- stand_down: the agent takes no more contacts: a break (away) or the end of work (off). At once, but a
-- talk is finished first; a contact the agent is being asked for goes back to its place.
--
-- KEYS  book          hash    pages
-- KEYS  due           zset    when to look again
-- KEYS  journal       stream  what happened, in order
-- KEYS  waiting[]     zset    contact by score, one per queue
-- KEYS  idle          zset    who idles, for which queue (see include/match.lua)
-- ARGV  agent         str
-- ARGV  wish          str     'away' or 'off'
-- ARGV  reason        str     without '|'
-- ARGV  now_ms        int
-- ARGV  ring_ms       int
-- ARGV  ask_again_ms  int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- INCLUDE rest
-- MOVES ready -> away
-- MOVES ready -> off
-- MOVES reserved -> away
-- MOVES reserved -> off
-- MOVES wrap_up -> away
-- MOVES wrap_up -> off
-- MOVES away -> off
-- MOVES reserved -> waiting
-- MOVES waiting -> reserved
-- MOVES ready -> reserved
--
-- Returns 'done', 'already', 'refused' (off and wants a break: sign in first) or 'gone'. While talking the
-- wish is kept for afterwards. Cost: O(queues log N).

local a = agent_named(agent)
if not a then
    return 'gone'
end
local from = a.presence
if from == wish or (from == 'talking' and a.after == wish) then
    return 'already'
end
if from == 'off' then
    return 'refused'
end
if from == 'talking' then
    a.after, a.reason = wish, reason
    write_agent(agent, a)
    tell('agent_wish', a.with, agent, a.queue, '', 'wish=' .. wish .. '||reason=' .. reason)
    return 'done'
end
if from == 'ready' then
    unidle(agent, a)
elseif from == 'reserved' then
    local id = a.with
    local c = contact_page(redis.call('HGET', book, id))
    tell('released', id, agent, c.queue, c.band,
        'fence=' .. c.fence .. '|line=' .. a.phone .. '|why=' .. wish)
    line_up(id, c)
end
stand_down(agent, a, wish, reason)
return 'done'
