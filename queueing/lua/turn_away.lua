-- turn_away: the outcome of a call that is not in the line goes on record, once. Is the call over too, it has
-- an ended page from then on, so that no door that comes late brings it into the line.
--
-- KEYS  book         hash    pages
-- KEYS  due          zset    when to look again
-- KEYS  journal      stream  what happened, in order
-- KEYS  away         string  this call's outcome is on record
-- ARGV  contact      str
-- ARGV  disposition  str
-- ARGV  over         int     1: the call is over
-- ARGV  since_ms     int     when it began; 0: not known
-- ARGV  card         str     JSON, carried and never read
-- ARGV  now_ms       int
-- ARGV  forget_ms    int
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE newcomer   ticket, keep_clock, newcomer, since, tell_entered
--
-- Returns 'done', 'already' (its outcome was on record) or 'refused' (it is in the line: it leaves there).
-- Cost: O(log N); 5 calls.

local known = redis.call('HGET', book, contact)
if known then
    return contact_page(known).state == 'ended' and 'already' or 'refused'
end
if over == 1 then
    local c = newcomer('', '', 0, string.format('%.0f', now_ms * 1000), now_ms, '', card)
    c.state, c.disposition, c.deadline = 'ended', disposition, now_ms + forget_ms
    write_contact(contact, c)
    redis.call('ZADD', due, c.deadline, contact)
end
if not redis.call('SET', away, '1', 'NX', 'PX', forget_ms) then
    return 'already'
end
if disposition ~= 'full' then -- which enter has told already
    local since = since_ms > 0 and '|since=' .. string.format('%.0f', since_ms) or ''
    tell('turned_away', contact, '', '', '', 'disposition=' .. disposition .. since .. '||card=' .. card)
end
return 'done'
