"""Merchants who would rather be called back: how they take the offer, and what they do when they are rung.

Pure: seeded choices, as scripts for the phone network (``drill.network.people``) and for its telephones.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

HEARD_OFFER = (
    r"not have to hold\..* press 1|rather not hold, press 1"
    r"|no tiene que esperar.* oprima el 1|prefiere no esperar, oprima el 1"
)
HEARD_NUMBER = "if that is right, press 1|si es correcto, oprima el 1"
HEARD_TURN = "called when your turn comes, press|llamemos cuando llegue su turno, oprima"
HEARD_WINDOW = r"to be called (today|tomorrow|on).* press \d|le llamemos (hoy|mañana|el).* oprima el \d"
HEARD_TEXT = "may we text you|podemos enviarle mensajes"
HEARD_PROMISED = "you may hang up now|ya puede colgar"
HEARD_OWED = "to speak with us on this call|para hablar con nosotros en esta llamada"
HEARD_CALLED = "press 1 to be connected|para comunicarle, oprima el 1"
HEARD_CALLED_LATER = "called later, press 2|llamemos más tarde, oprima el 2"
HEARD_CALLED_CANCEL = "no longer need this call, press 3|no necesita esta llamada, oprima el 3"

Script = dict[str, Any]
Rules = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Wishes:
    """Shares of those who take the offer."""

    window: float = 0.12
    """Choose a time of day instead of their turn."""
    texts: float = 0.7
    """Agree to be texted."""
    returns: float = 0.12
    """Ring in again while we owe them a call."""


def heard(pattern: str, words: str) -> bool:
    """Whether the pattern is in what was said, or written."""
    return re.search(pattern, words, re.IGNORECASE) is not None


def taking(chance: random.Random, wishes: Wishes) -> Rules:
    """What is pressed, from the offer until "you may hang up now"."""
    return [
        {"when": HEARD_OFFER, "digits": "1"},
        {"when": HEARD_NUMBER, "digits": "1"},
        *choosing(chance, wishes),
        {"when": HEARD_TEXT, "digits": "1" if chance.random() < wishes.texts else "2"},
    ]


def choosing(chance: random.Random, wishes: Wishes) -> Rules:
    """When to be called: at one's turn, or in the first window that is offered."""
    if chance.random() < wishes.window:
        return [{"when": HEARD_WINDOW, "digits": "2"}]
    return [{"when": HEARD_TURN, "digits": "1"}]


RETURN_S = (15.0, 120.0)


def returning(chance: random.Random, wishes: Wishes) -> Rules:
    """Whoever has a callback and rings in again: keep it, later, cancel it, or, with no key, stay."""
    key = chance.choices(("1", "2", "3", ""), (0.4, 0.15, 0.15, 0.3))[0]
    if not key:
        return []
    return [{"when": HEARD_OWED, "digits": key}, *(choosing(chance, wishes) if key == "2" else [])]


def telephone(chance: random.Random) -> dict[str, Any]:
    """How this merchant's telephone behaves when we ring it, in the words of ``POST /phones/{number}``."""
    first, *then = chance.choices(
        (
            ("human",),
            ("no-answer", "human"),
            ("busy", "human"),
            ("machine", "human"),
            ("no-answer",),
            ("machine",),
        ),
        (0.68, 0.12, 0.05, 0.08, 0.04, 0.03),
    )[0]
    return {
        "answers": first,
        "then": then,
        "after_ms": round(chance.uniform(2_000, 12_000)),
        "script": _picking_up(chance),
    }


def _picking_up(chance: random.Random) -> Script:
    drawn = chance.random()
    if drawn < 0.04:  # "who is it?", and the receiver is down again
        return {"hang_up": {"when": HEARD_CALLED, "after_s": 1}}
    when, key = HEARD_CALLED, "1"
    if drawn < 0.10:
        when, key = HEARD_CALLED_LATER, "2"
    elif drawn < 0.14:
        when, key = HEARD_CALLED_CANCEL, "3"
    patience_s = round(chance.uniform(90, 400), 1)
    return {"patience_s": patience_s, "presses": [{"when": when, "digits": key}]}
