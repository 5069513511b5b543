"""What the doors are told: the level, and every live incident as a caller is to hear it. One value, as JSON.

Pure. It is written by ``board``, kept in Redis, and copied to a file by every web process, so that it serves
when Redis and SQL are away.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from surge.states import Level


@dataclass(frozen=True, slots=True)
class Told:
    """One incident, as callers are told of it."""

    id: str
    severity: str
    state: str
    audience: str
    scope: dict[str, Any]
    """``matching.Scope`` as JSON."""
    version: int
    updated_ms: int
    words: dict[str, str]
    """Language to the one true sentence."""
    do: str = ""
    dont: str = ""
    topic: str = ""
    title: str = ""
    next_update_ms: int | None = None
    said: int = 0
    """The version that brought these words: who was told this one or a later one has heard them."""


@dataclass(frozen=True, slots=True)
class Directive:
    version: int = 0
    at_ms: int = 0
    level: Level = Level.CALM
    since_ms: int = 0
    expires_ms: int | None = None
    """The level is calm again from then on, whoever reads this."""
    dry_run: bool = False
    """Nobody is deflected; it is counted who would have been."""
    texts_open: bool = True
    """The senders' pace and the cap leave room for more texts."""
    incidents: tuple[Told, ...] = field(default_factory=tuple)
    over: tuple[Told, ...] = field(default_factory=tuple)
    """Resolved a short while ago: whoever was told of them on hold is told that too."""
    would: int = 0
    """In a dry run: how many calls would have been turned to a text since it began."""
    due: tuple[tuple[str, str, int], ...] = ()
    """Commitments that are due within a day or late, for the band: owner, what, when."""

    def level_at(self, now_ms: int) -> Level:
        """The level in force: a surge that nobody renewed is over."""
        expired = self.expires_ms is not None and now_ms >= self.expires_ms
        return Level.CALM if expired else self.level

    def packed(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def unpacked(cls, text: str) -> Directive:
        """Raises ValueError for what is no directive."""
        try:
            told = json.loads(text)
            lists = {
                name: tuple(Told(**each) for each in told.pop(name, ())) for name in ("incidents", "over")
            }
            due = tuple((str(owner), str(what), int(at_ms)) for owner, what, at_ms in told.pop("due", ()))
            return cls(**{**told, "level": Level(told["level"]), **lists, "due": due})
        except (TypeError, KeyError, AttributeError) as odd:
            raise ValueError("this is no directive") from odd
