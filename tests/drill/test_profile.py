"""Where a run's time goes: looks are sorted by the innermost frame that tells."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from drill.stage.inside import TakingTurns
from drill.stage.profile import Profile, _what
from drill.stage.virtual import run


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/voice/wait", "door: hold loop"),
        ("/voice/conference", "door: conference"),
        ("/voice/menu", "doors: all others"),
        ("/sms/status", "doors: all others"),
        ("/api/v1/me", "desks: news of oneself"),
        ("/api/v1/contacts/CA1/accept", "desks: all others"),
    ],
)
def test_work_is_counted_for_whoever_is_asked(path, part):
    profile = Profile()

    async def app(scope, receive, send):
        profile._look(0, sys._getframe())

    async def day(loop):
        await TakingTurns(app, loop.turn)({"path": path, "method": "POST"}, None, None)  # type: ignore[arg-type]

    run(day)
    assert profile.shares()["whom"] == {part: 1.0}


def test_what_it_does_is_told_by_the_package():
    def frame_in(module):
        return SimpleNamespace(f_globals={"__name__": module})

    assert _what(frame_in("sqlalchemy.orm.session")) == "SQL"
    assert _what(frame_in("drill.network.rooms")) == "drill.network"
    assert _what(frame_in("drill.stage.straight")) == "SQLite"
    assert _what(frame_in("foundation.lua")) == "foundation.lua"
    assert _what(frame_in("queueing.line")) == "queueing"
    assert _what(frame_in("somebody")) == ""


def test_a_busy_process_is_looked_at():
    profile = Profile()
    profile.start()
    try:
        while sum(profile.whom.values()) < 2:
            sum(range(10_000))
    finally:
        profile.stop()
    shares = profile.shares()
    assert sum(shares["what"].values()) == pytest.approx(1)
