-- take_up: a merchant who is owed a callback rings in. The contact enters at the earlier of its own place and
-- its turn's; the turn is set aside, unless its agent has said yes, and whoever was asked for it is free.
--
-- KEYS  book           hash    pages
-- KEYS  due            zset    when to look again
-- KEYS  journal        stream  what happened, in order
-- KEYS  here           zset    contact by score: the queue
-- KEYS  idle           zset    who idles, for which queue (see include/match.lua)
-- KEYS  waiting[]      zset    contact by score, one per queue
-- ARGV  contact        str
-- ARGV  turn           str     the contact that stands for the promise
-- ARGV  queue          str
-- ARGV  band           str
-- ARGV  head_start_us  str     of the band
-- ARGV  caller_key     str     whose kept place may be taken up; '' for nobody's
-- ARGV  card           str     JSON, carried and never read
-- ARGV  max_waiting    int
-- ARGV  now_ms         int
-- ARGV  ring_ms        int
-- ARGV  resume_ms      int
-- ARGV  forget_ms      int
-- ARGV  ask_again_ms   int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- INCLUDE rest
-- INCLUDE close
-- INCLUDE newcomer   ticket, keep_clock, newcomer, since, tell_entered
-- INCLUDE told_of
-- MOVES waiting -> ended
-- MOVES reserved -> ended
-- MOVES waiting -> reserved
-- MOVES reserved -> ready
-- MOVES ready -> reserved
--
-- Returns {outcome, state, position, waiting, queue, band, resumed, arrival}: 'entered', 'reserved' (an agent
-- is asked at once), 'already' (nothing changed) or 'full' (only without a turn and a kept place: one journal
-- line). 'resumed' is 1 when the place is an older one; then the band may be the turn's.
-- Cost: O(log N).

local known = redis.call('HMGET', book, contact, '#', turn, '~' .. caller_key)
if known[1] then
    return told_of(contact, 'already', 0)
end

local c = newcomer(queue, band, head_start_us, ticket(known[2]), now_ms, caller_key, card)
local resumed, place_kept = 0, false
if known[4] and caller_key ~= '' then
    local arrival, entered, dropped = string.match(known[4], '^[^|]*|[^|]*|([^|]*)|([^|]*)|([^|]*)|')
    if now_ms - dropped <= resume_ms then
        c.arrival, c.entered, resumed, place_kept = arrival, entered, 1, true
    end
end
local t = known[3] and contact_page(known[3])
if (not t or t.state == 'ended') and not place_kept and redis.call('ZCARD', here) >= max_waiting
    and not idle_agent(c) then
    tell('full', contact, '', queue, band, '|card=' .. card)
    return { 'full', 'ended', 0, redis.call('ZCARD', here), queue, band, 0, '0' }
end
if t and score_of(t) <= score_of(c) then
    c.band, c.head_start, c.arrival, resumed = t.band, t.head_start, t.arrival, 1
end
if place_kept then
    redis.call('HDEL', book, '~' .. caller_key)
    redis.call('ZREM', due, '~' .. caller_key)
end
keep_clock(known[2], c.arrival)

local held = t and (t.state == 'waiting' or t.state == 'reserved' and t.accepted ~= '1')
local who, asked = '', nil
if held then
    who = t.agent
    if t.state == 'waiting' then
        redis.call('ZREM', waiting_at .. t.queue, turn)
    end
    t.agent = ''
    close(turn, t, 'set_aside')
    asked = who ~= '' and agent_named(who)
    if asked then
        tell('released', turn, who, t.queue, t.band,
            'fence=' .. t.fence .. '|line=' .. asked.phone .. '|why=set_aside')
    end
end
tell_entered(contact, c, resumed, t and '|turn=' .. turn or '')
line_up(contact, c)
if asked then
    -- Not the agent's doing: it keeps its turn among the idle, and may take the caller.
    rest(who, asked)
end
local told = told_of(contact, 'entered', resumed)
if told[2] == 'reserved' then
    told[1] = 'reserved'
end
return told
