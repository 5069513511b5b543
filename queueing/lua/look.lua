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
-- Cost: O(agents + waiting): a page is read of each overtaker only, of the others the name.

local function seen_in(here)
    local arrival, entered, pages, turns, searching = nil, '', 0, 0, true
    for start = 0, redis.call('ZCARD', here) - 1, 500 do
        local ids = redis.call('ZRANGE', here, start, start + 499, 'WITHSCORES')
        for i = 1, #ids, 2 do
            if is_turn(ids[i]) then
                turns = turns + 1
            elseif searching then
                searching = pages < 1000 and not (arrival and tonumber(ids[i + 1]) > arrival)
                if searching then
                    pages = pages + 1
                    local its_arrival, its_entered = string.match(redis.call('HGET', book, ids[i]),
                        '^[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|([^|]*)|([^|]*)|')
                    its_arrival = tonumber(its_arrival)
                    if not arrival or its_arrival < arrival then
                        arrival, entered = its_arrival, its_entered
                    end
                end
            end
        end
    end
    return { redis.call('ZCARD', here), entered, turns }
end

local seen = {}
for i, here in ipairs(waiting) do
    seen[i] = seen_in(here)
end
local both = {}
for i, who in ipairs(redis.call('SMEMBERS', agents)) do
    both[2 * i - 1], both[2 * i] = who, redis.call('HGET', book, '@' .. who)
end
seen[#seen + 1] = both
return seen
