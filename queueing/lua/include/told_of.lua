-- What an asker is told of a contact that has a page, as it stands now.
local function told_of(id, outcome, resumed)
    local c = contact_page(redis.call('HGET', book, id))
    local here = waiting_at .. c.queue
    local position = c.state == 'waiting' and redis.call('ZRANK', here, id) + 1 or 0
    return { outcome, c.state, position, redis.call('ZCARD', here), c.queue, c.band, resumed, c.arrival }
end
