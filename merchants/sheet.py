"""A merchants file, read: CSV text in, rows out, or every bad line with its reason.

The first line names the columns: ``name`` and ``numbers`` are needed; ``tier``, ``locations``, ``product``,
``language``, ``region``, ``rail`` (who carries their card payments) and ``device`` are not. Several numbers,
locations or devices in one field are separated by ``;`` or ``|``. A number
that belongs to one location is written ``+1 415 555 0101 = Main Street``. How the file itself may be written:
``foundation/sheets.py``.

Pure: how a number is normalised is given by the caller.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from foundation.errors import Mendable
from foundation.sheets import BadSheet, Fault, records

COLUMNS = ("name", "tier", "numbers", "locations", "product", "language", "region", "rail", "device")
TIERS = ("gold", "silver", "standard")
LANGUAGES = ("en", "es")
LONGEST = 120
"""Characters of a name."""
LONGEST_DEVICES = 500
"""Characters of all devices of a merchant, with what separates them."""

Normalise = Callable[[str], str]
"""A telephone number as people write it to E.164. Raises Mendable when it is none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One merchant as the file has it: ``numbers`` are (E.164, location or "")."""

    line: int
    name: str
    tier: str
    numbers: tuple[tuple[str, str], ...]
    locations: tuple[str, ...]
    product: str
    language: str
    region: str = ""
    rail: str = ""
    devices: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name in the form in which names are compared."""
        return self.name.casefold()


@dataclass(frozen=True, slots=True)
class Policy:
    """What a field may say, and what an empty one means."""

    normalise: Normalise
    tiers: Collection[str] = TIERS
    languages: Collection[str] = LANGUAGES
    tier: str = "standard"
    language: str = "en"


def read(content: str | bytes, policy: Policy) -> list[Row]:
    """The rows of a merchants file. Raises BadSheet with every bad line and its reason."""
    rows: list[Row] = []
    faults: list[Fault] = []
    for number, given in records(content, COLUMNS, ("name", "numbers"), faults):
        reasons: list[str] = []
        rows.append(_row(number, given, policy, reasons))
        faults += [Fault(number, reason) for reason in reasons]
    faults += _named_twice(rows)
    if not rows:
        faults.append(Fault(1, "there is no merchant below the header"))
    if faults:
        raise BadSheet(faults)
    return rows


def _row(line: int, given: dict[str, str], policy: Policy, reasons: list[str]) -> Row:
    """One record as a row; what is wrong with it is added to ``reasons``."""
    name = _named(given.get("name", ""), "name", reasons)
    if not name:
        reasons.append("it has no name")
    locations = tuple(_named(part, "location", reasons) for part in _several(given.get("locations", "")))
    for twice in sorted({place for place in locations if locations.count(place) > 1}):
        reasons.append(f"the location {twice!r} is there twice")
    numbers = _numbers(given.get("numbers", ""), locations, policy, reasons)
    tier = given.get("tier", "").strip().lower() or policy.tier
    if tier not in policy.tiers:
        reasons.append(f"{tier!r} is no tier; ours are {', '.join(policy.tiers)}")
    language = given.get("language", "").strip().lower().replace("_", "-").split("-")[0] or policy.language
    if language not in policy.languages:
        reasons.append(f"{language!r} is no language we speak; we speak {', '.join(policy.languages)}")
    product = _named(given.get("product", ""), "product", reasons)
    region, rail = (_named(given.get(what, ""), what, reasons) for what in ("region", "rail"))
    devices = _devices(given.get("device", ""), reasons)
    return Row(line, name, tier, numbers, locations, product, language, region, rail, devices)


def _devices(field: str, reasons: list[str]) -> tuple[str, ...]:
    """Each device once, in the file's order."""
    devices = tuple(dict.fromkeys(_named(part, "device", reasons) for part in _several(field)))
    if len(";".join(devices)) > LONGEST_DEVICES:
        reasons.append(f"the devices are more than {LONGEST_DEVICES} characters long together")
    return devices


def _numbers(
    field: str, locations: tuple[str, ...], policy: Policy, reasons: list[str]
) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for part in _several(field):
        written, _, place = (piece.strip() for piece in part.partition("="))
        if place and place not in locations:
            reasons.append(f"the number {written} is given to {place!r}, which is none of its locations")
        try:
            found.append((policy.normalise(written), place))
        except Mendable as bad:
            reasons.append(str(bad))
    if not _several(field):
        reasons.append("it has no telephone number")
    return tuple(found)


def _named_twice(rows: list[Row]) -> Iterator[Fault]:
    """Names and numbers that are on two lines (or twice on one); each fault names both."""
    names: dict[str, int] = {}
    numbers: dict[str, int] = {}
    for row in rows:
        if row.name:
            first = names.setdefault(row.key, row.line)
            if first != row.line:
                yield Fault(row.line, f"the name {row.name!r} is on line {first} already")
        seen: set[str] = set()
        for number, _ in row.numbers:
            first = numbers.setdefault(number, row.line)
            if first != row.line:
                yield Fault(row.line, f"the number {number} is on line {first} already")
            elif number in seen:
                yield Fault(row.line, f"the number {number} is there twice")
            seen.add(number)


def _several(field: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;|]", field) if part.strip()]


def _named(field: str, what: str, reasons: list[str]) -> str:
    """A name on one line, without control characters, not too long."""
    kept = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") else letter for letter in field
    )
    name = unicodedata.normalize("NFC", " ".join(kept.split()))
    if len(name) > LONGEST:
        reasons.append(f"the {what} is {len(name)} characters long; {LONGEST} are allowed")
    return name
