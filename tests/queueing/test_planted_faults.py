"""Does the pencil line notice? Each fault is planted in the Lua text, and must be found."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from redis.exceptions import ResponseError

import queueing.scripts
from foundation.lua import Script, load
from queueing.drawing import scripts
from tests.queueing.stage import staged, wander

FAULTS: dict[str, tuple[str, str, str]] = {
    # What is wrong: in which script ("*": in all that have it), the text, and what stands there instead.
    "a caller who is asked for stays in the line": (
        "*",
        "redis.call('ZREM', waiting_at .. queue, id)",
        "",
    ),
    "a new ticket after a decline": (
        "decline",
        "pass(c, agent)",
        "c.arrival = ('%.0f'):format(c.arrival + 1) pass(c, agent)",
    ),
    "a repeated enter is a new contact": ("enter", "known[1]", "nil"),
    "the arrival clock stands still": ("enter", "last + 1", "last + 0"),
    "last come, first served": (
        "enter",
        "arrival - head_start_us, contact",
        "head_start_us - arrival, contact",
    ),
    "the head start is ignored": ("enter", "arrival - head_start_us, contact", "arrival, contact"),
    "a contact's handicap is ignored": ("*", "head[2] + handicap * 1000", "head[2] + 0"),
    "an idle agent's handicap is ignored": ("*", "a.idle + handicap", "a.idle + 0"),
    "an agent stays idle in its other queues": (
        "*",
        "redis.call('ZREM', idle, unpack(names))",
        "redis.call('ZREM', idle, names[1])",
    ),
    "an acceptance is not in the journal": ("accept", "tell('accepted'", "string.format('accepted'"),
    "a contact is asked for without a line": (
        "enter",
        "redis.call('XADD', journal, '*', 'reserved', asked .. (more or ''))",
        "",
    ),
    "a wrap-up never ends": ("finish", "now_ms + wrap_up_ms", "0"),
    "one more than may wait": ("enter", "room > 0", "room >= 0"),
    "an old reservation can be accepted": ("accept", "or tonumber(c.fence) ~= fence", ""),
    "an old reservation can be declined": ("decline", "and tonumber(c.fence) == fence", ""),
    "the second miss is forgiven": ("expire", "a.misses >= max_misses", "a.misses > max_misses"),
    "misses are not forgotten on a yes": ("accept", "c.deadline, 0", "c.deadline, a.misses"),
    "who passed is asked again": ("*", "if passed == '' then", "if passed ~= '-' then"),
    "whom all passed on is stranded": ("expire", "return somebody", "return false"),
    "a caller who leaves keeps the agent": ("leave", "    rest(who, a)", ""),
    "a caller's leaving costs the agent its turn": (
        "leave",
        "    rest(who, a)",
        "a.idle = now_ms rest(who, a)",
    ),
    "a transfer begins anew": (
        "transfer",
        "line_up(contact, c)",
        "c.arrival = now_ms .. '999' line_up(contact, c)",
    ),
    "who transfers it gets it back": ("transfer", "    pass(c, who)", ""),
    "the ended are never forgotten": ("expire", "redis.call('HDEL', book, id, '?' .. id)", ""),
    "hold questions are never forgotten": ("expire", "book, id, '?' .. id", "book, id"),
    "a repeated question is answered anew": ("hold", "return { 1, known[2] }", ""),
    "who waited unseen comes last": (
        "enter",
        "'%.0f', old_place())\n    if",
        "'%.0f', now_ms * 1000)\n    if",
    ),
    "whoever waits and came earlier stays behind": (
        "enter",
        "redis.call('ZADD', here, score_of(c), contact)",
        "",
    ),
    "who came later is moved back": ("enter", "old_place() < tonumber(c.arrival)", "true"),
    "a place is kept too long": ("enter", "if now_ms - dropped <= tonumber(resume_ms)", "if true"),
    "a free agent does not look at the line": ("*", "local id = least_head(a.skills)", "local id = nil"),
    "a wish to rest is forgotten": ("*", "if a.after ~= ''", "if a.after == '-'"),
    "an agent away is still asked": ("stand_down", "unidle(agent, a)", "local _ = agent"),
    "who goes away takes the contact along": ("stand_down", "    line_up(id, c)", ""),
    "the younger deadline first": ("expire", "one[1] < other[1]", "one[1] > other[1]"),
    "more than asked for at once": ("expire", "math.min(limit, #items)", "#items"),
    "a band change keeps its place": ("set_band", "score_of(c), contact)", "0 + c.arrival, contact)"),
    "a promise gives a new arrival": (
        "promise",
        "c.head_start, c.arrival",
        "c.head_start, string.format('%.0f', c.arrival + 1)",
    ),
    "a promise forgets since when it waits": ("promise", "c.entered, '', card", "now_ms, '', card"),
    "a promise loses the head start": ("promise", "c.head_start, c.arrival", "0, c.arrival"),
    "who is promised stays in the line too": (
        "promise",
        "redis.call('ZREM', waiting_at .. c.queue, contact)",
        "",
    ),
    "a promise twice is two": ("promise", "known[2]", "nil"),
    "a promise takes the call from the agent who is asked": ("promise", "c.state ~= 'waiting'", "false"),
    "a turn is not in the journal": ("promise", "tell_entered(turn", "since(t"),
    "nobody idle is asked for a turn": ("promise", "line_up(turn, t)", "write_contact(turn, t)"),
    "rejoin counts capacity": (
        "rejoin",
        "local arrival = arrival_us",
        "if redis.call('ZCARD', waiting_at .. queue) >= 3 then return told_of('#', 'full', 0) end "
        "local arrival = arrival_us",
    ),
    "rejoin gives a new ticket": ("rejoin", "arrival_us == '0' and", "arrival_us and"),
    "who comes next stands before a ticket": (
        "rejoin",
        "keep_clock(known[2], arrival)\n",
        "",
    ),
    "a new ticket is the last one's": ("rejoin", "(last or 0) + 1", "(last or 0)"),
    "rejoin twice is two": ("rejoin", "if known[1]", "if nil"),
    "who rings in leaves the turn in line": ("take_up", "close(turn, t, 'set_aside')", ""),
    "who rings in stands in line twice": ("take_up", "redis.call('ZREM', waiting_at .. t.queue, turn)", ""),
    "who rings in takes the later place": (
        "take_up",
        "score_of(t) <= score_of(c)",
        "score_of(t) > score_of(c)",
    ),
    "who rings in loses the better band": ("take_up", "score_of(t) <= score_of(c)", "true"),
    "who rings in takes the turn from the agent who dials": (
        "take_up",
        "t.state == 'reserved' and t.accepted ~= '1'",
        "t.state == 'reserved'",
    ),
    "who rings in keeps the turn's agent": ("take_up", "rest(who, asked)", "local _ = who"),
    "who rings in finds the line full": (
        "take_up",
        "(not t or t.state == 'ended') and not place_kept",
        "not place_kept",
    ),
    "who rings in without a turn never finds it full": ("take_up", ">= max_waiting", "> max_waiting + 9"),
    "who rings in uses a kept place twice": ("take_up", "redis.call('HDEL', book, '~' .. caller_key)", ""),
    "who rings in has a kept place for ever": ("take_up", "now_ms - dropped <= resume_ms", "true"),
    "claim ignores another's reservation": ("claim", "c.state ~= 'waiting'", "c.state == 'connected'"),
    "claim does not say who was first": ("claim", "'stale', c.agent", "'stale', ''"),
    "claim takes an agent out of a talk": ("claim", "from ~= 'wrap_up'", "from == 'off'"),
    "who claims idles on": ("claim", "unidle(agent, a)", "local _ = agent"),
    "who claims leaves the wrap-up unfinished": ("claim", "turn_to(agent, a, 'ready', '')", ""),
    "a claim has the time of a ringing": ("claim", "now_ms + ring_ms", "now_ms + 20000"),
    "a dialling has the time of a joining": ("accept", "now_ms + connect_ms", "now_ms + 30000"),
    "what is kept for one is offered to all": ("keep_for", "',!' .. agent .. ','", "''"),
    "what is kept for one keeps who passed on it": (
        "keep_for",
        "',!' .. agent .. ','",
        "',!' .. agent .. ',' .. string.sub(c.passed, 2)",
    ),
    "what was kept is never for all again": ("keep_for", "agent == '' and '' or ", ""),
    "what is kept for one stands in line twice": (
        "keep_for",
        "redis.call('ZREM', waiting_at .. c.queue, turn)",
        "",
    ),
    "nobody is asked for what is kept for them": ("keep_for", "line_up(turn, c)", "write_contact(turn, c)"),
    "what is kept for one is kept anew": ("keep_for", "if before == agent", "if before == '-'"),
    "who is being asked is asked no more": ("keep_for", "c.state ~= 'waiting'", "c.state == 'ended'"),
    "only the first of the idle is looked at": ("*", "last = -2", "last = 0"),
    "others are asked for what is kept": ("*", "kept_for and kept_for ~= who", "false"),
    "what is kept for who is not there is stranded": ("expire", "not has_passed(c.passed, who)", "true"),
    "who has gone comes into the line": ("turn_away", "if over == 1", "if over == 2"),
    "who was told we are closed cannot come in": ("turn_away", "if over == 1", "if over < 2"),
    "who has gone is never forgotten": ("turn_away", "redis.call('ZADD', due, c.deadline, contact)", ""),
    "a call is turned away twice": ("turn_away", "'NX', ", ""),
    "who is in line is turned away": ("turn_away", "if known then", "if nil then"),
    "not_reached frees no agent": ("not_reached", "wrap_up(c.agent, agent_named(c.agent), c.band)", ""),
    "not_reached ends an old reservation": ("not_reached", "or tonumber(c.fence) ~= fence", ""),
    "not_reached ends a talk": ("not_reached", "c.state ~= 'reserved' or", "c.state == 'waiting' or"),
    "not_reached does not wait for the agent's yes": ("not_reached", "c.accepted ~= '1'", "false"),
}


def faulty(fault: str, script: Script) -> Script:
    """The script with the fault in it, when it is one of those that have it."""
    name, there, instead = FAULTS[fault]
    if name not in ("*", script.name) or there not in script.source:
        return script
    source = script.source.replace(there, instead)
    return replace(
        script, source=source, sha=hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_the_pencil_line_notices(fault: str, redis_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert any(faulty(fault, script) is not script for script in scripts()), "its text is in no script"

    def load_faulty(package: str, name: str) -> Script:
        return faulty(fault, load(package, name))

    monkeypatch.setattr(queueing.scripts, "load", load_faulty)
    # A wrong answer, or a script or a reader that stumbles over what another one left.
    with staged(redis_server) as machine, pytest.raises((AssertionError, ResponseError, KeyError)) as caught:
        wander(machine, 100, *range(80))
    assert "compiling" not in str(caught.value), "the fault is no Lua"
