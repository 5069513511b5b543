-- page: some of those waiting in one queue, in order.
--
-- KEYS  book   hash  pages
-- KEYS  here   zset  contact by score: the queue
-- ARGV  start  int   from 0
-- ARGV  count  int   1000 at most
--
-- Returns {contact, page, …}. Writes nothing. Cost: O(log N + count).

local ids = redis.call('ZRANGE', here, start, start + math.min(count, 1000) - 1)
if #ids == 0 then
    return {}
end
local pages, both = redis.call('HMGET', book, unpack(ids)), {}
for i, id in ipairs(ids) do
    both[2 * i - 1], both[2 * i] = id, pages[i]
end
return both
