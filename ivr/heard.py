"""What a caller has been told of incidents in this call: carried in the slip, so that nothing is said twice.

Pure. Packed as ``~IN1a2b3c4d.3.q~…``: the incident, the version that was told, and marks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from surge.directive import Told

ASKED = "q"
"""Asked whether the call is about it …"""
YES, NO = "y", "n"
"""… and what they said."""
FIXED = "f"
"""Told that it is fixed."""
OTHERS = "x"
"""It does not touch them, so they were not told."""
MESSAGE = "m"
"""They leave a message about it."""
AGAIN = "a"
"""They were turned to a text about it a short while ago, in another call."""
MOST = 30
"""Incidents that are kept in mind; a URL has an end."""
_ENTRY = re.compile(r"~([A-Za-z0-9-]{1,32})\.([0-9]{1,9})\.([qynfxma]*)(?=~|\Z)")


@dataclass(frozen=True, slots=True)
class Heard:
    version: int
    marks: str = ""

    def marked(self, *marks: str) -> Heard:
        return Heard(self.version, self.marks + "".join(mark for mark in marks if mark not in self.marks))

    def has(self, *marks: str) -> bool:
        """Any of them."""
        return any(mark in self.marks for mark in marks)


def read(text: str) -> dict[str, Heard]:
    """By incident; what cannot be read is as if not there."""
    found = _ENTRY.findall(text[: 64 * MOST]) if text else []
    return {incident: Heard(int(version), marks) for incident, version, marks in found}


def packed(heard: Mapping[str, Heard]) -> str:
    """Ready to stand in a URL."""
    kept = list(heard.items())[-MOST:]
    return "".join(f"~{name}.{each.version}.{each.marks}" for name, each in kept)


def knows(text: str, told: Told) -> bool:
    """Whether this version has been told, or found not to touch them. Asked at each turn of the hold loop."""
    return f"~{told.id}.{told.version}." in text
