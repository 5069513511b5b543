"""Who rings, when, and how each behaves: a seeded crowd of merchants.

Pure: a seed and habits in, visits out. Rates and times are those of a small support line; patience follows
the usual finding that a few leave at once and the rest wait about as long as they have waited already
(lognormal, mean about six minutes).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from drill import takers

HEARD_MENU = "how can we help|en qué le podemos ayudar"
HEARD_LOCATIONS = "several .* locations|varias sucursales"
HEARD_SPANISH = "para español"
HEARD_ENGLISH = "for english"

SENTENCES: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "payments": ("my card reader is not working", "a payment was charged twice", "I need a refund"),
        "hardware": ("the printer is frozen", "my till does not start", "the screen is broken"),
        "account": ("I cannot log in", "a question about my invoice", "I forgot my password"),
    },
    "es": {
        "payments": ("el lector de tarjetas no funciona", "necesito un reembolso"),
        "hardware": ("la impresora no funciona", "la pantalla está congelada"),
        "account": ("no puedo entrar en mi cuenta", "una pregunta sobre la factura"),
    },
}


@dataclass(frozen=True, slots=True)
class Merchant:
    """Somebody who may ring: a number, the language spoken there, and what they have from us."""

    number: str
    language: str = "en"
    product: str = ""


@dataclass(frozen=True, slots=True)
class Habits:
    """How the crowd behaves; shares are of all visits."""

    per_minute: float = 6.0
    opening: int = 14
    """So many ring within the first quarter of a minute, so that there is a line to look at."""
    patience_mean_s: float = 360.0
    patience_spread: float = 0.9
    """Sigma of the logarithm of patience."""
    unknown: float = 0.12
    withheld: float = 0.04
    by_speech: float = 0.3
    silent: float = 0.06
    """Say and press nothing: the menu puts them through in the end."""
    quits_in_menu: float = 0.05
    redials: float = 0.15
    """Of those who hang up while waiting: ring again within REDIAL_S."""
    takes_offer: float = 0.5
    """Of those whose number is not withheld: would rather be called back than hold."""
    wishes: takers.Wishes = field(default_factory=takers.Wishes)


REDIAL_S = (10.0, 80.0)
OPENING_S = 15.0


@dataclass(frozen=True, slots=True)
class Visit:
    """One call: when it comes (seconds since the start), from where, and the script it follows."""

    at_s: float
    number: str
    language: str
    script: dict[str, Any]
    redials_after_s: float | None
    """If it hangs up while waiting, it rings again so much later; None: it does not."""
    telephone: dict[str, Any] | None = None
    """How it behaves when it is called back; None: as it is known to."""
    returns_after_s: float | None = None
    """If it is promised a callback, it rings in again so much later; None: it waits for it."""


TOPICS = ("payments", "hardware", "account")


def visits(seed: int, merchants: Sequence[Merchant], habits: Habits) -> Iterator[Visit]:
    """All visits to come, in order, without end; the same seed gives the same visits.

    Arrivals are Poisson after the opening. Raises ValueError when there is no merchant.
    """
    if not merchants:
        raise ValueError("a crowd needs merchants")
    chance = random.Random(seed)
    opening = sorted(chance.uniform(0, OPENING_S) for _ in range(habits.opening))
    for at_s in opening:
        yield visit(chance, at_s, merchants, habits)
    at_s = 0.0
    while habits.per_minute > 0:
        at_s += chance.expovariate(habits.per_minute / 60)
        yield visit(chance, at_s + OPENING_S * bool(opening), merchants, habits)


def again(visit: Visit, at_s: float, seed: int) -> Visit:
    """The same caller rings back; this time for good."""
    patience_s = visit.script.get("patience_s", 60.0) * random.Random(seed).uniform(0.8, 2.0)
    script = {**visit.script, "patience_s": patience_s}
    return replace(
        visit, at_s=at_s, script=script, redials_after_s=None, telephone=None, returns_after_s=None
    )


def back(visit: Visit, at_s: float, seed: int) -> Visit:
    """Somebody to whom we owe a callback rings in all the same."""
    rules = takers.returning(random.Random(seed), takers.Wishes())
    script = {**visit.script, "presses": [*rules, *visit.script.get("presses", [])]}
    return again(replace(visit, script=script), at_s, seed)


def visit(
    chance: random.Random, at_s: float, merchants: Sequence[Merchant], habits: Habits, topic: str = ""
) -> Visit:
    """One visit; ``topic``: what it is about, "" for any."""
    who = _caller(chance, merchants, habits)
    patience_s = chance.lognormvariate(
        math.log(habits.patience_mean_s) - habits.patience_spread**2 / 2, habits.patience_spread
    )
    script = _choice(chance, who.language, habits, topic)
    script["patience_s"] = round(patience_s, 1)
    if chance.random() < habits.quits_in_menu:
        script["hang_up"] = {"stage": "menu", "after_s": round(chance.uniform(1, 12), 1)}
    redials = chance.random() < habits.redials and who.number != ""
    made = Visit(
        round(at_s, 3),
        who.number,
        who.language,
        script,
        round(chance.uniform(*REDIAL_S), 1) if redials else None,
    )
    return _taking(chance, made, habits) if who.number else made


def _taking(chance: random.Random, visit: Visit, habits: Habits) -> Visit:
    """The same visit by somebody who can be called back: who may take the offer, and does pick up."""
    visit = replace(visit, telephone=takers.telephone(chance))
    if chance.random() >= habits.takes_offer:
        return visit
    rules = takers.taking(chance, habits.wishes)
    returns = chance.random() < habits.wishes.returns
    return replace(
        visit,
        script={**visit.script, "presses": [*visit.script["presses"], *rules]},
        returns_after_s=round(chance.uniform(*takers.RETURN_S), 1) if returns else None,
    )


def _caller(chance: random.Random, merchants: Sequence[Merchant], habits: Habits) -> Merchant:
    drawn = chance.random()
    if drawn < habits.withheld:
        return Merchant("", "en")
    if drawn < habits.withheld + habits.unknown:
        # 555-0100 to 555-0199 are set aside for use in fiction.
        return Merchant(
            f"+1{chance.choice((212, 305, 512, 702))}5550{chance.randint(100, 199)}", _language(chance)
        )
    return chance.choice(merchants)


def _language(chance: random.Random) -> str:
    return "es" if chance.random() < 0.25 else "en"


def _choice(chance: random.Random, language: str, habits: Habits, topic: str) -> dict[str, Any]:
    """What the caller does at the menu, whatever language it begins in."""
    topic = topic or chance.choice(TOPICS)
    presses: list[dict[str, Any]] = [{"when": HEARD_LOCATIONS, "digits": "1"}]
    presses.append({"when": HEARD_SPANISH if language == "es" else HEARD_ENGLISH, "digits": "9"})
    if chance.random() < habits.silent:
        return {"presses": presses}
    if chance.random() < habits.by_speech:
        text = chance.choice(SENTENCES[language][topic])
        return {"presses": presses, "speaks": [{"when": HEARD_MENU, "text": text, "times": 2}]}
    presses.append({"when": HEARD_MENU, "digits": str(TOPICS.index(topic) + 1), "times": 2})
    return {"presses": presses}
