-- expire: look at what has fallen due, the oldest first. A missed reservation or a failed join sends the
-- contact back to its place, a wrap-up ends, kept places and ended contacts are forgotten, and a contact
-- that every agent at work has passed on is offered to them again. Whoever becomes free is matched.
--
-- KEYS  book          hash    pages
-- KEYS  agents        set     who has a page
-- KEYS  due           zset    contacts and kept places, by when to look at them
-- KEYS  journal       stream  what happened, in order
-- KEYS  waiting[]     zset    contact by score, one per queue
-- KEYS  idle          zset    who idles, for which queue (see include/match.lua)
-- ARGV  now_ms        int
-- ARGV  limit         int     so many at most
-- ARGV  ring_ms       int
-- ARGV  ask_again_ms  int
-- ARGV  max_misses    int
-- INCLUDE queues     waiting_at
-- INCLUDE tell
-- INCLUDE pages      contact_page, agent_page and back
-- INCLUDE has_passed
-- INCLUDE match      reserve, pass, unidle, line_up, free
-- INCLUDE rest
-- INCLUDE unjoin
-- MOVES reserved -> waiting
-- MOVES waiting -> reserved
-- MOVES reserved -> ready
-- MOVES reserved -> away
-- MOVES talking -> ready
-- MOVES talking -> away
-- MOVES talking -> off
-- MOVES wrap_up -> ready
-- MOVES wrap_up -> away
-- MOVES wrap_up -> off
-- MOVES ready -> reserved
--
-- Returns {kind, contact, agent, …} of what came to something. An agent's deadline stands on its page, the
-- others' in due. Cost: O(agents + limit log N).

local happened = {}
local function note(kind, id, who)
    local n = #happened
    happened[n + 1], happened[n + 2], happened[n + 3] = kind, id, who
end

local function pages_of_agents()
    local names, pages = redis.call('SMEMBERS', agents), {}
    for first = 1, #names, 500 do
        local fields = {}
        for i = first, math.min(first + 499, #names) do
            fields[#fields + 1] = '@' .. names[i]
        end
        for i, page in ipairs(redis.call('HMGET', book, unpack(fields))) do
            pages[names[first + i - 1]] = page
        end
    end
    return pages
end

-- Who is neither off nor away, with their skills; read when needed, and again when somebody stood down.
local at_work
local function everyone_at_work()
    if not at_work then
        at_work = {}
        for who, page in pairs(pages_of_agents()) do
            local presence, skills = string.match(page, '^([^|]*)|[^|]*|([^|]*)|')
            if presence ~= 'off' and presence ~= 'away' then
                at_work[who] = ',' .. skills
            end
        end
    end
    return at_work
end

local function all_have_passed(c)
    local somebody = false
    for who, skills in pairs(everyone_at_work()) do
        if string.find(skills, ',' .. c.queue .. '=', 1, true) then
            somebody = true
            if not has_passed(c.passed, who) then
                return false
            end
        end
    end
    return somebody
end

local function missed(id, c, who, a)
    a.misses = a.misses + 1
    tell('missed', id, who, c.queue, c.band,
        'fence=' .. c.fence .. '|misses=' .. a.misses .. '|line=' .. a.phone)
    note('missed', id, who)
    pass(c, who)
    line_up(id, c)
    if a.misses >= max_misses then
        stand_down(who, a, 'away', 'missed')
    else
        a.idle = now_ms
        free(who, a)
    end
end

local function look_at_agent(who)
    local a = agent_named(who)
    if tonumber(a.deadline) == 0 or tonumber(a.deadline) > now_ms then
        return -- moved on while this script ran
    end
    at_work = nil
    if a.presence == 'wrap_up' then
        note('wrapped', a.with, who)
        if a.after == '' then
            turn_to(who, a, 'ready', '')
            a.idle = now_ms
        end
        return rest(who, a)
    end
    local c = contact_page(redis.call('HGET', book, a.with))
    if a.presence == 'reserved' then
        return missed(a.with, c, who, a)
    end
    note('unjoined', a.with, who)
    unjoin(a.with, c, who, a, 'late')
end

local function reconsider(id, c)
    if all_have_passed(c) then
        c.passed = ''
        tell('reopened', id, '', c.queue, c.band, '')
        note('reopened', id, '')
        redis.call('ZREM', waiting_at .. c.queue, id)
        line_up(id, c)
    else
        c.deadline = now_ms + ask_again_ms
        write_contact(id, c)
        redis.call('ZADD', due, c.deadline, id)
    end
end

local function look_at_contact(id)
    local page = redis.call('HGET', book, id)
    local c = page and contact_page(page)
    if c and (c.state == 'ended' or c.state == 'waiting') and tonumber(c.deadline) > now_ms then
        return -- moved on while this script ran
    end
    if c and c.state == 'waiting' and c.passed ~= '' then
        return reconsider(id, c)
    end
    redis.call('ZREM', due, id)
    if c and c.state == 'ended' then
        redis.call('HDEL', book, id, '?' .. id)
        note('forgotten', id, '')
    end
end

local items = {}
for who, page in pairs(pages_of_agents()) do
    local deadline = tonumber(string.match(page, '^[^|]*|([^|]*)|'))
    if deadline > 0 and deadline <= now_ms then
        items[#items + 1] = { deadline, '@' .. who }
    end
end
local fields = redis.call('ZRANGEBYSCORE', due, '-inf', now_ms, 'WITHSCORES', 'LIMIT', 0, limit)
for i = 1, #fields, 2 do
    items[#items + 1] = { tonumber(fields[i + 1]), fields[i] }
end
table.sort(items, function(one, other)
    return one[1] < other[1] or one[1] == other[1] and one[2] < other[2]
end)

for i = 1, math.min(limit, #items) do
    local field = items[i][2]
    local kind, id = string.sub(field, 1, 1), string.sub(field, 2)
    if kind == '@' then
        look_at_agent(id)
    elseif kind == '~' then
        redis.call('HDEL', book, field)
        redis.call('ZREM', due, field)
        note('lapsed', id, '')
    else
        look_at_contact(field)
    end
end
return happened
