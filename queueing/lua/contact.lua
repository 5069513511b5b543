-- contact: one contact as it stands.
--
-- KEYS  book       hash  pages
-- KEYS  waiting[]  zset  contact by score, one per queue
-- ARGV  contact    str
-- INCLUDE queues     waiting_at
--
-- Returns nil, or {page, position from 1, or 0 when it does not wait}. Writes nothing. Cost: O(log N).

local page = redis.call('HGET', book, contact)
if not page then
    return nil
end
local state, queue = string.match(page, '^([^|]*)|([^|]*)|')
return { page, state == 'waiting' and redis.call('ZRANK', waiting_at .. queue, contact) + 1 or 0 }
