"""What a caller has been told of incidents, there and back in a URL."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from ivr import heard as heards
from ivr import slips
from ivr.heard import Heard
from ivr.menus import Centre
from surge.directive import Told

CENTRE = Centre("Corner Pay", "support")
NAMES = st.from_regex(r"IN[0-9a-f]{8}", fullmatch=True)
ENTRIES = st.builds(Heard, st.integers(1, 9999), st.text("qynfxma", max_size=4))


def told(name: str, version: int) -> Told:
    return Told(name, "major", "investigating", "merchants", {}, version, 0, {})


@given(st.dictionaries(NAMES, ENTRIES, max_size=heards.MOST))
def test_there_and_back(entries):
    text = heards.packed(entries)
    assert heards.read(text) == entries
    assert slips.read(CENTRE, {"lang": "en", "heard": text}).heard == text
    assert re.fullmatch(r"[A-Za-z0-9.~-]*", text)
    for name, entry in entries.items():
        assert heards.knows(text, told(name, entry.version))
        assert not heards.knows(text, told(name, entry.version + 1))
        assert not heards.knows(text, told(name, entry.version * 10))


def test_the_oldest_are_forgotten_when_there_are_too_many():
    many = {f"IN{number:08x}": Heard(1) for number in range(heards.MOST + 3)}
    assert list(heards.read(heards.packed(many))) == list(many)[3:]


@given(st.text(max_size=200))
def test_nonsense_is_as_if_not_there(text):
    kept = slips.read(CENTRE, {"heard": text}).heard
    assert kept == "" or kept == text
    assert all(re.fullmatch(r"[A-Za-z0-9-]{1,32}", name) for name in heards.read(text))
