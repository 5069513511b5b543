-- The pages of the book: one line of fields each, parted by '|', read in queueing/records.py too: keep in
-- step. Fields stay text until a sum is made, so no number is rounded on its way through. What the short
-- ways look at stands first.

local function contact_page(text)
    local state, queue, passed, band, fence, agent, deadline, accepted, head_start, arrival, entered,
        answered, disposition, caller_key, card = string.match(text, '^([^|]*)|([^|]*)|([^|]*)|([^|]*)|'
            .. '([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|(.*)$')
    return { state = state, queue = queue, passed = passed, band = band, fence = fence, agent = agent,
        deadline = deadline, accepted = accepted, head_start = head_start, arrival = arrival,
        entered = entered, answered = answered, disposition = disposition, caller_key = caller_key,
        card = card }
end

local function contact_text(c)
    return c.state .. '|' .. c.queue .. '|' .. c.passed .. '|' .. c.band .. '|' .. c.fence .. '|' .. c.agent
        .. '|' .. c.deadline .. '|' .. c.accepted .. '|' .. c.head_start .. '|' .. c.arrival .. '|'
        .. c.entered .. '|' .. c.answered .. '|' .. c.disposition .. '|' .. c.caller_key .. '|' .. c.card
end

-- A number goes to Redis unrounded; only '..' would round it.
local function score_of(c)
    return c.arrival - c.head_start
end

-- 'with' is the contact, 'queue' and 'fence' its; 'idle' and 'busy' are since when. The deadline is that of
-- the ringing, the joining or the wrap-up, 0 for none: expire looks for it on every agent's page.
local function agent_page(text)
    local presence, deadline, skills, name, phone, misses, busy, since, with, queue, fence, after, idle_since,
        reason = string.match(text, '^([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|'
            .. '([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|(.*)$')
    return { presence = presence, deadline = deadline, skills = skills, name = name, phone = phone,
        misses = misses, busy = busy, since = since, with = with, queue = queue, fence = fence,
        after = after, idle = idle_since, reason = reason }
end

local function agent_text(a)
    return a.presence .. '|' .. a.deadline .. '|' .. a.skills .. '|' .. a.name .. '|' .. a.phone .. '|'
        .. a.misses .. '|' .. a.busy .. '|' .. a.since .. '|' .. a.with .. '|' .. a.queue .. '|' .. a.fence
        .. '|' .. a.after .. '|' .. a.idle .. '|' .. a.reason
end

local function agent_named(who)
    local text = redis.call('HGET', book, '@' .. who)
    return text and agent_page(text)
end

local function write_agent(who, a)
    redis.call('HSET', book, '@' .. who, agent_text(a))
end

local function write_contact(id, c)
    redis.call('HSET', book, id, contact_text(c))
end
