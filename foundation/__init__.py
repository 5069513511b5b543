"""What every package stands on: the clock, Lua files by name, connections, errors.

No word of the trade is spoken here.
"""
