"""From a caller's number to who rings: what is known, and what the door has to ask.

Pure: the directory looks up, this module says what it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class KnownMerchant:
    """A merchant of the directory."""

    id: int
    name: str
    tier: str = "standard"
    product: str = ""
    language: str = "en"
    region: str = ""
    rail: str = ""
    devices: tuple[str, ...] = ()
    """What else an incident's scope may ask: where they are, who carries their payments, what they use."""


@dataclass(frozen=True, slots=True)
class KnownLocation:
    """One of its shops."""

    id: int
    name: str


class Ask(StrEnum):
    """What is left to ask the caller."""

    NOTHING = "nothing"
    """The merchant is known, and so is the location, or it has none."""

    LOCATION = "location"
    """The merchant is known; several locations ring from this number."""

    CARRY_ON = "carry_on"
    """Nobody is known by this number: carry on politely."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """Who rings: a merchant, and the locations it may be, by name; both empty for an unknown number."""

    merchant: KnownMerchant | None = None
    locations: tuple[KnownLocation, ...] = ()

    @property
    def ask(self) -> Ask:
        if self.merchant is None:
            return Ask.CARRY_ON
        return Ask.LOCATION if len(self.locations) > 1 else Ask.NOTHING

    @property
    def location(self) -> KnownLocation | None:
        """The one location it must be, if there is only one."""
        return self.locations[0] if len(self.locations) == 1 else None

    def choices(self, most: int = 7) -> tuple[tuple[str, KnownLocation], ...]:
        """The locations to choose from by key, "1" upwards; at most ``most`` are read out."""
        return tuple((str(key), place) for key, place in enumerate(self.locations[:most], start=1))

    def chosen(self, location_id: int) -> Recognised:
        """The same merchant at one of its locations; unchanged when it is not one of them."""
        named = tuple(place for place in self.locations if place.id == location_id)
        return Recognised(self.merchant, named) if named else self
