local function least_head(skills)
    -- INCLUDE heads
    return id
end

