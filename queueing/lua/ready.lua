-- ready: the agent takes contacts; the one with the least score over its queues is reserved at once.
--
-- KEYS  book       hash    pages
-- KEYS  journal    stream  what happened, in order
-- KEYS  waiting[]  zset    contact by score, one per queue
-- KEYS  idle       zset    who idles, for which queue (see include/match.lua)
-- ARGV  agent      str
-- ARGV  now_ms     str     text here, because it is mostly copied
-- ARGV  ring_ms    str
-- INCLUDE queues     waiting_at
-- MOVES off -> ready
-- MOVES away -> ready
-- MOVES wrap_up -> ready
-- MOVES ready -> reserved
-- MOVES waiting -> reserved
--
-- Returns 'done', 'already' (ready, asked or talking) or 'gone'. Straight from a break to a contact is one
-- journal line, 'reserved'. While talking it takes back a wish to go away afterwards.
-- Cost: O(queues + log N). The short way, from a break to a contact, comes first.

local page = redis.call('HGET', book, '@' .. agent)
if not page then
    return 'gone'
end
local presence, lasting, skills, phone =
    string.match(page, '^([^|]*)|[^|]*(|([^|]*)|[^|]*|([^|]*)|[^|]*|[^|]*|)')
if presence == 'away' or presence == 'off' then
    -- INCLUDE heads
    local contact = id and redis.call('HGET', book, id)
    if contact then
        -- INCLUDE asking
        if passed == '' then
            local who, idle_since, from_line = agent, now_ms, true
            -- INCLUDE reserving
            redis.call('XADD', journal, '*', 'reserved', asked .. '|from=' .. presence)
            return 'done'
        end
    end
end

-- INCLUDE tell
-- INCLUDE has_passed
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- INCLUDE rest

local a = agent_page(page)
if presence == 'talking' and a.after ~= '' then
    a.after, a.reason = '', ''
    write_agent(agent, a)
    tell('agent_wish', a.with, agent, a.queue, '', 'wish=')
    return 'done'
end
if presence == 'ready' or presence == 'reserved' or presence == 'talking' then
    return 'already'
end
a.idle = now_ms
if presence == 'wrap_up' then
    turn_to(agent, a, 'ready', '')
    free(agent, a)
elseif free(agent, a, '|from=' .. presence) then
    tell('agent_ready', '', agent, '', '', 'from=' .. presence)
end
return 'done'
