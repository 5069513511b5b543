"""One merchant, one row to work on: whatever links two rows, and whoever deals with one of them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from surge import desk, incidents
from surge.merging import MERGED, extra
from surge.states import FollowUpState
from surge.tables import FollowUp
from tests.surge.house import NUMBER, House

OPEN, CLAIMED, TOLD = FollowUpState.OPEN, FollowUpState.CLAIMED, FollowUpState.TOLD
OTHER = "+14155550199"


def row(name: str, **more: Any) -> FollowUp:
    given: dict[str, Any] = {"id": name, "why": "full", "state": OPEN, "incident": "IN1"}
    return FollowUp(**given | more)


def test_a_third_row_that_is_over_links_two() -> None:
    rows = [
        row("A", merchant_id=7, number=NUMBER, arrival_us=1),
        row("B", merchant_id=7, number=OTHER, state=FollowUpState.DUPLICATE),
        row("C", number=OTHER, arrival_us=2),
        row("D", number="+14155550111"),
    ]
    assert extra(rows) == {"C": "A"}


def test_who_deals_with_it_keeps_it_then_who_asked_then_who_was_told_then_who_rang_first() -> None:
    first, told = row("A", number=NUMBER, arrival_us=1), row("B", number=NUMBER, state=TOLD, arrival_us=2)
    asked = row("C", number=NUMBER, wants_call_ms=1, arrival_us=3)
    mine, yours = (row(name, number=NUMBER, state=CLAIMED, arrival_us=4) for name in "DE")
    assert extra([first, row("F", number=NUMBER, arrival_us=5)]) == {"F": "A"}
    assert extra([first, told]) == {"A": "B"}
    assert extra([first, told, asked]) == {"A": "C", "B": "C"}
    assert extra([first, asked, mine, yours]) == {"A": "D", "C": "D"}


def test_strangers_without_a_number_are_nobody() -> None:
    assert extra([row("A"), row("B")]) == {}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, 1, 2]),
            st.sampled_from(["", NUMBER, OTHER]),
            st.sampled_from([OPEN, CLAIMED, TOLD, FollowUpState.SERVED]),
            st.integers(0, 3),
        ),
        max_size=8,
    )
)
def test_nobody_is_left_without_a_row(told: list[tuple[Any, str, FollowUpState, int]]) -> None:
    """What is ended leaves an open row of the same merchant, and nobody's work is taken away."""
    rows = [
        row(f"R{index}", merchant_id=owner, number=number, state=state, arrival_us=at)
        for index, (owner, number, state, at) in enumerate(told)
    ]
    by_name, ended = {each.id: each for each in rows}, extra(rows)
    assert not set(ended) & set(ended.values())
    for name, stays in ended.items():
        assert by_name[name].state in (OPEN, TOLD)
        assert by_name[stays].state in (OPEN, TOLD, CLAIMED)
    free = [each for each in rows if each.id not in ended and each.state in (OPEN, TOLD)]
    for key in ("number", "merchant_id"):
        known = [getattr(each, key) for each in free if getattr(each, key)]
        assert len(known) == len(set(known))


async def test_rows_that_come_together_later_are_merged_once(house: House) -> None:
    incident = await house.declares()
    async with house.sql.session() as session:
        for name, number in (("CA1", NUMBER), ("CA2", NUMBER), ("CA3", OTHER)):
            session.add(row(name, number=number, incident=incident.id, arrival_us=int(name[2:]), made_ms=1))
        session.add(row("CA4", number=NUMBER, incident=""))
    for _ in range(2):
        await house.watcher.tidy()
    states = await house.states()
    assert states == {"CA1": OPEN, "CA2": FollowUpState.DUPLICATE, "CA3": OPEN, "CA4": OPEN}
    merged = (await house.ledger())["CA2"]
    assert (merged.note, merged.ended_by, merged.ended_ms) == (MERGED, "line", house.now_ms)
    assert await incidents.get(house.watch, incident.id) is not None


async def test_what_is_claimed_stays_with_whoever_has_it(house: House) -> None:
    incident = await house.declares()
    async with house.sql.session() as session:
        for name in ("CA1", "CA2"):
            session.add(row(name, number=NUMBER, incident=incident.id, arrival_us=int(name[2:])))
    await desk.claim(house.watch, "CA2", "bob", house.now_ms)
    await house.watcher.tidy()
    assert await house.states() == {"CA1": FollowUpState.DUPLICATE, "CA2": CLAIMED}
