"""What a waiting caller has heard so far, carried from document to document in the hold loop's URLs.

Twilio signs every URL it asks for, so the memory cannot be forged and needs no store (decision 0004).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from announcements.pacing import Said
from ivr import slips


@dataclass(frozen=True, slots=True)
class Memory:
    clip: int = 0
    """The clip of music to go on with."""
    arrival_us: int = 0
    """The arrival clock's reading of the caller's place, should the line forget; 0: not known."""
    said: Said | None = None
    offered: int = 0
    """At which announcement a callback was last offered, from 1; 0: never."""
    owed: bool = False
    """The caller has a callback already."""

    def query(self) -> str:
        """Ready to stand in a URL, after the slip; "" when there is nothing to remember."""
        parts = f"&clip={self.clip}"
        if self.arrival_us:
            parts += f"&in={self.arrival_us // 1000}"
            parts += f"&us={self.arrival_us % 1000}" if self.arrival_us % 1000 else ""
        if self.said:
            parts += f"&said_at={self.said.at_ms}&said_pos={self.said.position}&n={self.said.count}"
        if self.offered:
            parts += f"&of={self.offered}"
        parts += "&owed=1" if self.owed else ""
        return parts


def read(query: Mapping[str, str]) -> Memory:
    """The memory in a request's query; whatever cannot be read is as if not there."""
    return Memory(
        clip=slips.whole(query.get("clip", "")),
        arrival_us=slips.whole(query.get("in", "")) * 1000 + min(slips.whole(query.get("us", "")), 999),
        said=Said.from_query(query),
        offered=slips.whole(query.get("of", "")),
        owed=query.get("owed") == "1",
    )
