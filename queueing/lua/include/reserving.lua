-- The agent is asked for the contact until a deadline. Takes from around it: id, contact (its page, as
-- text) and what INCLUDE asking read of it, who, lasting (what stays of the agent's page, from skills to busy), phone, idle_since, and
-- from_line: whether the contact stands in its queue. Leaves the line to tell in asked.
local deadline = now_ms + ring_ms .. ''
fence = fence == '0' and '1' or fence + 1 .. ''
if from_line then
    redis.call('ZREM', waiting_at .. queue, id)
end
redis.call('HSET', book,
    id, 'reserved|' .. queue .. '|' .. passed .. '|' .. band .. '|' .. fence .. '|' .. who .. '|' .. deadline
        .. '|0' .. string.sub(contact, rest),
    '@' .. who, 'reserved|' .. deadline .. lasting .. now_ms .. '|' .. id .. '|' .. queue .. '|' .. fence
        .. '||' .. idle_since .. '|')
local asked = now_ms .. '|' .. id .. '|' .. who .. '|' .. queue .. '|' .. band .. '|fence=' .. fence
    .. '|deadline=' .. deadline .. '|line=' .. phone
