-- promise: the caller will be rung back. The contact ends, and the promise's turn takes exactly its place.
--
-- KEYS  book          hash    pages
-- KEYS  due           zset    when to look again
-- KEYS  journal       stream  what happened, in order
-- KEYS  waiting[]     zset    contact by score, one per queue
-- KEYS  idle          zset    who idles, for which queue (see include/match.lua)
-- ARGV  contact       str
-- ARGV  turn          str     the contact that stands for the promise
-- ARGV  card          str     JSON, the turn's
-- ARGV  now_ms        int
-- ARGV  ring_ms       int
-- ARGV  forget_ms     int
-- ARGV  ask_again_ms  int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- INCLUDE close
-- INCLUDE newcomer   ticket, keep_clock, newcomer, since, tell_entered
-- INCLUDE told_of
-- MOVES waiting -> ended
-- MOVES waiting -> reserved
-- MOVES ready -> reserved
--
-- Returns {outcome, state, position, waiting, queue, band, resumed, arrival}: 'entered' (of the turn; an agent
-- who had passed on the contact and idles is asked for it at once), 'already' (the turn is known), and with
-- nothing changed 'reserved' (an agent is asked for the contact, or talks with it), 'ended' or 'gone', which
-- tell of the contact. Cost: O(log N).

local known = redis.call('HMGET', book, contact, turn)
if known[2] then
    return told_of(turn, 'already', 0)
end
if not known[1] then
    return { 'gone', 'ended', 0, 0, '', '', 0, '0' }
end
local c = contact_page(known[1])
if c.state ~= 'waiting' then
    return told_of(contact, c.state == 'ended' and 'ended' or 'reserved', 0)
end
redis.call('ZREM', waiting_at .. c.queue, contact)
close(contact, c, 'promised')
local t = newcomer(c.queue, c.band, c.head_start, c.arrival, c.entered, '', card)
tell_entered(turn, t, 0, '')
line_up(turn, t)
return told_of(turn, 'entered', 0)
