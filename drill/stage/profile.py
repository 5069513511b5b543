"""Where a run's time goes: the running code is looked at every few milliseconds of CPU, and sorted.

Twice, by the innermost frame that tells: for whom it works (a door, a round, the phone network, ...), and
what it does (Redis, SQL, ...).
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import greenlet  # type: ignore[import-untyped]

from drill.stage.backstage import Backstage
from drill.stage.inside import TakingTurns

EVERY_S = 0.005
WHAT = (
    ("redis", "Redis, as the client sees it"),
    ("sqlalchemy", "SQL"),
    ("sqlmodel", "SQL"),
    ("aiosqlite", "SQL"),
    ("starlette", "web framework"),
    ("fastapi", "web framework"),
    ("pydantic", "web framework"),
    ("httpx2", "HTTP clients"),
    ("jinja2", "pages"),
    ("twilio", "Twilio's SDK"),
    ("structlog", "logging"),
    ("prometheus_client", "metrics"),
    ("xml", "TwiML, read"),
    ("asyncio", "event loop"),
)
"""Packages that are not ours, and what they do for us."""
OURS = (
    "foundation", "carrier", "announcements", "merchants", "queueing", "callbacks", "surge", "ivr",
    "dashboard", "processes", "drill",
)  # fmt: skip


@dataclass
class Profile:
    """Of the process that starts it. ``whom`` and ``what`` count looks."""

    whom: Counter[str] = field(default_factory=Counter)
    what: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def shares(self) -> dict[str, dict[str, float]]:
        """Each part's share of the CPU time, the largest first."""
        return {"whom": _shares(self.whom), "what": _shares(self.what)}

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        whom = what = ""
        for at in _frames(frame):
            what = what or _what(at)
            whom = whom or _whom(at)
            if whom and what:
                break
        self.whom[whom or "between: tasks, timers, Redis's answers"] += 1
        self.what[what or "other"] += 1


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = sum(counts.values()) or 1
    return {name: round(count / total, 4) for name, count in counts.most_common()}


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    """From the innermost outwards. SQLAlchemy works in greenlets, whose frames end where they were begun: on
    with whoever waits for them."""
    waits = greenlet.getcurrent().parent
    for first in (frame, waits.gr_frame if waits is not None else None):
        at = first
        while at is not None:
            yield at
            at = at.f_back


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _what(frame: FrameType) -> str:
    name = _package(frame)
    top = name.partition(".")[0]
    if name == "drill.stage.straight":
        return "SQLite"
    if name == "drill.stage.virtual":
        return "event loop"
    if top in OURS:
        return "drill.network" if name.startswith("drill.network") else name if top == "foundation" else top
    return next((said for package, said in WHAT if top == package), "")


_PACED = Backstage._paced.__code__.co_consts
_TURNS: CodeType = TakingTurns.__call__.__code__
_EFFECTS: CodeType = Backstage._carry_out.__code__
_ROUND = next(each for each in _PACED if isinstance(each, CodeType))


def _whom(frame: FrameType) -> str:
    code = frame.f_code
    if code is _TURNS:
        return _asked(frame.f_locals["scope"])
    if code is _ROUND:
        return f"round: {frame.f_locals['name']}"
    if code is _EFFECTS:
        return "jobs"
    name = _package(frame)
    if name.startswith("drill.network"):
        return "phone network"
    if name in ("drill.staff", "drill.stage.desks"):
        return "agents"
    return "callers and lead" if name in ("drill.stage.callers", "drill.stage.lead") else ""


def _asked(scope: Any) -> str:
    path = scope["path"]
    if path == "/voice/wait":
        return "door: hold loop"
    if path.startswith("/voice/conference"):
        return "door: conference"
    if path.startswith(("/voice/", "/sms/")):
        return "doors: all others"
    return "desks: news of oneself" if path == "/api/v1/me" else "desks: all others"
