"""Who there is to ring, who rings when, and how each behaves: a scenario and a seed in, callers out. Pure.

Arrivals are Poisson with the scenario's rates. Each draw has a generator of its own, so that a change of one
thing leaves the others as they were: two policies are compared on the same callers.
"""

from __future__ import annotations

import csv
import io
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drill import crowd, takers
from drill.scenarios.written import Arrivals, Manners, Scenario

AREAS = (
    212, 201, 203, 215, 216, 267, 301, 302, 304, 305, 312, 313, 314, 315, 317, 319, 404, 407, 410, 412,
    413, 414, 416, 419, 440, 443, 470, 484, 502, 508, 513, 516, 518, 540, 551, 561, 571, 585, 601, 603,
    607, 609, 610, 614, 615, 617, 630, 646, 678, 703, 704, 716, 717, 724, 727, 732, 740, 757, 770, 772,
)  # fmt: skip
"""Each has a hundred numbers that are kept for fiction (555-0100 to 555-0199)."""
STRANGERS = (
    206,
    213,
    253,
    310,
    323,
    360,
    408,
    415,
    425,
    503,
    510,
    530,
    559,
    602,
    619,
    626,
    650,
    702,
    714,
    720,
)
"""Areas of those whom nobody knows."""
HEARD_QUESTION = "your call about this|call is about this, press 1|su llamada (es|se trata)|llamada es sobre"
HEARD_TEXT_OFFER = (
    r"a text now .*press (\d)|mensaje de texto ahora .*oprima el (\d)"
    r"|^press (\d), and we text you|^oprima el (\d), y le enviamos"
)
HEARD_CALL_OFFER = (
    r"called back and keep your place in line, press (\d)|guardar su lugar en la fila, oprima el (\d)"
)
HEARD_STATUS = "^as of |^we know of this problem|información de hace|^sabemos de este problema"
SENTENCES = crowd.SENTENCES


@dataclass(frozen=True, slots=True)
class Merchant:
    """Somebody who may ring."""

    number: str
    name: str
    tier: str
    language: str
    region: str
    rail: str
    device: str
    product: str
    landline: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """One first call, and what may come after it. ``at_s`` counts from the scenario's beginning; ``number``
    "" is withheld. What is None does not happen: minutes until they ring again after hanging up
    (``redials``), after a text (``returns``), until they answer the text that it is fixed (``replies``)."""

    at_s: float
    stream: str
    number: str
    language: str
    about: bool
    known: bool
    script: Mapping[str, Any]
    patience_s: float
    telephone: Mapping[str, Any]
    landline: bool
    redials: float | None
    returns: float | None
    replies: float | None
    reply: str
    again: int = 0
    """How many calls came before this one."""


@dataclass(frozen=True, slots=True)
class Menu:
    """What may be chosen on the centre's phone: topic to key."""

    keys: Mapping[str, str] = field(default_factory=dict)
    language_key: str = "9"


def merchants(scenario: Scenario, seed: int) -> list[Merchant]:
    """The directory. The same seed, the same people."""
    told, chance = scenario.merchants, random.Random(f"{seed} merchants")
    made = []
    for number in range(told.count):
        area, last = AREAS[number % len(AREAS)], 100 + number // len(AREAS)
        made.append(
            Merchant(
                number=f"+1{area}5550{last}",
                name=f"{chance.choice(_FIRST)} {chance.choice(_SECOND)} {number + 1}",
                tier=weighted(chance, told.tiers),
                language="es" if _pct(chance, told.spanish_pct) else "en",
                region=weighted(chance, told.regions),
                rail=weighted(chance, told.rails),
                device=weighted(chance, told.devices),
                product=weighted(chance, told.products),
                landline=_pct(chance, told.landline_pct),
            )
        )
    return made


def sheet(people: Sequence[Merchant]) -> bytes:
    """The merchants file."""
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow(("name", "tier", "numbers", "product", "language", "region", "rail", "device"))
    for each in people:
        write.writerow(
            (
                each.name,
                each.tier,
                each.number,
                each.product,
                each.language,
                each.region,
                each.rail,
                each.device,
            )
        )
    return out.getvalue().encode()


def callers(scenario: Scenario, people: Sequence[Merchant], menu: Menu, seed: int) -> list[Caller]:
    """Every first call, in order. Raises Mendable never: a stream that matches nobody rings as strangers."""
    found = []
    for stream in scenario.arrivals:
        fitting = [each for each in people if fits(stream, each)]
        chance = random.Random(f"{seed} {stream.name}")
        for at in times(stream, scenario.begins, scenario.ends, chance):
            one = random.Random(chance.random())
            found.append(_caller(one, scenario, stream, fitting, menu, (at - scenario.begins) * 60))
    return sorted(found, key=lambda caller: caller.at_s)


def times(stream: Arrivals, begins: float, ends: float, chance: random.Random) -> list[float]:
    """Minutes since midnight: a Poisson process with the stream's rate, by thinning its highest rate."""
    highest, at, found = max(rate for _, rate in stream.per_minute), begins, []
    while highest > 0:
        at += chance.expovariate(highest)
        if at >= ends:
            break
        if chance.random() * highest < stream.rate(at):
            found.append(at)
    return found


