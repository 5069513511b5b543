-- position: where a contact stands in its queue.
--
-- KEYS  book       hash  pages
-- KEYS  waiting[]  zset  contact by score, one per queue
-- ARGV  contact    str
-- INCLUDE queues     waiting_at
--
-- Returns the position from 1, or nil when it does not wait. Writes nothing. Cost: O(log N); 2 calls.

local page = redis.call('HGET', book, contact)
if not page then
    return nil
end
local state, queue = string.match(page, '^([^|]*)|([^|]*)|')
if state ~= 'waiting' then
    return nil
end
return redis.call('ZRANK', waiting_at .. queue, contact) + 1
