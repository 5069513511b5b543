"""The callbacks owed, out of a look at the line and at the record: in their order, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence

from callbacks.owed import Owed, chosen, in_order
from carrier.numbers import masked
from dashboard.live import Look
from dashboard.promise_views import Holder, OwedView, holders, owed_view
from dashboard.rooms import Rooms

PAGE = 50


def ordered(rooms: Rooms, look: Look, rows: Sequence[Owed], agent: str = "") -> list[Owed]:
    head_starts = {band.name: band.head_start_ms for band in rooms.policy.bands}
    return in_order(rows, head_starts, rooms.clock.now_ms(), agent)


def who_has(look: Look) -> dict[str, Holder]:
    return holders(look.board.agents) if look.board else {}


def owed_for(rooms: Rooms, look: Look, *, skills: Sequence[str], start: int = 0, agent: str = "") -> OwedView:
    """What an agent of these queues owes: all of it while the agent serves none; their own first."""
    now_ms = rooms.clock.now_ms()
    if look.owed is None:
        return OwedView((), None, 0, 0, 0, PAGE, known=False)
    rows = chosen(look.owed, now_ms=now_ms, queues=skills or None)
    return owed_view(
        ordered(rooms, look, rows, agent),
        who_has(look),
        masked,
        now_ms=now_ms,
        most_tries=rooms.office.policy.tries,
        start=start,
        size=PAGE,
    )
