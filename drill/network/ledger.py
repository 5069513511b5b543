"""What the double writes down: every breach of Twilio's contract, and how many of everything there was."""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

import structlog

log = structlog.get_logger()

_NUMBERS = re.compile(r"(?<![0-9A-Za-z])(\+|%2B)?\d{7,15}(?![0-9A-Za-z])")
"""Telephone numbers: never in a log."""
KEPT = 1000
"""Violations are all counted; so many of them are kept word for word."""


@dataclass(frozen=True)
class Violation:
    """One breach of the contract by the product. ``code`` is Twilio's error code where it has one."""

    at_ms: int
    kind: str
    """twiml, webhook, status-callback, media, rest, repeat, text, token or unmodelled."""
    code: int
    message: str
    url: str = ""
    call_sid: str = ""
    excerpt: str = ""


class Ledger:
    """Violations and counts since the start, or since the last ``clear``."""

    def __init__(self) -> None:
        self.violations: deque[Violation] = deque(maxlen=KEPT)
        self.breaches = 0
        self.counts: Counter[str] = Counter()
        self.webhooks: dict[str, Timing] = {}

    def breach(self, violation: Violation) -> None:
        """Write a violation down, and say it aloud in the log."""
        self.breaches += 1
        self.violations.append(violation)
        log.warning(
            "the product broke the contract",
            kind=violation.kind,
            code=violation.code,
            message=_NUMBERS.sub("•••", violation.message),
            url=_NUMBERS.sub("•••", violation.url),
            call=violation.call_sid,
        )

    def clear(self) -> None:
        self.violations.clear()
        self.breaches = 0

    def took(self, path: str, status: int, seconds: float) -> None:
        """A webhook to ``path`` was answered with ``status`` (0: not at all) after real ``seconds``."""
        timing = self.webhooks.setdefault(path, Timing())
        timing.count += 1
        timing.bad += not 200 <= status < 400
        timing.total_s += seconds
        timing.longest_s = max(timing.longest_s, seconds)

    def shown(self) -> dict[str, Any]:
        """Everything counted, for ``GET /_double/stats``."""
        return {
            "violations": self.breaches,
            "counts": dict(sorted(self.counts.items())),
            "webhooks": {path: timing.shown() for path, timing in sorted(self.webhooks.items())},
        }

    def listed(self) -> list[dict[str, Any]]:
        return [asdict(violation) for violation in self.violations]


@dataclass
class Timing:
    """How a webhook door did, in real seconds."""

    count: int = 0
    bad: int = 0
    total_s: float = 0.0
    longest_s: float = 0.0

    def shown(self) -> dict[str, Any]:
        mean_s = self.total_s / self.count if self.count else 0.0
        return {
            "count": self.count,
            "bad": self.bad,
            "mean_ms": round(mean_s * 1000, 2),
            "longest_ms": round(self.longest_s * 1000, 2),
        }
