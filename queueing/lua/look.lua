-- look: the whole line at a glance.
--
-- KEYS  book       hash  pages
-- KEYS  agents     set   who has a page
-- KEYS  waiting[]  zset  contact by score, one per queue
-- INCLUDE is_turn
--
-- Returns {{waiting, entered_ms of the oldest caller or '', turns of callbacks} of each queue …, {agent, page,
-- …}}. Writes nothing.
-- The oldest need not stand first: others overtake it by their head start. Whoever stands at or behind its
-- arrival is younger, so the search ends there, or after 1,000 callers. Turns wait, but do not hold on.
-- Cost: O(agents + overtakers + turns), and a walk over the names of the waiting that the server makes itself.

local function oldest_entered(here)
    local arrival, entered
    local start, read = 0, 0
    while read < 1000 do
        local ids = redis.call('ZRANGE', here, start, start + 99, 'WITHSCORES')
        for i = 1, #ids, 2 do
            if arrival and tonumber(ids[i + 1]) > arrival then
                return entered
            end
            if not is_turn(ids[i]) then
                read = read + 1
                local its_arrival, its_entered = string.match(redis.call('HGET', book, ids[i]),
                    '^[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|([^|]*)|([^|]*)|')
                its_arrival = tonumber(its_arrival)
                if not arrival or its_arrival < arrival then
                    arrival, entered = its_arrival, its_entered
                end
            end
        end
        if #ids < 200 then
            break
        end
        start = start + 100
    end
    return entered or ''
end

local function count_turns(here)
    local cursor, count = '0', 0
    repeat
        local found = redis.call('ZSCAN', here, cursor, 'MATCH', 'PR*', 'COUNT', 10000)
        cursor, count = found[1], count + #found[2] / 2
    until cursor == '0'
    return count
end

local seen = {}
for i, here in ipairs(waiting) do
    seen[i] = { redis.call('ZCARD', here), oldest_entered(here), count_turns(here) }
end
local both = {}
for i, who in ipairs(redis.call('SMEMBERS', agents)) do
    both[2 * i - 1], both[2 * i] = who, redis.call('HGET', book, '@' .. who)
end
seen[#seen + 1] = both
return seen
