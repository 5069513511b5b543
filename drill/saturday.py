"""A bad Saturday: a till's update fails, its merchants ring all at once, and in twenty minutes it is over.

Pure: when each thing happens, how many ring and what about, and what is said of it. Times are seconds of the
rehearsed clock since the people came.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from drill import takers
from drill.crowd import Habits, Merchant, Visit, visit, visits

FAILS_S = 60.0
PEAK_S = 120.0
FIXED_S = 660.0
"""From here fewer ring about it …"""
QUIET_S = 840.0
"""… and from here nobody does."""

TITLE = "Register 3 freezes after this morning's update"
PRODUCT = "Register 3"
TOPIC = "hardware"
DO = "Hold the power button for ten seconds, then switch offline mode on."
DONT = "Do not reinstall the app: sales that are not yet sent would be lost."
LANDLINES = 0.12
"""Share of the touched who ring from a line that no text reaches."""
REDIALS = 0.5
"""Of the touched who hang up while waiting: ring again."""

HEARD_QUESTION = "your call (is )?about this|nos llama por este problema"
HEARD_TEXT = r"to get a text now.*press 1|para recibir un mensaje de texto ahora.*oprima el 1"
HEARD_CALLBACK = {
    key: rf"to be called back and keep your place.*press {key}"
    rf"|para que le llamemos y guardar su lugar.*oprima el {key}"
    for key in "12"
}


@dataclass(frozen=True, slots=True)
class Step:
    """What the lead does, if nobody has: ``verb`` is declare, level (set it), calm (once few
    wait), or the state of an update."""

    at_s: float
    verb: str
    words: tuple[str, str] = ("", "")
    """In English and Spanish."""
    level: int = 0


STEPS = (
    Step(
        270,
        "declare",
        (
            "Some Register 3 tills freeze when they start. We are looking for the cause.",
            "Algunas cajas Register 3 se congelan al encenderse. Estamos buscando la causa.",
        ),
    ),
    Step(330, "level", level=2),
    Step(
        480,
        "identified",
        (
            "This morning's update freezes Register 3 tills. We are taking it back. Meanwhile, offline mode "
            "works.",
            "La actualización de esta mañana congela las cajas Register 3. La estamos retirando. Mientras "
            "tanto funciona el modo sin conexión.",
        ),
    ),
    Step(
        FIXED_S,
        "monitoring",
        (
            "The update has been taken back. Register 3 tills recover once they are restarted.",
            "La actualización se ha retirado. Las cajas Register 3 se recuperan al reiniciarlas.",
        ),
    ),
    Step(
        QUIET_S,
        "verified",
        (
            "Register 3 tills work again once they are restarted.",
            "Las cajas Register 3 vuelven a funcionar al reiniciarlas.",
        ),
    ),
    Step(
        1080,
        "resolved",
        (
            "Register 3 tills work again. We will publish what happened by Wednesday.",
            "Las cajas Register 3 funcionan de nuevo. El miércoles publicaremos lo que pasó.",
        ),
    ),
    Step(1140, "calm"),
)
AFTERWARDS_S = 930.0
"""From here people of ours work through the ledger."""


def per_minute(at_s: float, peak: float) -> float:
    """Calls a minute about the failure: a ramp, a plateau, and the way down."""
    if at_s < FIXED_S:
        return peak * min(1.0, max(0.0, (at_s - FAILS_S) / (PEAK_S - FAILS_S)))
    return peak * max(0.0, (QUIET_S - at_s) / (QUIET_S - FIXED_S))


def saturday(
    seed: int, merchants: Sequence[Merchant], touched: Sequence[Merchant], usual: float, worst: float
) -> Iterator[Visit]:
    """All visits, in order, without end: ``usual`` calls a minute about anything, and on top of them those of
    the ``touched``, up to ``worst`` a minute in all. The same seed, the same visits."""
    quiet = Habits(per_minute=usual, opening=2 if usual else 0)
    others = (_elsewhere(each) for each in visits(seed, merchants, quiet))
    flood = _flood(random.Random(seed + 1), touched, max(0.0, worst - usual)) if touched else iter(())
    return heapq.merge(others, flood, key=lambda each: each.at_s)


def _flood(chance: random.Random, touched: Sequence[Merchant], peak: float) -> Iterator[Visit]:
    """By thinning: as many as at the peak are drawn, and as many kept as the minute has."""
    at_s = FAILS_S
    habits = Habits(unknown=0.05, withheld=0.02, redials=REDIALS, quits_in_menu=0.02, silent=0.02)
    while peak > 0 and at_s < QUIET_S:
        at_s += chance.expovariate(peak / 60)
        if chance.random() * peak <= per_minute(at_s, peak):
            yield _about_it(chance, visit(chance, at_s, touched, habits, TOPIC))


def _about_it(chance: random.Random, one: Visit) -> Visit:
    """Yes, it is about this: then a text, a callback, or a person, as each prefers."""
    rules: takers.Rules = [{"when": HEARD_QUESTION, "digits": "1"}]
    drawn = chance.random()
    if drawn < 0.65 and one.number:
        rules.append({"when": HEARD_TEXT, "digits": "1"})
    if drawn < 0.85 and one.number:
        rules += [{"when": heard, "digits": key} for key, heard in HEARD_CALLBACK.items()]
        rules += takers.taking(chance, Habits().wishes)
    if one.telephone is None or random.Random(one.number).random() >= LANDLINES:
        return _with(one, rules)
    return replace(_with(one, rules), telephone={**one.telephone, "text_error": 30006})


def _elsewhere(one: Visit) -> Visit:
    """Whoever rings about anything else says so when asked."""
    return _with(one, [{"when": HEARD_QUESTION, "digits": "2"}])


def _with(one: Visit, rules: list[dict[str, Any]]) -> Visit:
    return replace(one, script={**one.script, "presses": [*rules, *one.script["presses"]]})


# --- what they write back ---------------------------------------------------------------------------------

ASKED = {
    "notice": r"reply 1 if it works|responda 1 si funciona",
    "keep": r"reply keep|responda keep",
}
"""Texts that want an answer."""


def asked_in(body: str) -> str:
    """Which of ``ASKED`` a text is; "" for any other."""
    return next((kind for kind, pattern in ASKED.items() if takers.heard(pattern, body)), "")


def reply(chance: random.Random, kind: str) -> str:
    """What a merchant answers; "" for nothing. Few find it still down: with more, the notices would stop."""
    words, weights = {
        "notice": (("1", "2", ""), (0.72, 0.03, 0.25)),
        "keep": (("KEEP", "1", ""), (0.3, 0.4, 0.3)),
    }[kind]
    return chance.choices(words, weights)[0]
