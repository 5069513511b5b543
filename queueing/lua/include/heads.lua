-- The contact with the least score, handicap added, among the heads of an agent's queues. Takes skills from
-- around it; leaves id, nil when nobody waits.
local id, least
for queue, handicap in string.gmatch(skills, '([^=]+)=(%d+),?') do
    local head = redis.call('ZRANGE', waiting_at .. queue, 0, 0, 'WITHSCORES')
    if head[1] then
        local score = head[2] + handicap * 1000
        if not least or score < least then
            id, least = head[1], score
        end
    end
end
