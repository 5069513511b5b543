-- look: the whole line at a glance.
--
-- KEYS  book       hash  pages
-- KEYS  agents     set   who has a page
-- KEYS  waiting[]  zset  contact by score, one per queue
--
-- Returns {{waiting, entered_ms of the oldest or ''} of each queue …, {agent, page, …}}. Writes nothing.
-- The oldest need not stand first: others overtake it by their head start. Whoever stands at or behind its
-- arrival is younger, so the search ends there, or after 1,000 callers. Cost: O(agents + overtakers).

local function oldest_entered(here)
    local arrival, entered
    for start = 0, 900, 100 do
        local ids = redis.call('ZRANGE', here, start, start + 99, 'WITHSCORES')
        for i = 1, #ids, 2 do
            if arrival and tonumber(ids[i + 1]) > arrival then
                return entered
            end
            local its_arrival, its_entered = string.match(redis.call('HGET', book, ids[i]),
                '^[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|([^|]*)|([^|]*)|')
            its_arrival = tonumber(its_arrival)
            if not arrival or its_arrival < arrival then
                arrival, entered = its_arrival, its_entered
            end
        end
        if #ids < 200 then
            break
        end
    end
    return entered or ''
end

local seen = {}
for i, here in ipairs(waiting) do
    seen[i] = { redis.call('ZCARD', here), oldest_entered(here) }
end
local both = {}
for i, who in ipairs(redis.call('SMEMBERS', agents)) do
    both[2 * i - 1], both[2 * i] = who, redis.call('HGET', book, '@' .. who)
end
seen[#seen + 1] = both
return seen
