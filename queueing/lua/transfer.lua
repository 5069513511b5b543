-- transfer: to another queue, or to a colleague in the same one. The age is kept.
--
-- KEYS  book           hash    pages
-- KEYS  due            zset    when to look again
-- KEYS  journal        stream  what happened, in order
-- KEYS  waiting[]      zset    contact by score, one per queue
-- KEYS  idle           zset    who idles, for which queue (see include/match.lua)
-- ARGV  contact        str
-- ARGV  queue          str     where to
-- ARGV  band           str     '' keeps the band and with it the score
-- ARGV  head_start_us  str     of the band
-- ARGV  fence          int     which reservation is meant, when connected; 0 for whichever
-- ARGV  now_ms         int
-- ARGV  ring_ms        int
-- ARGV  wrap_up_ms     int
-- ARGV  ask_again_ms   int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- INCLUDE wrap_up
-- MOVES waiting -> waiting
-- MOVES connected -> waiting
-- MOVES waiting -> reserved
-- MOVES ready -> reserved
-- MOVES talking -> wrap_up
--
-- Returns 'done', 'already' (it waits there, or is reserved from there), 'refused' (reserved elsewhere: the
-- agent decides first), 'stale' (ended, or another reservation) or 'gone'. Cost: O(log N).

local text = redis.call('HGET', book, contact)
if not text then
    return 'gone'
end
local c = contact_page(text)
local state, from_queue, from_band, who = c.state, c.queue, c.band, c.agent
if state == 'ended' or (fence ~= 0 and state == 'connected' and tonumber(c.fence) ~= fence) then
    return 'stale'
end
local there = from_queue == queue and (band == '' or band == from_band)
if state ~= 'connected' and there then
    return 'already'
end
if state == 'reserved' then
    return 'refused'
end

c.queue, c.passed, c.agent = queue, '', ''
if band ~= '' then
    c.band, c.head_start = band, head_start_us
end
tell('transferred', contact, who, queue, c.band,
    'from=' .. state .. '|from_queue=' .. from_queue .. '|from_band=' .. from_band .. '|to=' .. queue)
if state == 'waiting' then
    redis.call('ZREM', waiting_at .. from_queue, contact)
else
    pass(c, who)
    wrap_up(who, agent_named(who), c.band)
end
line_up(contact, c)
return 'done'
