"""Whom an incident touches: the scope of an incident against what is known of a caller.

Pure. Only a caller who surely matches may ever be turned away, so what is not known makes a MAYBE, never a
MATCH. The audience of an incident decides its words and its follow-up, not the match.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from foundation.errors import Mendable
from surge.directive import Told
from surge.states import Match

SEVERITIES = ("safety", "data_loss", "critical", "major", "minor")
"""Gravest first."""
LONGEST = 120
"""Characters of one product, region, rail, device or component."""
MOST = 2_000
"""Entries of one list."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom it touches. Lists that are given are all to be met, by one entry of each at least; an empty list
    asks nothing. ``merchants`` (ids) are touched whatever the lists say. Nothing given: nobody."""

    all: bool = False
    components: tuple[str, ...] = ()
    """Parts of the platform, as the menu's topics name them."""
    products: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    rails: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    merchants: tuple[int, ...] = ()

    @property
    def empty(self) -> bool:
        """It touches nobody."""
        return not any(asdict(self).values())

    def packed(self) -> dict[str, Any]:
        """As JSON keeps it: only what is given."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value
        }

    @classmethod
    def unpacked(cls, given: Mapping[str, Any]) -> Scope:
        """Raises Mendable, naming what is wrong, for what is no scope."""
        lists = {*_ASKED, "merchants"}
        if strange := sorted(set(given) - lists - {"all"}):
            raise Mendable(f"The scope has no {strange[0]!r}; it has all, {', '.join(sorted(lists))}.")
        if not isinstance(given.get("all", False), bool):
            raise Mendable("The scope's 'all' is true or false.")
        values = {name: _entries(name, given[name]) for name in _ASKED if name in given}
        return cls(all=given.get("all", False), merchants=_merchants(given.get("merchants", ())), **values)


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of who rings. Empty: not known."""

    merchant_id: int | None = None
    """None: nobody we know by this number."""
    products: tuple[str, ...] = ()
    region: str = ""
    rail: str = ""
    devices: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    """Names of the shops it may be; a region may name one. Of several only one calls: then it is a maybe."""
    topic: str = ""
    """What they chose in the menu, if they have."""


@dataclass(frozen=True, slots=True)
class Matched:
    """``reason`` is a clause for the agent: "they use Register 4"."""

    match: Match
    reason: str


_ASKED = {
    "products": "the product",
    "regions": "the region",
    "rails": "the payment rail",
    "devices": "the device",
    "components": "the part of the platform",
}
"""What each list asks of the caller; a plain no of an earlier one is the reason that is told."""


def match(scope: Scope, caller: Caller) -> Matched:
    """Whether ``caller`` is touched, and why we think so.

    Touched: the scope is all, or the merchant is named, or each list that is given is met. Not touched: a
    list that is given is surely not met. Maybe: something that is asked is not known.
    """
    if scope.all:
        return Matched(Match.MATCH, "it touches everybody")
    if scope.merchants and caller.merchant_id in scope.merchants:
        return Matched(Match.MATCH, "this merchant is named")
    asked = [name for name in _ASKED if getattr(scope, name)]
    if not asked:
        return _only_named(scope, caller)
    met: list[str] = []
    unknown: list[str] = []
    for name in asked:
        theirs, wanted = _theirs(name, caller), {_fold(entry) for entry in getattr(scope, name)}
        hit = next((value for value in theirs if _fold(value) in wanted), None)
        if hit is not None and name == "regions" and hit in caller.locations and len(caller.locations) > 1:
            unknown.append("from which of their shops they call")
        elif hit is not None:
            met.append(hit)
        elif not theirs or name == "components" or (name == "regions" and not caller.region):
            unknown.append(_ASKED[name])
        else:
            return Matched(Match.NONE, f"{_ASKED[name]} is {' and '.join(theirs)}, which is not touched")
    if unknown:
        return Matched(Match.MAYBE, f"we do not know {' and '.join(unknown)}")
    return Matched(Match.MATCH, f"it touches {', '.join(met)}")


def ranked(incidents: Iterable[Told], caller: Caller) -> tuple[tuple[Told, Matched], ...]:
    """The incidents that touch the caller, or may: matches first, the gravest of them first, then the one
    with the latest news. An incident whose scope cannot be read may touch anybody."""
    found = [(told, _matched(told, caller)) for told in incidents]
    return tuple(sorted((pair for pair in found if pair[1].match is not Match.NONE), key=_rank))


def best(incidents: Iterable[Told], caller: Caller) -> tuple[Told | None, Matched]:
    """The one that the caller is told of, and how it matches; None when none of them touches the caller."""
    for told, matched in ranked(incidents, caller):
        return told, matched
    return None, Matched(Match.NONE, "no incident touches them")


def reach(scope: Scope, callers: Iterable[Caller]) -> dict[Match, int]:
    """How many of ``callers`` it touches, may touch, and does not: a scope that touches nobody shows."""
    counts = dict.fromkeys(Match, 0)
    for caller in callers:
        counts[match(scope, caller).match] += 1
    return counts


def _matched(told: Told, caller: Caller) -> Matched:
    try:
        return match(Scope.unpacked(told.scope), caller)
    except Mendable:
        return Matched(Match.MAYBE, "the incident's scope cannot be read")


def _rank(pair: tuple[Told, Matched]) -> tuple[int, int, int, str]:
    told, matched = pair
    gravity = SEVERITIES.index(told.severity) if told.severity in SEVERITIES else len(SEVERITIES)
    return int(matched.match is not Match.MATCH), gravity, -told.updated_ms, told.id


def _only_named(scope: Scope, caller: Caller) -> Matched:
    if scope.merchants and caller.merchant_id is None:
        return Matched(Match.MAYBE, "we do not know who is calling")
    return Matched(Match.NONE, "this merchant is not named" if scope.merchants else "the scope is empty")


def _theirs(name: str, caller: Caller) -> tuple[str, ...]:
    known = {
        "products": caller.products,
        "regions": (caller.region, *caller.locations),
        "rails": (caller.rail,),
        "devices": caller.devices,
        "components": (caller.topic, *caller.products),
    }
    return tuple(value for value in known[name] if value.strip())


def _fold(value: str) -> str:
    return " ".join(value.split()).casefold()


def _entries(name: str, given: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_checked(name, given)))


def _checked(name: str, given: Any) -> Iterator[str]:
    if not isinstance(given, list | tuple) or len(given) > MOST:
        raise Mendable(f"The scope's {name} are a list of at most {MOST:,}.")
    for entry in given:
        if not isinstance(entry, str) or not entry.isprintable() or len(entry) > LONGEST:
            raise Mendable(f"The scope's {name} are plain words of at most {LONGEST} characters.")
        if entry.strip():
            yield " ".join(entry.split())


def _merchants(given: Any) -> tuple[int, ...]:
    listed = isinstance(given, list | tuple) and len(given) <= MOST
    if not listed or not all(type(each) is int and each > 0 for each in given):
        raise Mendable(f"The scope's merchants are a list of at most {MOST:,} merchant ids.")
    return tuple(dict.fromkeys(given))
