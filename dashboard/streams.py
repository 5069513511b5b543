"""The stream behind a live page: what changed, since what the browser says it has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from dashboard.access import Access, allowed
from dashboard.auth import Who
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep, VisitorDep
from dashboard.live import Look, held, message, parts, pulse
from dashboard.problems import Problem
from dashboard.promise_pages import Name, sheet
from dashboard.promise_views import CALLBACK_OUTCOMES, SKIP_REASONS
from dashboard.scene import TROUBLE, Case, Scene, look_at_desk
from dashboard.surge_pages import given
from dashboard.surge_scene import Console, console
from dashboard.views import queue_rows, wall_view
from foundation.errors import Unavailable

router = APIRouter(route_class=Doorway)

PULSE_LOOKS = 3
"""A pulse with every change, and at least every third look."""

CHECK_LOOKS = 4
"""How often it is asked anew whether the reader may still read: every fourth look, so within five seconds."""

SILENCE_S = 15.0

HELD = ("owed", "switches")
"""Parts that the page puts in place itself: nothing in them moves under a pointer."""

Part = tuple[str, Callable[[], str]]
"""What a part is made from, as text, and how it is written. Clocks change the writing, not the making."""


@router.get("/events", include_in_schema=False)
async def events(
    floor: FloorDep,
    who: VisitorDep,
    request: Request,
    page: str = "wallboard",
    owed: Annotated[int, Query(ge=0, le=100_000)] = 0,
    state: Name = "",
    queue: Name = "",
    late: bool = False,
) -> StreamingResponse:
    """What changes on a page, as server-sent events, for as long as it is open. Of promises: those of that
    ``state``, ``queue`` and ``late``, from the row ``owed`` on."""
    if page == "desk":
        if who is None:
            raise Problem("not-signed-in")
        source: Callable[[Look], Awaitable[dict[str, Part]]] = DeskParts(floor, who, owed)
    elif page == "wallboard":
        source = WallParts(floor, who)
    elif page in ("surge", "callbacks"):
        if who is None:
            raise Problem("not-signed-in")
        if not allowed(who.role, Access.LEAD):
            raise Problem("not-allowed")
        asked = {"state": state, "queue": queue, "late": "true" if late else ""}
        source = SurgeParts(floor, who) if page == "surge" else CallbackParts(floor, who, asked, owed)
    else:
        raise Problem("not-found", "There is no live page of that name.")
    known = read_mark(request.headers.get("last-event-id", ""))
    return StreamingResponse(
        follow(floor, who, source, known),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def follow(
    floor: Floor, who: Who | None, source: Callable[[Look], Awaitable[dict[str, Part]]], known: dict[str, str]
) -> AsyncIterator[bytes]:
    """The events of one stream. It ends by itself when the reader's session does."""
    async with floor.watch.watching():
        look = await floor.watch.now()
        told = 0
        while True:
            if who and told % CHECK_LOOKS == 0 and await floor.gate.stands(who.session) is None:
                yield message("signed out", event="over")
                return
            made = {name: (mark(text), write) for name, (text, write) in (await source(look)).items()}
            changed = {name: write() for name, (fresh, write) in made.items() if known.get(name) != fresh}
            if changed or told % PULSE_LOOKS == 0:
                yield pulse(look, floor.rooms.clock.now_ms())
            for name in HELD:
                if name in changed:  # its mark says that the other parts have not been sent yet
                    known |= {name: made[name][0]}
                    yield held(name, changed.pop(name), write_mark(known))
            known = {name: fresh for name, (fresh, _) in made.items()}
            if changed:
                yield parts(changed, write_mark(known))
            told += 1
            look = await _next(floor, look.number)


async def _next(floor: Floor, number: int) -> Look:
    """The next look, or the same one grown old when nobody looked for a while."""
    try:
        async with asyncio.timeout(SILENCE_S):
            return await floor.watch.after(number)
    except TimeoutError:
        return await floor.watch.now(at_most_ms=round(SILENCE_S * 1000))


class DeskParts:
    """The parts of one agent's desk."""

    def __init__(self, floor: Floor, who: Who, start: int = 0) -> None:
        self.floor, self.who, self.start, self.case = floor, who, start, Case()

    async def __call__(self, look: Look) -> dict[str, Part]:
        agent, seen_ms = look.agent(self.who.agent), look.board.at_ms if look.board else 0
        directive = await self.floor.bands.directive()
        scene = await look_at_desk(
            self.floor.rooms, self.who, look, self.case, agent, seen_ms, self.start, directive
        )
        band = await self.floor.bands.now()
        sheet = self.floor.templates.sheet("desk", self.who)
        return {
            "band": (repr(band), lambda: self.floor.templates.text("_band.html", sheet, band=band)),
            "trouble": (repr(scene.trouble), lambda: self._text("_trouble.html", scene)),
            "desk": (repr((scene.desk, scene.match)), lambda: self._text("_desk.html", scene)),
            "line-now": (repr(scene.queues), lambda: self._text("_line.html", scene)),
            "owed": (repr(scene.owed), lambda: self._text("_owed.html", scene)),
        }

    def _text(self, name: str, scene: Scene) -> str:
        return scene_text(self.floor, self.who, name, scene)


