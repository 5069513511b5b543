"""Whom to tell next that it is over, and when to stop telling: a stage at a time, after a soak.

Pure. "Resolved" has been wrong before: each stage is small enough that "still down" is heard before the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from surge.policy import SurgePolicy


@dataclass(frozen=True, slots=True)
class Row:
    """One follow-up of the incident. ``who``: the merchant, or the number: each is told once.

    ``cohort``: the stage in which it was told, 0 when not yet. ``still_down_ms``: when they answered "still
    down", None when they did not. ``open``: it may be told (not claimed, not over).
    """

    id: str
    who: str
    arrival_us: int
    open: bool = True
    cohort: int = 0
    told_ms: int | None = None
    still_down_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """What to do now: ``tell`` these as number ``cohort``; or nothing, until ``due_ms`` (None: not known)."""

    tell: tuple[str, ...] = ()
    cohort: int = 0
    due_ms: int | None = None
    paused: bool = False
    """Too many say that it is still down: a person looks, and resumes."""
    done: bool = False
    """Nobody is left to tell."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SoFar:
    """How far the notice is. ``told``: how many in each stage; ``down``: how many of them say since somebody
    went on that it is still down. ``last_ms``: when the last were told. ``left``: some are to be told."""

    told: Mapping[int, int]
    down: Mapping[int, int]
    last_ms: int | None
    left: bool


def next_stage(
    policy: SurgePolicy,
    rows: Iterable[Row],
    verified_ms: int | None,
    now_ms: int,
    *,
    resumed_ms: int = 0,
    room: int | None = None,
) -> Stage:
    """The next stage of the notice.

    ``verified_ms``: since when the incident is verified, None while it is not. ``resumed_ms``: when a person
    went on after a pause; what was answered before it no longer pauses. ``room``: texts that may be sent now.
    """
    listed = list(rows)
    left = _left(listed)
    so_far = _so_far(listed, resumed_ms, bool(left))
    if (wait := waits(policy, so_far, verified_ms, now_ms, room=room)) is not None:
        return wait
    chosen = tuple(row.id for row in left[: _most(policy, room)])
    cohort = max(so_far.told, default=0) + 1
    return Stage(chosen, cohort, now_ms + policy.cohort_ms, reason=f"{len(left) - len(chosen)} are left")


def waits(
    policy: SurgePolicy, so_far: SoFar, verified_ms: int | None, now_ms: int, *, room: int | None = None
) -> Stage | None:
    """Why nobody is told now; None when the next stage is due. Asked as ``next_stage``, without the rows."""
    if verified_ms is None:
        return Stage(reason="it is not verified")
    if pause := _paused(policy, so_far):
        return Stage(paused=True, reason=pause)
    if not so_far.left:
        return Stage(done=True, reason="everybody has been told")
    soaked_ms = verified_ms + policy.soak_ms
    if now_ms < soaked_ms:
        return Stage(due_ms=soaked_ms, reason="the fix is being watched first")
    if so_far.last_ms is not None and now_ms < (due_ms := so_far.last_ms + policy.cohort_ms):
        return Stage(due_ms=due_ms, reason="the last ones told are given time to answer")
    if not _most(policy, room):
        return Stage(reason="there is no room for more texts at present")
    return None


def last_told_ms(policy: SurgePolicy, left: int, first_ms: int) -> int:
    """When the last of ``left`` will have been told, if nothing pauses it."""
    stages = -(-left // policy.cohort)
    return first_ms + max(0, stages - 1) * policy.cohort_ms


def _left(rows: Sequence[Row]) -> list[Row]:
    """Those to be told, who rang first first, each merchant once."""
    known = {row.who for row in rows if row.cohort}
    left = []
    for row in sorted(rows, key=lambda row: (row.arrival_us, row.id)):
        if row.open and not row.cohort and row.who not in known:
            known.add(row.who)
            left.append(row)
    return left


def _so_far(rows: Sequence[Row], resumed_ms: int, left: bool) -> SoFar:
    down = Counter(
        row.cohort
        for row in rows
        if row.cohort and row.still_down_ms is not None and row.still_down_ms > resumed_ms
    )
    told = Counter(row.cohort for row in rows if row.cohort)
    last_ms = max((row.told_ms for row in rows if row.told_ms is not None), default=None)
    return SoFar(told, down, last_ms, left)


def _most(policy: SurgePolicy, room: int | None) -> int:
    return policy.cohort if room is None else max(0, min(policy.cohort, room))


def _paused(policy: SurgePolicy, so_far: SoFar) -> str:
    """Why it pauses; "" when it does not."""
    for cohort, down in sorted(so_far.down.items()):
        told = so_far.told[cohort]
        if 100 * down > policy.pause_pct * told:
            return f"{down} of {told} told in stage {cohort} say that it is still down"
    return ""
