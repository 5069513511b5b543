"""The person on a line, when nobody is at the keyboard: patience, keys, words and hanging up by script.

A script, as JSON::

    {"patience_s": 240,
     "presses": [{"when": "for help with your card reader", "digits": "1"}],
     "speaks":  [{"when": "tell us", "text": "my till is frozen"}],
     "hang_up": {"after_s": 30} | {"when": "all our lines"} | {"stage": "queue", "after_s": 5}}

``when`` is a pattern looked for, whatever the case, in what is heard; the person reacts when the words
are out. ``digits`` may be ``\\1``: the key that was named, the pattern's group. Each rule acts once, or
``times``. ``patience_s`` runs while waiting for an agent: from entering the queue until somebody talks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drill.network.exchange import Exchange
from drill.network.legs import Heard, Leg, Stage
from foundation.errors import Mendable

REACTION_MS = 400
KEY_NAMED = r"\1"


@dataclass
class Reaction:
    """On hearing ``when``: press or say something."""

    when: re.Pattern[str]
    digits: str = ""
    text: str = ""
    after_ms: int = REACTION_MS
    times: int = 1


@dataclass
class Script:
    """What a person will do."""

    patience_s: float | None = None
    reactions: list[Reaction] = field(default_factory=list)
    hang_up_when: re.Pattern[str] | None = None
    hang_up_stage: Stage | None = None
    hang_up_after_s: float | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Script:
        """Raises Mendable when the script makes no sense."""
        unknown = set(given) - {"patience_s", "presses", "speaks", "hang_up"}
        if unknown:
            raise Mendable(f"a script has no {', '.join(sorted(unknown))}")
        try:
            return cls._of(given)
        except (re.error, KeyError, TypeError, ValueError, AttributeError) as error:
            raise Mendable(f"the script makes no sense: {error!r}") from None

    @classmethod
    def _of(cls, given: Mapping[str, Any]) -> Script:
        reactions = [
            Reaction(
                re.compile(rule["when"], re.IGNORECASE),
                digits=str(rule.get("digits", "")),
                text=str(rule.get("text", "")),
                after_ms=int(rule.get("after_ms", REACTION_MS)),
                times=int(rule.get("times", 1)),
            )
            for rule in [*given.get("presses", []), *given.get("speaks", [])]
        ]
        leaving = given.get("hang_up") or {}
        patience = given.get("patience_s")
        return cls(
            patience_s=None if patience is None else float(patience),
            reactions=reactions,
            hang_up_when=re.compile(leaving["when"], re.IGNORECASE) if "when" in leaving else None,
            hang_up_stage=Stage(leaving["stage"]) if "stage" in leaving else None,
            hang_up_after_s=float(leaving["after_s"]) if "after_s" in leaving else None,
        )


class Person:
    """Somebody on a call who acts by script."""

    def __init__(self, exchange: Exchange, leg: Leg, script: Script) -> None:
        self.exchange = exchange
        self.leg = leg
        self.script = script
        self._impatient = False
        if script.hang_up_after_s is not None and not script.hang_up_when and not script.hang_up_stage:
            self._later(script.hang_up_after_s * 1000, self._hang_up)

    def hears(self, line: Heard) -> None:
        """React to what was said once the words are out. The first rule that fits acts."""
        if line.kind != "say" or self.leg.ended:
            return
        leaving = self.script.hang_up_when
        if leaving is not None and leaving.search(line.text):
            wait_ms = line.duration_ms + (self.script.hang_up_after_s or 0) * 1000
            self._later(wait_ms, self._hang_up)
        for rule in self.script.reactions:
            found = rule.when.search(line.text) if rule.times > 0 else None
            if found is not None:
                rule.times -= 1
                digits = _named(rule.digits, found)
                self._later(
                    line.duration_ms + rule.after_ms,
                    lambda rule=rule, digits=digits: self._react(rule, digits),
                )
                return

    def comes_to(self, stage: Stage) -> None:
        """Some leave at a stage; the impatient leave a queue after their time."""
        if stage is self.script.hang_up_stage:
            self._later((self.script.hang_up_after_s or 0) * 1000, self._leave_stage)
        if stage is Stage.QUEUE and self.script.patience_s is not None and not self._impatient:
            self._impatient = True
            self._later(self.script.patience_s * 1000, self._lose_patience)
        if stage is Stage.TALKING:
            self._impatient = False

    def _react(self, rule: Reaction, digits: str) -> None:
        if digits:
            press(self.exchange, self.leg, digits)
        if rule.text:
            speak(self.exchange, self.leg, rule.text)

    def _leave_stage(self) -> None:
        if self.leg.stage is self.script.hang_up_stage:
            self._hang_up()

    def _lose_patience(self) -> None:
        if self._impatient and self.leg.stage in (Stage.QUEUE, Stage.CONFERENCE, Stage.MENU):
            self._hang_up()

    def _hang_up(self) -> None:
        hang_up(self.exchange, self.leg)

    def _later(self, ms: float, act: Any) -> None:
        self.exchange.courier.spawn(self._after(ms, act))

    async def _after(self, ms: float, act: Any) -> None:
        await self.exchange.clock.sleep(ms)
        if not self.leg.ended:
            act()


def _named(digits: str, found: re.Match[str]) -> str:
    """What is keyed: as it stands, or the first group that was heard."""
    return next(filter(None, found.groups()), "") if digits == KEY_NAMED else digits


def press(exchange: Exchange, leg: Leg, digits: str) -> bool:
    """The person keys ``digits``. False when nobody listened."""
    leg.hear(Heard(exchange.now_ms(), "press", digits))
    return leg.keypad.press(digits)


def speak(exchange: Exchange, leg: Leg, text: str) -> bool:
    """The person says something. False when nobody listened."""
    leg.hear(Heard(exchange.now_ms(), "speak", text))
    return leg.keypad.speak(text)


def hang_up(exchange: Exchange, leg: Leg) -> None:
    """The person puts the receiver down, or declines a call that rings."""
    if exchange.hands.decline(leg):
        leg.hear(Heard(exchange.now_ms(), "note", "you decline"))
    elif not leg.ended:
        leg.hear(Heard(exchange.now_ms(), "note", "you hang up"))
        exchange.end(leg)
