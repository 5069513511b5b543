-- One line of the journal: its kind, then 'at|contact|agent|queue|band|name=value|…'. What may hold a '|'
-- itself comes last, after '||'. Read in queueing/journal.py: keep in step.
local function tell(kind, id, who, queue, band, more)
    redis.call('XADD', journal, '*', kind,
        now_ms .. '|' .. id .. '|' .. who .. '|' .. queue .. '|' .. band .. '|' .. more)
end
