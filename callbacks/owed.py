"""Promises that are owed: in which order they come, which are late, how many there are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from callbacks.states import PromiseState


@dataclass(frozen=True, slots=True)
class Owed:
    """An open promise. ``number`` is E.164: whoever shows it masks it. Times are epoch ms, UTC."""

    id: str
    state: str
    """As SQL has it; who is being asked, the line knows."""
    number: str
    queue: str
    band: str
    arrival_us: int
    made_ms: int
    due_ms: int
    by_ms: int
    windowed: bool
    language: str
    time_zone: str
    merchant: str
    location: str
    tier: str
    topic: str
    turn: int
    tries: int
    agent: str
    contact: str
    live_contact: str
    texts: bool
    version: int
    mode: str = "agent_first"
    """A ``states.Mode``: where the merchant is rung first there is no turn to claim."""

    @property
    def until_ms(self) -> int:
        """The end of what was promised, or of a later time agreed since; 0 where none was told."""
        return max(self.by_ms, self.due_ms) if self.by_ms else 0

    @property
    def rang_in(self) -> bool:
        """The merchant has rung again and waits: that call holds the place."""
        return bool(self.live_contact) and self.live_contact != self.contact

    def late(self, now_ms: int) -> bool:
        """Past what was promised, and not yet talking. Where no time was told, nothing is late."""
        return 0 < self.until_ms < now_ms and self.state != PromiseState.CONNECTED


@dataclass(frozen=True, slots=True)
class Counts:
    """How many promises are open; ``calling``: being dialled or talking."""

    open: int = 0
    late: int = 0
    in_line: int = 0
    later: int = 0
    calling: int = 0


def counts(rows: Iterable[Owed], now_ms: int) -> Counts:
    told = list(rows)
    by_state = [row.state for row in told]
    return Counts(
        open=len(told),
        late=sum(row.late(now_ms) for row in told),
        in_line=by_state.count(PromiseState.IN_LINE),
        later=by_state.count(PromiseState.DUE_LATER),
        calling=by_state.count(PromiseState.DIALING) + by_state.count(PromiseState.CONNECTED),
    )


def in_order(
    rows: Iterable[Owed], head_starts_ms: Mapping[str, int], now_ms: int, agent: str = ""
) -> list[Owed]:
    """The late ones first, the latest of all before; then those in line by place; then the rest as due.

    What was given to ``agent`` and may be called now comes before all of them.
    """

    def place(row: Owed) -> tuple[int, int, str]:
        mine = bool(agent) and row.agent == agent and row.state != PromiseState.DUE_LATER
        group, when, name = standing(row)
        return (-1 if mine else group), when, name

    def standing(row: Owed) -> tuple[int, int, str]:
        if row.late(now_ms):
            return 0, row.until_ms, row.id
        if row.state == PromiseState.DUE_LATER:
            return 2, row.due_ms, row.id
        return 1, row.arrival_us - head_starts_ms.get(row.band, 0) * 1000, row.id

    return sorted(rows, key=place)


def chosen(
    rows: Iterable[Owed],
    *,
    now_ms: int,
    queues: Sequence[str] | None = None,
    state: str = "",
    late: bool = False,
) -> list[Owed]:
    """Those of these queues (None: of all), in this state, and only the late ones when asked."""
    return [
        row
        for row in rows
        if (queues is None or row.queue in queues)
        and (not state or row.state == state)
        and (not late or row.late(now_ms))
    ]
