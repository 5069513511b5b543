"""Who goes first: a band is a head start in the one line of a queue.

A contact's score is its arrival less its band's head start, so it never changes while waiting: within a band
the line is first come, first served, and nobody is passed by a contact that arrived more than the head start
later (bounded overtaking).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Band:
    """A priority class: its name, and how much earlier it counts as having arrived."""

    name: str
    head_start_ms: int


DEFAULT_BANDS: tuple[Band, ...] = (
    Band("p0", 1_800_000),
    Band("p1", 600_000),
    Band("p2", 0),
)
"""Emergencies, the top tier of merchants, everyone. The highest first."""


def band_for(tier: str | None, tiers: Mapping[str, str], default: str = "p2") -> str:
    """The band of a merchant of ``tier``, by the centre's table ``tiers`` (tier to band, any letter case)."""
    if not tier:
        return default
    return tiers.get(tier, tiers.get(tier.strip().lower(), default))
