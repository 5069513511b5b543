-- A queue's key is the stem of its group and the queue's name. All of them are in KEYS.
local waiting_at = string.match(waiting[1], '.*:')
