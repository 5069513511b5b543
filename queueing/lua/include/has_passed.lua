-- The agents who passed on a contact stand on its page as ',ann,bob,'.
local function has_passed(passed, who)
    return passed ~= '' and string.find(passed, ',' .. who .. ',', 1, true)
end
