-- roll: everyone who has a page, whatever their presence.
--
-- KEYS  book    hash  pages
-- KEYS  agents  set   who has a page
--
-- Returns {agent, page, …} in no order. Writes nothing. Cost: O(agents).

local both = {}
for i, who in ipairs(redis.call('SMEMBERS', agents)) do
    both[2 * i - 1], both[2 * i] = who, redis.call('HGET', book, '@' .. who)
end
return both
