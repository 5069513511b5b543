-- The talk is over for the agent, who writes down what was said.
local function wrap_up(who, a, band)
    a.presence, a.since, a.deadline = 'wrap_up', now_ms, now_ms + wrap_up_ms
    write_agent(who, a)
    tell('wrap_up', a.with, who, a.queue, band, 'deadline=' .. a.deadline)
end