def fits(stream: Arrivals, merchant: Merchant) -> bool:
    """Whether this merchant is one of those who ring in the stream."""
    return not stream.strangers and all(
        getattr(merchant, key) in values for key, values in stream.where.items()
    )


def patience_s(chance: random.Random, manners: Manners) -> float:
    """Weibull with the mean asked for: scale = mean / gamma(1 + 1 / shape)."""
    scale = manners.patience_minutes * 60 / math.gamma(1 + 1 / manners.patience_shape)
    return chance.weibullvariate(scale, manners.patience_shape)


def weighted(chance: random.Random, weights: Mapping[str, float]) -> str:
    total = sum(weights.values())
    return chance.choices(list(weights), list(weights.values()))[0] if total > 0 else ""


def _caller(
    chance: random.Random,
    scenario: Scenario,
    stream: Arrivals,
    people: Sequence[Merchant],
    menu: Menu,
    at_s: float,
) -> Caller:
    manners = scenario.manners(stream)
    who, drawn = (chance.choice(people) if people else None), chance.random() * 100
    if who is None or drawn < manners.unknown_pct:
        language = "es" if _pct(chance, scenario.merchants.spanish_pct) else "en"
        number = f"+1{chance.choice(STRANGERS)}5550{chance.randint(100, 199)}"
        landline = _pct(chance, scenario.merchants.landline_pct)
    else:
        language, number, landline = who.language, who.number, who.landline
    known = who is not None and drawn >= manners.unknown_pct
    if drawn > 100 - manners.withheld_pct:
        number, known = "", False

    def after(pct: float, span: tuple[float, float]) -> float | None:
        happens, minutes = _pct(chance, pct), chance.uniform(*span)
        return minutes if happens else None

    patience = patience_s(chance, manners)
    script = _script(chance, manners, stream, menu, language, callable_=number != "")
    phone = takers.telephone(chance)
    return Caller(
        at_s=round(at_s, 3),
        stream=stream.name,
        number=number,
        language=language,
        about=stream.about,
        known=known,
        script={**script, "patience_s": round(patience, 1)},
        patience_s=round(patience, 1),
        telephone=phone,
        landline=landline,
        redials=after(manners.redial_pct, manners.redial_minutes),
        returns=after(manners.returns_pct, manners.returns_minutes),
        replies=after(manners.replies_pct, manners.replies_minutes),
        reply="2" if _pct(chance, manners.still_down_pct) else "1",
    )


def _script(
    chance: random.Random, manners: Manners, stream: Arrivals, menu: Menu, language: str, *, callable_: bool
) -> dict[str, Any]:
    """What they do on the line, for ``drill.network.people``. Every draw is made, used or not."""
    topic = weighted(chance, stream.topics or dict.fromkeys(menu.keys, 1.0))
    quits, after_s = _pct(chance, manners.quits_pct), round(chance.uniform(1, 12), 1)
    told, text, call = (
        _pct(chance, pct)
        for pct in (manners.hangs_up_told_pct, manners.takes_text_pct, manners.takes_callback_pct)
    )
    silent, speaks = _pct(chance, manners.silent_pct), _pct(chance, manners.speaks_pct)
    taking = takers.taking(chance, takers.Wishes())
    heard_language = crowd.HEARD_SPANISH if language == "es" else crowd.HEARD_ENGLISH
    presses: list[dict[str, Any]] = [
        {"when": HEARD_QUESTION, "digits": "1" if stream.about else "2", "times": 4},
        {"when": crowd.HEARD_LOCATIONS, "digits": "1"},
        {"when": heard_language, "digits": menu.language_key},
    ]
    if text and callable_:
        presses.append({"when": HEARD_TEXT_OFFER, "digits": r"\1", "times": 2})
    if call and callable_:
        presses += [{"when": HEARD_CALL_OFFER, "digits": r"\1", "times": 2}, *taking]
    script: dict[str, Any] = {"presses": presses}
    if speaks and not silent and topic in SENTENCES[language]:
        said = chance.choice(SENTENCES[language][topic])
        script["speaks"] = [{"when": crowd.HEARD_MENU, "text": said, "times": 2}]
    elif not silent and topic in menu.keys:
        presses.append({"when": crowd.HEARD_MENU, "digits": menu.keys[topic], "times": 2})
    if told and stream.about:
        script["hang_up"] = {"when": HEARD_STATUS, "after_s": 1}
    elif quits:
        script["hang_up"] = {"stage": "menu", "after_s": after_s}
    return script


def _pct(chance: random.Random, pct: float) -> bool:
    return chance.random() * 100 < pct


_FIRST = (
    "Corner", "Blue Door", "Harbor", "Sunrise", "Old Mill", "Maple", "Silver", "Lucky", "Green", "Stone",
    "Golden", "Little", "River", "Hill", "Copper", "Juniper", "Lantern", "Willow", "Market", "Station",
)  # fmt: skip
_SECOND = (
    "Bakery", "Coffee", "Kitchen", "Grill", "Taqueria", "Noodles", "Diner", "Books", "Garden", "Pizza",
    "Deli", "Bistro", "Tea House", "Oven", "Cantina", "Creamery", "Smokehouse", "Market", "Tap Room", "Café",
)  # fmt: skip
