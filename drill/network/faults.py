"""Mischief on demand: webhooks doubled, late, out of order or lost; REST refused, broken or unanswered.

A rule says where (``match``, a pattern on the path), what (``kind``), how often (``share`` of 1, at most
``times``) and, where it matters, how long (``ms``, or ``[least, most]``). The dice are seeded.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from foundation.errors import Mendable

WEBHOOK_KINDS = frozenset({"duplicate", "delay", "reorder", "drop", "lose_answer"})
REST_KINDS = frozenset({"busy", "fail_before", "fail_after", "lose_answer", "stall_before", "stall_after"})


@dataclass
class Rule:
    """One kind of mischief."""

    on: str
    """webhook or rest."""
    kind: str
    match: str = ""
    method: str = ""
    share: float = 1.0
    times: int | None = None
    ms: tuple[int, int] = (0, 0)
    struck: int = 0

    def strikes(self, dice: random.Random, path: str, method: str) -> bool:
        if self.times is not None and self.struck >= self.times:
            return False
        if self.method and self.method != method:
            return False
        if not re.search(self.match, path) or dice.random() >= self.share:
            return False
        self.struck += 1
        return True


@dataclass
class Mischief:
    """What befalls one webhook."""

    duplicate: bool = False
    delay_ms: int = 0
    reorder: bool = False
    drop: bool = False
    lose_answer: bool = False


@dataclass
class Faults:
    """The rules in force. Without rules the network is perfect."""

    rules: list[Rule] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random(0))

    def replace(self, given: Mapping[str, Any]) -> None:
        """``{"seed": 7, "rules": [{"on": "webhook", "kind": "duplicate", "match": "/voice/", …}]}``

        Raises Mendable naming the first rule that makes no sense; then nothing has changed.
        """
        rules = [_rule(entry) for entry in _entries(given)]
        self.dice = random.Random(given.get("seed", 0))
        self.rules = rules

    def for_webhook(self, path: str, method: str) -> Mischief:
        befalls = Mischief()
        for rule in self.rules:
            if rule.on != "webhook" or not rule.strikes(self.dice, path, method):
                continue
            if rule.kind == "delay":
                befalls.delay_ms = self.dice.randint(*rule.ms)
            else:
                setattr(befalls, rule.kind, True)
        return befalls

    def for_rest(self, path: str, method: str) -> tuple[str, int] | None:
        """(kind, ms) of the first rule that strikes, or None."""
        for rule in self.rules:
            if rule.on == "rest" and rule.strikes(self.dice, path, method):
                return rule.kind, self.dice.randint(*rule.ms)
        return None

    def shown(self) -> list[dict[str, Any]]:
        return [
            {
                "on": rule.on,
                "kind": rule.kind,
                "match": rule.match,
                "method": rule.method,
                "share": rule.share,
                "times": rule.times,
                "ms": list(rule.ms),
                "struck": rule.struck,
            }
            for rule in self.rules
        ]


def _entries(given: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    entries = given.get("rules", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Mendable("rules must be a list of objects")
    return entries


def _rule(entry: Mapping[str, Any]) -> Rule:
    on, kind = entry.get("on"), entry.get("kind")
    kinds = {"webhook": WEBHOOK_KINDS, "rest": REST_KINDS}.get(str(on))
    if kinds is None:
        raise Mendable(f'a rule\'s "on" is "webhook" or "rest", not {on!r}')
    if kind not in kinds:
        raise Mendable(f'a {on} rule\'s "kind" is one of {", ".join(sorted(kinds))}, not {kind!r}')
    unknown = set(entry) - {"on", "kind", "match", "method", "share", "times", "ms"}
    if unknown:
        raise Mendable(f"a rule has no {', '.join(sorted(unknown))}")
    try:
        re.compile(str(entry.get("match", "")))
        ms = entry.get("ms", 0)
        least, most = (ms, ms) if isinstance(ms, int) else (int(ms[0]), int(ms[1]))
        times = entry.get("times")
        return Rule(
            on=str(on),
            kind=str(kind),
            match=str(entry.get("match", "")),
            method=str(entry.get("method", "")).upper(),
            share=float(entry.get("share", 1.0)),
            times=None if times is None else int(times),
            ms=(least, max(least, most)),
        )
    except (re.error, TypeError, ValueError, IndexError) as error:
        raise Mendable(f"the rule {dict(entry)} makes no sense: {error}") from None
