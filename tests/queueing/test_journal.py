"""The journal is read by several, each at its own pace; nothing is lost and nothing is kept for ever."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queueing import journal
from queueing.journal import Event
from queueing.states import Disposition
from tests.queueing.conftest import Centre

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="|="), max_size=12)
PLAIN = st.text("abcXYZ019._-", max_size=8)


@settings(deadline=None)
@given(contact=PLAIN, told=st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), WORDS), last=st.text())
def test_what_is_packed_is_read_again(contact: str, told: dict[str, str], last: str) -> None:
    everything = {**told, "text": last}
    line = journal.packed(7, contact, "ann", "support", "p2", everything)
    event = journal.unpacked("1-0", {"note": line})
    assert event == Event("1-0", "note", 7, contact, "ann", "support", "p2", everything)


def test_nothing_to_tell_is_an_event_too() -> None:
    assert journal.unpacked("1-0", {"held": journal.packed(7, "CA1", "", "", "", {})}).fields == {}


async def test_what_is_no_move_is_written_beside_the_moves(centre: Centre) -> None:
    await centre.ring("CA1")
    event_id = await journal.write(
        centre.redis,
        centre.keys,
        "told",
        at_ms=centre.now_ms,
        contact="CA1",
        position=3,
        low_min="",
        high_min=8,
    )
    event = await journal.event(centre.redis, centre.keys, event_id)
    assert event is not None
    assert (event.kind, event.contact) == ("told", "CA1")
    assert event.fields == {"position": "3", "low_min": "", "high_min": "8"}
    with pytest.raises(ValueError, match="KINDS"):
        await journal.write(centre.redis, centre.keys, "gossip", at_ms=0)


async def test_every_kind_the_scripts_write_is_described(centre: Centre) -> None:
    """Told by the pencil line's machine as well; here by name."""
    from queueing.drawing import scripts

    written = set()
    for script in scripts():
        for start in ("tell('", "redis.call('XADD', journal, '*', '"):
            written |= {rest.partition("'")[0] for rest in script.source.split(start)[1:]}
    written.discard("agent_")
    assert written <= set(journal.KINDS)


async def test_a_reader_gets_each_line_once_and_again_until_it_says_so(centre: Centre) -> None:
    redis, keys = centre.redis, centre.keys
    await centre.ring("CA1")
    await journal.ensure_group(redis, keys, "scribe")
    await journal.ensure_group(redis, keys, "scribe")
    await centre.ring("CA2")
    first = await journal.read(redis, keys, "scribe", "one", count=1)
    assert [event.contact for event in first] == ["CA1"]
    assert [e.contact for e in await journal.read(redis, keys, "scribe", "two")] == ["CA2"]
    assert await journal.read(redis, keys, "scribe", "one", again=True) == first
    await journal.ack(redis, keys, "scribe", [first[0].id, first[0].id])
    assert await journal.read(redis, keys, "scribe", "one", again=True) == []
    assert await journal.read(redis, keys, "scribe", "one") == []


async def test_what_a_dead_reader_had_in_hand_is_taken_over(centre: Centre) -> None:
    redis, keys = centre.redis, centre.keys
    await centre.ring("CA1")
    await journal.ensure_group(redis, keys, "scribe")
    await journal.read(redis, keys, "scribe", "dead")
    assert await journal.claim(redis, keys, "scribe", "alive", idle_ms=60_000) == []
    taken = await journal.claim(redis, keys, "scribe", "alive", idle_ms=0)
    assert [event.contact for event in taken] == ["CA1"]
    assert await journal.read(redis, keys, "scribe", "alive", again=True) == taken


async def test_only_what_all_have_acknowledged_is_dropped(centre: Centre) -> None:
    redis, keys = centre.redis, centre.keys
    assert await journal.trim(redis, keys) == 0
    for number in range(4):
        await centre.ring(f"CA{number}")
    assert await journal.trim(redis, keys) == 0
    for group in ("scribe", "effects"):
        await journal.ensure_group(redis, keys, group)
    seen = await journal.read(redis, keys, "scribe", "one", count=3)
    await journal.ack(redis, keys, "scribe", [event.id for event in seen])
    assert await journal.trim(redis, keys) == 0
    seen = await journal.read(redis, keys, "effects", "one")
    await journal.ack(redis, keys, "effects", [seen[0].id, seen[2].id, seen[3].id])
    assert await journal.trim(redis, keys) == 1  # the second is in hand
    await journal.ack(redis, keys, "effects", [seen[1].id])
    assert await journal.trim(redis, keys) == 2
    assert [event.contact for event in await centre.told()] == ["CA3"]


async def test_a_move_and_its_line_are_one(centre: Centre) -> None:
    """A repeat writes neither."""
    await centre.ring("CA1")
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    before = await centre.redis.xlen(centre.keys.journal)
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    await centre.line.set_band("CA1", "p1", centre.now_ms)
    await centre.line.transfer("CA1", "billing", None, centre.now_ms)
    await centre.line.finish("CA1", centre.now_ms)
    assert await centre.redis.xlen(centre.keys.journal) == before
