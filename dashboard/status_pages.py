"""The public status page, its JSON and RSS, and text-me. No login, no script.

It is of this moment while the stores answer; when they do not, the files that were written at the last post
are served, and say so. Whoever asks to be texted is texted a code first; asking is limited per number, per
block of numbers, per address and in all, so that nobody makes us text strangers or numbers that earn by it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from announcements.written import written
from carrier.numbers import dialable, normalise
from dashboard.attempts import Limit
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep
from foundation.errors import Mendable, Unavailable
from queueing import pulse
from surge import public_page, sign_ups, status_page
from surge.public_page import Form as TextMe
from surge.public_page import Status

router = APIRouter(route_class=Doorway, include_in_schema=False)

PER_ADDRESS = Limit(6, 3_600)
PER_NUMBER = Limit(3, 3_600)
PER_BLOCK = Limit(20, 3_600)
"""Numbers that differ in their last three digits: who earns by texts has many in a row."""
IN_ALL = Limit(300, 3_600)
CODES_PER_ADDRESS = Limit(30, 600)
FRESH_MS = 15_000
POLICY = (
    "default-src 'none'; style-src {style}; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)

Language = Annotated[str, Query(max_length=8)]
Typed = Annotated[str, Form(max_length=60)]


@router.get("/status")
async def page(
    floor: FloorDep, lang: Language = "", done: Annotated[str, Query(max_length=8)] = ""
) -> Response:
    language = sign_ups.languages(floor.rooms.surge, lang)
    form = TextMe(said=written(language, "status_subscribed")) if done == "texts" else TextMe()
    return await _page(floor, language, form)


@router.get("/status.json")
async def as_json(floor: FloorDep) -> Response:
    try:
        text = public_page.as_json(await status_now(floor))
    except Unavailable:
        text = await _kept(floor, "status.json")
    return Response(text, media_type="application/json", headers=_public())


@router.get("/status.rss")
async def as_rss(floor: FloorDep, lang: Language = "") -> Response:
    try:
        text = public_page.rss(await status_now(floor), sign_ups.languages(floor.rooms.surge, lang))
    except Unavailable:
        text = await _kept(floor, "status.rss")
    return Response(text, media_type="application/rss+xml", headers=_public())


@router.get("/status/text-me")
async def text_me_page() -> Response:
    return RedirectResponse("/status#text-me", 303)


@router.post("/status/text-me")
async def text_me(request: Request, floor: FloorDep, number: Typed = "", lang: Typed = "") -> Response:
    """A code to the number. The answer is the same whether the number can be texted or not."""
    rooms = floor.rooms
    language = sign_ups.languages(rooms.surge, lang)
    try:
        e164 = normalise(number, rooms.region)
        if dialable(e164, rooms.surge.policy.regions, rooms.surge.ours) is not None:
            raise Mendable("We do not text that number.")
    except Mendable:
        fault = TextMe(fault=written(language, "status_number_wrong"))
        return await _page(floor, language, fault, status=422)
    try:
        wait_s = await _admit(request, floor, e164)
        if wait_s:
            minutes = -(-wait_s // 60)
            fault = TextMe(fault=written(language, "status_too_many", minutes=minutes))
            answer = await _page(floor, language, fault, status=429)
            answer.headers["Retry-After"] = str(wait_s)
            return answer
        if not (await status_now(floor)).live:
            form = TextMe(said=written(language, "status_nothing_now"))
            return await _page(floor, language, form)
        token = await sign_ups.ask(rooms.surge, e164, language, rooms.clock.now_ms())
    except Unavailable:
        return await _page(floor, language, TextMe("none", said=written(language, "status_away")), status=503)
    return await _page(floor, language, TextMe("code", token))


@router.post("/status/code")
async def code(
    request: Request, floor: FloorDep, code: Typed = "", token: Typed = "", lang: Typed = ""
) -> Response:
    """The code typed back: only now is anybody subscribed."""
    rooms = floor.rooms
    language = sign_ups.languages(rooms.surge, lang)
    wait_s = await floor.gate.attempts.admit(
        f"status-code:{_address(request)}", CODES_PER_ADDRESS, rooms.wall.now_ms()
    )
    wrong = TextMe("code", token, fault=written(language, "status_code_wrong"))
    if wait_s:
        return await _page(floor, language, wrong, status=429)
    try:
        subscribed = await sign_ups.confirm(rooms.surge, token, code, rooms.clock.now_ms())
    except Unavailable:
        return await _page(floor, language, TextMe("none", said=written(language, "status_away")), status=503)
    if subscribed is None:
        return await _page(floor, language, wrong, status=422)
    return RedirectResponse(f"/status?lang={language}&done=texts", 303)


async def _admit(request: Request, floor: Floor, number: str) -> int:
    """0 when the number may be texted a code, else the seconds until it may.

    The narrow limits come first: what they refuse does not use up what others may still ask for.
    """
    now_ms, admit = floor.rooms.wall.now_ms(), floor.gate.attempts.admit
    for name, limit in (
        (f"status-from:{_address(request)}", PER_ADDRESS),
        (f"status-number:{number}", PER_NUMBER),
        (f"status-block:{number[:-3]}", PER_BLOCK),
        ("status-all", IN_ALL),
    ):
        if wait_s := await admit(name, limit, now_ms):
            return wait_s
    return 0


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"


# -- what is shown ---------------------------------------------------------------------------------------


async def status_now(floor: Floor) -> Status:
    """Raises Unavailable when SQL is away."""
    rooms = floor.rooms
    now_ms = rooms.clock.now_ms()
    status = await status_page.status_of(rooms.surge, now_ms)
    return replace(status, wait_min=await _wait_min(floor, now_ms))


async def _wait_min(floor: Floor, now_ms: int) -> tuple[int, int] | None:
    """The wait of who calls now, in minutes, on the longest queue; None when nothing honest can be said."""
    rooms = floor.rooms
    try:
        seen = await pulse.read(rooms.redis, rooms.line.keys)
    except Unavailable:
        return None
    if seen is None or not 0 <= now_ms - seen.at_ms < FRESH_MS:
        return None
    found = [queue.newcomers_wait() for queue in seen.queues.values() if queue.waiting]
    waits = [each for each in found if each is not None]
    if not waits or len(waits) < len(found):
        return None  # nobody waits, or nobody serves a queue in which somebody does
    longest = max(waits, key=lambda each: each.p50)
    low, high = round(longest.p10 / 60), max(1, -(-round(longest.p90) // 60))
    return (low, high) if high <= 240 else None


async def _page(floor: Floor, language: str, form: TextMe, *, status: int = 200) -> Response:
    try:
        text = public_page.html(await status_now(floor), language, form=form)
    except Unavailable:
        text = await _kept(floor, f"status.{language}.html")
    return Response(text, status, _public(), media_type="text/html; charset=utf-8")


async def _kept(floor: Floor, name: str) -> str:
    """The file of the last post. Raises Unavailable when there is none."""
    text = await asyncio.to_thread(status_page.kept, floor.rooms.surge, name)
    if text is None:
        raise Unavailable()
    if name.endswith(".json"):
        return json.dumps({**json.loads(text), "stale": True}, ensure_ascii=False)
    return text


def _public() -> dict[str, str]:
    return {
        "Content-Security-Policy": POLICY.format(style=public_page.style_hash()),
        "Cache-Control": "public, max-age=15",
    }