def scene_text(floor: Floor, who: Who, name: str, scene: Scene) -> str:
    """A part of the desk as HTML."""
    return floor.templates.text(name, floor.templates.sheet("desk", who), **desk_given(scene))


def desk_given(scene: Scene) -> dict[str, Any]:
    """What the desk's templates are given."""
    return {
        "desk": scene.desk,
        "match": scene.match,
        "queues": scene.queues,
        "trouble": scene.trouble,
        "seen_ms": scene.seen_ms,
        "owed": scene.owed,
        "skip_reasons": SKIP_REASONS,
        "callback_outcomes": CALLBACK_OUTCOMES,
    }


class CallbackParts:
    """The parts of the page of every promise."""

    def __init__(self, floor: Floor, who: Who, asked: dict[str, str], start: int) -> None:
        self.floor, self.who, self.asked, self.start = floor, who, asked, start

    async def __call__(self, look: Look) -> dict[str, Part]:
        trouble, band = TROUBLE.get(look.trouble), await self.floor.bands.now()
        told: dict[str, Part] = {
            "trouble": (repr(trouble), lambda: self._text("_trouble.html", trouble=trouble)),
            "band": (repr(band), lambda: self._text("_band.html", band=band)),
        }
        try:
            now = await sheet(self.floor, look, self.asked, self.start)
        except Unavailable:
            return told
        counts, switches, list_now = now["counts"], now["switches"], (now["view"], now["page"])
        return told | {
            "promises-now": (repr((counts, now["cap"])), lambda: self._text("_promises_now.html", **now)),
            "switches": (repr(switches), lambda: self._text("_switches.html", **now)),
            "owed": (repr((list_now, counts.late)), lambda: self._text("_promises.html", **now)),
        }

    def _text(self, name: str, **values: object) -> str:
        return self.floor.templates.text(name, self.floor.templates.sheet("callbacks", self.who), **values)


class SurgeParts:
    """The parts of the surge console that move: never a box somebody types in."""

    PARTS = (
        "pressure", "links", "suggestions", "surge-now", "surge-said", "surge-chart", "surge-events",
    )  # fmt: skip

    def __init__(self, floor: Floor, who: Who) -> None:
        self.floor, self.who = floor, who

    async def __call__(self, look: Look) -> dict[str, Part]:
        trouble = TROUBLE.get(look.trouble)
        band = await self.floor.bands.now()
        told: dict[str, Part] = {
            "trouble": (repr(trouble), lambda: self._text("_trouble.html", trouble=trouble)),
            "band": (repr(band), lambda: self._text("_band.html", band=band)),
        }
        try:
            now = await console(self.floor, self.who, look)
        except Unavailable:
            return told
        made = (
            (now.level, now.load), now.links, now.suggestions,
            (now.tiles, now.longest_ms, now.longest_mark), now.live, now.load.chart, now.events,
        )  # fmt: skip
        for part, value in zip(self.PARTS, made, strict=True):
            told[part] = (repr(value), self._writer(f"_{part.replace('-', '_')}.html", now))
        return told

    def _writer(self, name: str, now: Console) -> Callable[[], str]:
        return lambda: self._text(name, **given(self.floor, now))

    def _text(self, name: str, **values: object) -> str:
        return self.floor.templates.text(name, self.floor.templates.sheet("surge", self.who), **values)


class WallParts:
    """The parts of the wallboard."""

    def __init__(self, floor: Floor, who: Who | None) -> None:
        self.floor, self.who = floor, who

    async def __call__(self, look: Look) -> dict[str, Part]:
        trouble = TROUBLE.get(look.trouble)
        band = await self.floor.bands.now()
        told: dict[str, Part] = {
            "trouble": (repr(trouble), lambda: self._text("_trouble.html", trouble=trouble)),
            "band": (repr(band), lambda: self._text("_band.html", band=band)),
        }
        if look.board is not None:
            given = board_given(self.floor, look)
            told["board"] = (repr(given), lambda: self._text("_board.html", **given))
        return told

    def _text(self, name: str, **given: object) -> str:
        return self.floor.templates.text(name, self.floor.templates.sheet("wallboard", self.who), **given)


def board_given(floor: Floor, look: Look) -> dict[str, Any]:
    """What the wallboard's template is given. There must have been a look."""
    targets = floor.rooms.targets
    assert look.board is not None
    view = wall_view(
        look.board,
        look.day,
        look.told,
        answered_pct=targets.answered_pct,
        within_s=targets.within_s,
        longest_wait_ms=targets.longest_wait_ms,
        abandoned_pct=targets.abandoned_pct,
    )
    ladders = {name: queue.ladder for name, queue in look.pulse.queues.items()} if look.pulse else {}
    return {"board": view, "queues": queue_rows(look.board, targets.longest_wait_ms, ladders)}


# -- what the browser has, carried by the browser --------------------------------------------------------


def mark(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]


def write_mark(known: dict[str, str]) -> str:
    return ",".join(f"{name}:{fingerprint}" for name, fingerprint in known.items())


def read_mark(text: str) -> dict[str, str]:
    """The parts a Last-Event-ID tells of. Nonsense tells of none, and all are sent."""
    pairs = [pair.partition(":") for pair in text[:500].split(",")]
    return {name: fingerprint for name, colon, fingerprint in pairs if colon}
