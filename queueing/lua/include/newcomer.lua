-- Joining the line elsewhere than by 'enter'.

-- A new ticket. The arrival clock never stands still nor goes back; last is what it shows.
local function ticket(last)
    return string.format('%.0f', math.max((last or 0) + 1, now_ms * 1000))
end

-- The clock is never behind a ticket in the line, so who comes next stands behind it.
local function keep_clock(last, arrival)
    if tonumber(last or 0) < tonumber(arrival) then
        redis.call('HSET', book, '#', arrival)
    end
end

local function newcomer(queue, band, head_start, arrival, entered, caller_key, card)
    return { state = 'waiting', queue = queue, passed = '', band = band, fence = 0, agent = '', deadline = 0,
        accepted = 0, head_start = head_start, arrival = arrival, entered = entered, answered = 0,
        disposition = '', caller_key = caller_key, card = card }
end

-- It has waited before, unknown to the line.
local function since(c)
    return tonumber(c.entered) == now_ms and '' or '|since=' .. c.entered
end

local function tell_entered(id, c, resumed, more)
    tell('entered', id, '', c.queue, c.band,
        'arrival=' .. c.arrival .. '|resumed=' .. resumed .. more .. '||card=' .. c.card)
end
