-- How a contact ends. Its page stays for late webhooks until it is forgotten, with the agent who answered.
local function close(id, c, disposition)
    local waited, talked = now_ms - c.entered, 0
    if c.state == 'connected' then
        waited, talked = c.answered - c.entered, now_ms - c.answered
    end
    c.state, c.disposition, c.deadline, c.passed = 'ended', disposition, now_ms + forget_ms, ''
    write_contact(id, c)
    redis.call('ZADD', due, c.deadline, id)
    tell('ended', id, c.agent, c.queue, c.band,
        'disposition=' .. disposition .. '|wait_ms=' .. waited .. '|talk_ms=' .. talked)
end
