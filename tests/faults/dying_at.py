"""Imported by every process of a house before anything else: the worker kills itself at a named point.

A death is owed for every file ``dying/<point>.<n>``; whoever takes the file away dies, after a line in
``dying/deaths``. Nothing in the product knows of this.
"""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PLACE = Path("dying").absolute()
DEATHS = "deaths"
SHARE = 0.4

BEFORE_INTENT = "before the intent"
INTENT_UNCOMMITTED = "the intent is not committed"
INTENT_WRITTEN = "the intent is committed"
SLOT_TAKEN = "waiting for the slot"
BEFORE_CALL = "before the carrier is asked"
CALL_PLACED = "the call is placed, not noted"
SENT_UNCOMMITTED = "the answer is not committed"
SENT = "the answer is noted"
UNKNOWN = "an unknown answer is not noted"
PICK_UP = "at the pick-up"
POINTS = (
    BEFORE_INTENT,
    INTENT_UNCOMMITTED,
    INTENT_WRITTEN,
    SLOT_TAKEN,
    BEFORE_CALL,
    CALL_PLACED,
    SENT_UNCOMMITTED,
    SENT,
    UNKNOWN,
    PICK_UP,
)


def owe(place: Path, point: str, times: int) -> None:
    """So many deaths at this point, from now on."""
    for number in range(times):
        (place / f"{point}.{number}").touch()


def taken(point: str) -> bool:
    """Whether a death was owed at this point; it is not any more."""
    for owed in PLACE.glob(f"{point}.*"):
        try:
            owed.unlink()
        except FileNotFoundError:
            continue
        return True
    return False


def die(point: str, attempt: str = "", pid: int = 0) -> None:
    """Kill this process, or ``pid``, when a death is owed; not always: later points shall come to it, too."""
    if random.random() > SHARE or not taken(point):
        return
    told = {"point": point, "attempt": attempt, "at_s": time.time(), "pid": pid or os.getpid()}
    with (PLACE / DEATHS).open("a") as out:
        out.write(json.dumps(told) + "\n")
    os.kill(pid or os.getpid(), signal.SIGKILL)


def wrap(owner: Any, name: str, before: Any = None, after: Any = None) -> None:
    """``before(*given)`` runs ahead of the coroutine function, ``after(answer, *given)`` behind it."""
    real: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(real)
    async def wrapped(*given: Any, **named: Any) -> Any:
        if before is not None:
            before(*given)
        answer = await real(*given, **named)
        if after is not None:
            after(answer, *given)
        return answer

    setattr(owner, name, wrapped)


def attempt_in(url: str) -> str:
    """The attempt whose merchant this call rings; "" when it rings an agent."""
    return url.partition("/voice/called?attempt=")[2]


def placed(url: str, point: str) -> None:
    if attempt := attempt_in(url):
        die(point, attempt)


def noted(attempt: str) -> None:
    (PLACE / f"worker of {attempt}").write_text(str(os.getpid()))
    die(SENT, attempt)


def picked_up(attempt: str) -> None:
    """The web's process kills the worker that had this one rung."""
    try:
        pid = int((PLACE / f"worker of {attempt}").read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return
    die(PICK_UP, attempt, pid)


def prepare() -> None:
    """Wrap the points."""
    from callbacks import dialing, record, slots
    from callbacks.states import PromiseState
    from carrier.twilio_rest import Carrier
    from processes import children

    PLACE.mkdir(exist_ok=True)
    children.FIRST_DELAY_MS = children.LONGEST_DELAY_MS = 50  # hundreds of deaths are meant here
    children.BUDGET = 100_000
    wrap(dialing, "intend", before=lambda *given: die(BEFORE_INTENT))

    def changed(_: Any, session: Any, promise: Any, there: Any, kind: str) -> None:
        if there is PromiseState.DIALING:
            die(INTENT_UNCOMMITTED)
        if kind == "rung":  # only where the carrier's answer is noted
            die(SENT_UNCOMMITTED)

    wrap(record, "change", after=changed)

    def written(intent: Any, *_: Any) -> None:
        if intent.attempt is not None:
            die(INTENT_WRITTEN, intent.attempt.id)

    wrap(dialing, "write_intent", after=written)
    wrap(slots, "_take", after=lambda wait, cb, what, *_: die(SLOT_TAKEN) if what == "calls" else None)
    wrap(
        Carrier,
        "dial",
        before=lambda _, to, from_, url: placed(url, BEFORE_CALL),
        after=lambda _, carrier, to, from_, url: placed(url, CALL_PLACED),
    )
    wrap(dialing, "note_sent", after=lambda _, cb, attempt, *__: noted(attempt))
    wrap(dialing, "note_unknown", before=lambda cb, attempt, *_: die(UNKNOWN, attempt))
    wrap(dialing, "answered", after=lambda won, cb, attempt, *_: picked_up(attempt) if won else None)


if "processes" in sys.orig_argv:
    prepare()
