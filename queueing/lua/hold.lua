-- hold: one question of a caller's hold loop: where do I stand? The same question again is answered from
-- what it was answered from at first.
--
-- KEYS  book       hash  pages
-- KEYS  waiting[]  zset  contact by score, one per queue
-- ARGV  contact    str
-- ARGV  ask        str   fingerprint of the question, without '|'
-- ARGV  facts      str   kept beside the answer, never read
-- ARGV  now_ms     str   text here, because it is only copied
-- INCLUDE queues     waiting_at
--
-- Returns nil for an unknown contact, else {repeat, 'ask|asked_ms|state|queue|band|agent|entered_ms|
-- arrival|position|waiting|facts'}. An ended contact's question is not kept. Cost: O(log N); 4 calls.

local known = redis.call('HMGET', book, contact, '?' .. contact)
if not known[1] then
    return nil
end
if known[2] and string.sub(known[2], 1, #ask + 1) == ask .. '|' then
    return { 1, known[2] }
end
local state, queue, band, agent, arrival, entered = string.match(known[1],
    '^([^|]*)|([^|]*)|[^|]*|([^|]*)|[^|]*|([^|]*)|[^|]*|[^|]*|[^|]*|([^|]*)|([^|]*)|')
local here = waiting_at .. queue
local position = state == 'waiting' and redis.call('ZRANK', here, contact) + 1 or 0
local answer = ask .. '|' .. now_ms .. '|' .. state .. '|' .. queue .. '|' .. band .. '|' .. agent .. '|'
    .. entered .. '|' .. arrival .. '|' .. position .. '|' .. redis.call('ZCARD', here) .. '|' .. facts
if state ~= 'ended' then
    redis.call('HSET', book, '?' .. contact, answer)
end
return { 0, answer }
