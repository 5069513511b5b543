-- How an agent comes to rest: away or off, or ready again after a contact.

-- What the agent did comes to an end; after a wrap-up the line says how long the contact took it in all.
local function turn_to(who, a, presence, reason)
    if a.presence == 'wrap_up' then
        tell('agent_' .. presence, a.with, who, a.queue, '', 'from=wrap_up|wrap_ms=' .. now_ms - a.since
            .. '|handling_ms=' .. now_ms - a.busy .. '||reason=' .. reason)
    else
        tell('agent_' .. presence, '', who, '', '', 'from=' .. a.presence .. '||reason=' .. reason)
    end
end

local function stand_down(who, a, presence, reason)
    turn_to(who, a, presence, reason)
    a.presence, a.since, a.with, a.queue, a.fence, a.deadline = presence, now_ms, '', '', 0, 0
    a.after, a.reason, a.misses = '', reason, 0
    write_agent(who, a)
end

-- Done with a contact: what the agent asked for meanwhile comes first.
local function rest(who, a)
    if a.after ~= '' then
        return stand_down(who, a, a.after, a.reason)
    end
    free(who, a)
end
