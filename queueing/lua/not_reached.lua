-- not_reached: the merchant was dialled and not reached. The turn ends; its agent writes that down.
--
-- KEYS  book        hash    pages
-- KEYS  due         zset    when to look again
-- KEYS  journal     stream  what happened, in order
-- ARGV  turn        str     the contact that stands for the promise
-- ARGV  fence       int     which reservation of the turn is meant
-- ARGV  now_ms      int
-- ARGV  wrap_up_ms  int
-- ARGV  forget_ms   int
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE close
-- INCLUDE wrap_up
-- MOVES reserved -> ended
-- MOVES talking -> wrap_up
--
-- Returns 'done', 'already' (ended), 'stale' (its agent has not said yes, another reservation, or they talk) or
-- 'gone'. Cost: 7 calls.

local text = redis.call('HGET', book, turn)
if not text then
    return 'gone'
end
local c = contact_page(text)
if c.state == 'ended' then
    return 'already'
end
if c.state ~= 'reserved' or c.accepted ~= '1' or tonumber(c.fence) ~= fence then
    return 'stale'
end
close(turn, c, 'not_reached')
wrap_up(c.agent, agent_named(c.agent), c.band)
return 'done'
