-- A callback's turn is called PR…, see queueing/names.py.
local function is_turn(id)
    return string.sub(id, 1, 2) == 'PR'
end
