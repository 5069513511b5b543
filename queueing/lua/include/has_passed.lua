-- The agents who passed on a contact stand on its page as ',ann,bob,'. Of one that is kept for ann it says
-- ',!ann,': all others have passed, until she has too.
local function has_passed(passed, who)
    if passed == '' then
        return false
    end
    local kept_for = string.match(passed, '^,!([^,]*),')
    return (kept_for and kept_for ~= who) or string.find(passed, ',' .. who .. ',', 1, true)
end
