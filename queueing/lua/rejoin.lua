-- rejoin: into the line at a given ticket. As many as may wait are no limit to who has a place already.
--
-- KEYS  book           hash    pages
-- KEYS  due            zset    when to look again
-- KEYS  journal        stream  what happened, in order
-- KEYS  waiting[]      zset    contact by score, one per queue
-- KEYS  idle           zset    who idles, for which queue (see include/match.lua)
-- ARGV  contact        str
-- ARGV  queue          str
-- ARGV  band           str
-- ARGV  head_start_us  str     of the band
-- ARGV  arrival_us     str     the ticket; '0' for a new one
-- ARGV  entered_ms     str     since when it waits
-- ARGV  card           str     JSON, carried and never read
-- ARGV  now_ms         int
-- ARGV  ring_ms        int
-- ARGV  ask_again_ms   int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- INCLUDE newcomer   ticket, keep_clock, newcomer, since, tell_entered
-- INCLUDE told_of
-- MOVES waiting -> reserved
-- MOVES ready -> reserved
--
-- Returns {outcome, state, position, waiting, queue, band, resumed, arrival}: 'entered', 'reserved' (an agent
-- is asked at once) or 'already' (nothing changed). Cost: O(log N).

local known = redis.call('HMGET', book, contact, '#')
if known[1] then
    return told_of(contact, 'already', 0)
end
local arrival = arrival_us == '0' and ticket(known[2]) or arrival_us
keep_clock(known[2], arrival)
local c = newcomer(queue, band, head_start_us, arrival, entered_ms, '', card)
tell_entered(contact, c, 0, since(c))
line_up(contact, c)
local told = told_of(contact, 'entered', 0)
if told[2] == 'reserved' then
    told[1] = 'reserved'
end
return told
