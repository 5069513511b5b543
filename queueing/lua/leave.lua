-- leave: the caller has gone, from wherever the contact stood. Whoever held it is freed, once.
--
-- KEYS  book          hash    pages
-- KEYS  due           zset    when to look again
-- KEYS  journal       stream  what happened, in order
-- KEYS  waiting[]     zset    contact by score, one per queue
-- KEYS  idle          zset    who idles, for which queue (see include/match.lua)
-- ARGV  contact       str
-- ARGV  disposition   str     how it ends when it was not connected
-- ARGV  caller_key    str     whose place is kept after an abandon; '' for the one given at enter
-- ARGV  now_ms        int
-- ARGV  ring_ms       int
-- ARGV  wrap_up_ms    int
-- ARGV  resume_ms     int
-- ARGV  forget_ms     int
-- ARGV  ask_again_ms  int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- INCLUDE rest
-- INCLUDE close
-- INCLUDE wrap_up
-- MOVES waiting -> ended
-- MOVES reserved -> ended
-- MOVES connected -> ended
-- MOVES waiting -> reserved
-- MOVES reserved -> ready
-- MOVES talking -> ready
-- MOVES talking -> away
-- MOVES talking -> off
-- MOVES talking -> wrap_up
-- MOVES ready -> reserved
--
-- Returns 'done', 'already' (ended) or 'gone'. Cost: O(log N); 6 calls when it waited.

local text = redis.call('HGET', book, contact)
if not text then
    return 'gone'
end
local c = contact_page(text)
local state = c.state
if state == 'ended' then
    return 'already'
end

if state == 'connected' then
    close(contact, c, 'answered')
    wrap_up(c.agent, agent_named(c.agent), c.band)
    return 'done'
end

if state == 'waiting' then
    redis.call('ZREM', waiting_at .. c.queue, contact)
end
local key = caller_key ~= '' and caller_key or c.caller_key
if disposition == 'abandoned' and key ~= '' then
    redis.call('HSET', book, '~' .. key, table.concat(
        { c.queue, c.band, c.arrival, c.entered, now_ms, contact, c.card }, '|'))
    redis.call('ZADD', due, now_ms + resume_ms, '~' .. key)
end
local who = c.agent
c.agent = ''
close(contact, c, disposition)
if state == 'reserved' then
    -- Not the agent's doing: it keeps its turn among the idle.
    local a = agent_named(who)
    tell('released', contact, who, c.queue, c.band,
        'fence=' .. c.fence .. '|line=' .. a.phone .. '|why=' .. disposition)
    rest(who, a)
end
return 'done'
