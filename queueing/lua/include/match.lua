-- INCLUDE least_head
-- Bringing contacts and agents together. After every script the rule holds again: no agent is idle while a
-- contact waits that it serves and has not passed on.

local function reserve(id, contact, who, a, from_line, more)
    local phone, idle_since = a.phone, a.idle
    local lasting = '|' .. a.skills .. '|' .. a.name .. '|' .. phone .. '|' .. a.misses .. '|'
        .. a.busy .. '|'
    -- INCLUDE asking
    -- INCLUDE reserving
    redis.call('XADD', journal, '*', 'reserved', asked .. (more or ''))
end

local function pass(c, who)
    if not has_passed(c.passed, who) then
        c.passed = (c.passed == '' and ',' or c.passed) .. who .. ','
    end
end

-- An idle agent stands in idle once for each of its queues, as 'support 0001700000000000 ann': the time is
-- idle since, and the handicap. All scores are equal, so the names are in order, and within a queue the
-- longest idle comes first.
local function idle_names(who, a)
    local names = {}
    for queue, handicap in string.gmatch(a.skills, '([^=]+)=(%d+),?') do
        names[#names + 1] = queue .. string.format(' %016.0f ', a.idle + handicap) .. who
    end
    return names
end

local function unidle(who, a)
    local names = idle_names(who, a)
    if #names > 0 then
        redis.call('ZREM', idle, unpack(names))
    end
end

-- The agent idle longest in the contact's queue (handicaps counted) who has not passed on it.
local function idle_agent(c)
    local last = 0
    if c.passed ~= '' then
        local _, commas = string.gsub(c.passed, ',', '')
        last = commas - 1 -- one more than have passed
        if string.find(c.passed, ',!', 1, true) then
            last = -2 -- kept for one: all are looked at
        end
    end
    local from, to = '[' .. c.queue .. ' ', '(' .. c.queue .. '!'
    for _, name in ipairs(redis.call('ZRANGEBYLEX', idle, from, to, 'LIMIT', 0, last + 1)) do
        local who = string.match(name, '[^ ]*$', #c.queue + 19)
        if not has_passed(c.passed, who) then
            return who
        end
    end
end

-- A contact is to be served: by an idle agent now, else from its place in the line.
local function line_up(id, c)
    local who = idle_agent(c)
    if who then
        local a = agent_named(who)
        unidle(who, a)
        return reserve(id, contact_text(c), who, a, false)
    end
    c.state, c.agent, c.accepted, c.deadline = 'waiting', '', 0, 0
    redis.call('ZADD', waiting_at .. c.queue, score_of(c), id)
    if c.passed ~= '' then
        c.deadline = now_ms + ask_again_ms
        redis.call('ZADD', due, c.deadline, id)
    else
        redis.call('ZREM', due, id)
    end
    write_contact(id, c)
end

-- Seldom: the agent has passed on the one least_head found. Looks behind it, in each queue.
local function least_unpassed(who, skills)
    local id, least
    for queue, handicap in string.gmatch(skills, '([^=]+)=(%d+),?') do
        local offset, head = -1, nil
        repeat
            offset = offset + 1
            head = redis.call('ZRANGE', waiting_at .. queue, offset, offset, 'WITHSCORES')
        until not head[1] or not has_passed(contact_page(redis.call('HGET', book, head[1])).passed, who)
        if head[1] then
            local score = head[2] + handicap * 1000
            if not least or score < least then
                id, least = head[1], score
            end
        end
    end
    return id
end

-- The agent is free: takes the next contact, and it is told with more; or idles in each of its queues, and
-- that is returned.
local function free(who, a, more)
    local id = least_head(a.skills)
    local page = id and redis.call('HGET', book, id)
    if page and has_passed(contact_page(page).passed, who) then
        id = least_unpassed(who, a.skills)
        page = id and redis.call('HGET', book, id)
    end
    if id then
        reserve(id, page, who, a, true, more)
        return false
    end
    if a.presence ~= 'ready' then
        a.presence, a.since = 'ready', now_ms
    end
    a.with, a.queue, a.fence, a.deadline, a.after, a.reason = '', '', 0, 0, '', ''
    for _, name in ipairs(idle_names(who, a)) do
        redis.call('ZADD', idle, 0, name)
    end
    write_agent(who, a)
    return true
end
