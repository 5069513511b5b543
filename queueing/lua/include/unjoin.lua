-- The two could not be joined, or lost each other: the contact goes back to its place, the agent is free.
local function unjoin(id, c, who, a, why)
    tell('unjoined', id, who, c.queue, c.band,
        'fence=' .. c.fence .. '|from=' .. c.state .. '|why=' .. why .. '|line=' .. a.phone)
    pass(c, who)
    a.idle = now_ms
    line_up(id, c)
    rest(who, a)
end
