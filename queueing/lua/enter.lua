-- enter: join the line, once; the agent idle longest is asked at once when there is one.
--
-- KEYS  book           hash    pages of contacts and agents
-- KEYS  due            zset    when to look again
-- KEYS  journal        stream  what happened, in order
-- KEYS  here           zset    contact by score: the queue
-- KEYS  idle           zset    who idles, for which queue (see include/match.lua)
-- ARGV  contact        str
-- ARGV  queue          str
-- ARGV  band           str
-- ARGV  head_start_us  str     of the band
-- ARGV  caller_key     str     whose kept place may be taken up; '' for nobody's
-- ARGV  card           str     JSON, carried and never read
-- ARGV  max_waiting    str
-- ARGV  now_ms         str     numbers are text here: they are mostly copied
-- ARGV  arrived_ms     str     now_ms; earlier for a caller who came while the line was away
-- ARGV  after_us       str     so much after arrived_ms stands the old place
-- ARGV  ring_ms        str
-- ARGV  resume_ms      str
-- MOVES waiting -> waiting
-- MOVES waiting -> reserved
-- MOVES ready -> reserved
--
-- Returns {position, waiting} of a newcomer who waits, else {outcome, state, position, waiting, queue,
-- band, resumed}: 'entered' (in an old place), 'reserved', 'already' (nothing written; position 0 when it has
-- gone to another queue; a journal line when it came earlier than was known), 'full' (one journal line).
-- Order is the arrival clock's, which never stands still nor goes back, whatever the hosts' clocks do. Who
-- came earlier than now is put in at that time, and the clock stays as it is; so is who waits already and came
-- earlier than was known, with the card that is given now.
-- Cost: O(log N); 6 calls when it waits. The short way comes first, and defines no function.

local known
if caller_key == '' then
    known = redis.call('HMGET', book, contact, '#')
else
    known = redis.call('HMGET', book, contact, '#', '~' .. caller_key)
end
local ahead = redis.call('ZCARD', here)
local room = max_waiting - ahead
local nobody_idle = not known[1] and (redis.call('ZCARD', idle) == 0
    or redis.call('ZLEXCOUNT', idle, '[' .. queue .. ' ', '(' .. queue .. '!') == 0)

if nobody_idle and not known[3] and arrived_ms == now_ms and room > 0 then
    local arrival, last = now_ms .. '000', known[2]
    if last and tonumber(last) >= tonumber(arrival) then
        arrival = string.format('%.0f', last + 1)
    end
    local ahead_of_nobody = head_start_us == '0'
    redis.call('ZADD', here, ahead_of_nobody and arrival or arrival - head_start_us, contact)
    redis.call('HSET', book, '#', arrival, contact, 'waiting|' .. queue .. '||' .. band .. '|0||0|0|'
        .. head_start_us .. '|' .. arrival .. '|' .. now_ms .. '|0||' .. caller_key .. '|' .. card)
    redis.call('XADD', journal, '*', 'entered', now_ms .. '|' .. contact .. '||' .. queue .. '|' .. band
        .. '|arrival=' .. arrival .. '|resumed=0||card=' .. card)
    -- The newest without a head start has the greatest score of all: it stands last.
    if ahead_of_nobody then
        return { ahead + 1, ahead + 1 }
    end
    return { redis.call('ZRANK', here, contact) + 1, ahead + 1 }
end

local waiting_at = string.match(here, '.*:')
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free

local function old_place()
    return arrived_ms * 1000 + after_us
end

if known[1] then
    local c, position = contact_page(known[1]), 0
    if c.state == 'waiting' and c.queue == queue then
        if arrived_ms ~= now_ms and old_place() < tonumber(c.arrival) then
            c.arrival, c.entered, c.card = string.format('%.0f', old_place()), arrived_ms, card
            c.caller_key = caller_key ~= '' and caller_key or c.caller_key
            redis.call('ZADD', here, score_of(c), contact)
            write_contact(contact, c)
            tell('backdated', contact, '', queue, c.band,
                'arrival=' .. c.arrival .. '|since=' .. arrived_ms .. '||card=' .. card)
        end
        position = redis.call('ZRANK', here, contact) + 1
    end
    return { 'already', c.state, position, ahead, c.queue, c.band, 0 }
end

local arrival, entered = nil, arrived_ms
if known[3] then
    local kept_arrival, kept_entered, dropped =
        string.match(known[3], '^[^|]*|[^|]*|([^|]*)|([^|]*)|([^|]*)|')
    if now_ms - dropped <= tonumber(resume_ms) then
        arrival, entered = kept_arrival, kept_entered
    end
end
local resumed = arrival and 1 or 0
if nobody_idle and resumed == 0 and arrived_ms == now_ms and room <= 0 then
    tell('full', contact, '', queue, band, '|card=' .. card)
    return { 'full', 'ended', 0, ahead, queue, band, 0 }
end

if arrival then
    redis.call('HDEL', book, '~' .. caller_key)
    redis.call('ZREM', due, '~' .. caller_key)
elseif arrived_ms == now_ms then
    arrival = string.format('%.0f', math.max((known[2] or 0) + 1, now_ms * 1000))
    redis.call('HSET', book, '#', arrival)
else
    arrival = string.format('%.0f', old_place())
    if tonumber(known[2] or 0) < tonumber(arrival) then
        redis.call('HSET', book, '#', arrival)
    end
end
local since = arrived_ms == now_ms and '' or '|since=' .. arrived_ms
tell('entered', contact, '', queue, band,
    'arrival=' .. arrival .. '|resumed=' .. resumed .. since .. '||card=' .. card)
local c = { state = 'waiting', queue = queue, passed = '', band = band, fence = 0, agent = '', deadline = 0,
    accepted = 0, head_start = head_start_us, arrival = arrival, entered = entered, answered = 0,
    disposition = '', caller_key = caller_key, card = card }
line_up(contact, c)
if nobody_idle then
    local position = redis.call('ZRANK', here, contact) + 1
    return { 'entered', 'waiting', position, ahead + 1, queue, band, resumed }
end
return { 'reserved', 'reserved', 0, ahead, queue, band, resumed }
