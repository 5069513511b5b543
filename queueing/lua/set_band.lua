-- set_band: another head start for a contact that waits or is reserved. The arrival stays.
--
-- KEYS  book           hash    pages
-- KEYS  journal        stream  what happened, in order
-- KEYS  waiting[]      zset    contact by score, one per queue
-- ARGV  contact        str
-- ARGV  band           str
-- ARGV  head_start_us  str     of the band
-- ARGV  now_ms         int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- MOVES waiting -> waiting
--
-- Returns 'done', 'already', 'refused' (connected), 'stale' (ended) or 'gone'. Cost: O(log N); 4 calls.

local text = redis.call('HGET', book, contact)
if not text then
    return 'gone'
end
local c = contact_page(text)
if c.state == 'ended' then
    return 'stale'
end
if c.band == band then
    return 'already'
end
if c.state == 'connected' then
    return 'refused'
end
local from = c.band
c.band, c.head_start = band, head_start_us
if c.state == 'waiting' then
    redis.call('ZADD', waiting_at .. c.queue, score_of(c), contact)
end
write_contact(contact, c)
tell('band_changed', contact, c.agent, c.queue, band, 'from_band=' .. from)
return 'done'
