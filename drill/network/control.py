"""The double's own control routes, ``/_double/*``: ring in, press, speak, hang up, watch, make trouble.

::

    POST   /calls {from, to?, label?, script?} -> {sid}     somebody rings in (script: see drill/people.py)
    GET    /calls[?active=1] · /calls/{sid}                 where they stand, and what was heard
    GET    /calls/{sid}/events                              server-sent events: line, state, ended
    POST   /calls/{sid}/press {digits} · /speak {text} -> {heard} · /hang_up · /pick_up -> {picked_up}
    GET    /ringing?number=+1…[&number=…]                   holds these telephones; server-sent event: ringing
    POST   /clients/connect {token, params} -> {sid}        a softphone dials in
    POST   /phones/{number} {answers, after_ms, keys, script, text_error, then}   how a telephone behaves
    POST   /texts {from, to?, body} -> {sid}                somebody texts us
    GET    /texts[?number=+1…]                              what is on that handset; without: all texts
    POST   /directory {callers: [{number, name, note}]}     whom the phone page offers
    POST   /faults {seed, rules: […]} · GET · DELETE        mischief (drill/faults.py)
    GET    /violations · DELETE                             every breach of Twilio's contract
    GET    /stats · /clock                                  POST /clock {advance_ms} on a manual clock
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from drill.network import handsets
from drill.network.exchange import Exchange, Phone
from drill.network.legs import Leg
from drill.network.people import Script, hang_up, press, speak
from drill.network.softphones import identity_of
from drill.network.switchboard import Switchboard
from drill.network.timekeeping import pass_time
from drill.network.webhooks import is_loopback
from foundation.clock import Clock, ManualClock
from foundation.errors import Mendable

KEYS = frozenset("0123456789*#ABCDw")
ALIVE_S = 15
LONGEST_WORDS = 20_000
MOST_LISTED = 10_000

Endpoint = Callable[[Request], Awaitable[Response]]


class Control:
    """The endpoints. Every fault in what is asked is a 400 that says what to mend."""

    def __init__(self, exchange: Exchange, switchboard: Switchboard, wall: Clock, allow_remote: bool) -> None:
        self.exchange = exchange
        self.switchboard = switchboard
        self.wall = wall
        self.allow_remote = allow_remote

    def routes(self) -> list[Route]:
        paths: list[tuple[str, str, Endpoint]] = [
            ("POST", "/calls", self.ring_in),
            ("GET", "/calls", self.calls),
            ("GET", "/calls/{sid}", self.call),
            ("GET", "/calls/{sid}/events", self.events),
            ("POST", "/calls/{sid}/press", self.press),
            ("POST", "/calls/{sid}/speak", self.speak),
            ("POST", "/calls/{sid}/hang_up", self.hang_up),
            ("POST", "/calls/{sid}/pick_up", self.pick_up),
            ("GET", "/ringing", self.ringing),
            ("POST", "/clients/connect", self.connect),
            ("POST", "/texts", self.text_in),
            ("GET", "/texts", self.texts),
            ("POST", "/phones/{number}", self.set_phone),
            ("GET", "/phones/{number}", self.phone),
            ("GET", "/directory", self.directory),
            ("POST", "/directory", self.set_directory),
            ("GET", "/faults", self.faults),
            ("POST", "/faults", self.set_faults),
            ("DELETE", "/faults", self.no_faults),
            ("GET", "/violations", self.violations),
            ("DELETE", "/violations", self.forget_violations),
            ("GET", "/stats", self.stats),
            ("GET", "/clock", self.clock),
            ("POST", "/clock", self.advance),
        ]
        return [Route(f"/_double{path}", self._guarded(act), methods=[how]) for how, path, act in paths]

    def _guarded(self, act: Endpoint) -> Endpoint:
        """Only for this machine: a page from elsewhere may not drive the double."""

        async def guarded(request: Request) -> Response:
            origin = urlsplit(request.headers.get("origin", "")).hostname
            host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
            foreign = (origin and not is_loopback(origin)) or not is_loopback(host)
            if foreign and not self.allow_remote:
                return JSONResponse({"error": "the double is driven from this machine only"}, 403)
            try:
                return await act(request)
            except Mendable as fault:
                return JSONResponse({"error": str(fault)}, 400)

        return guarded

    # -- calls -------------------------------------------------------------------------------------

    async def ring_in(self, request: Request) -> Response:
        asked = await _read(request)
        to = str(asked.get("to") or self._first_number())
        script = asked.get("script")
        if script is not None and not isinstance(script, dict):
            raise Mendable("script must be an object")
        caller = str(asked.get("from") or "anonymous").strip()
        leg = self.switchboard.ring_in(caller, to, str(asked.get("label", "")), script)
        return JSONResponse({"sid": leg.sid}, 201)

    async def connect(self, request: Request) -> Response:
        """A softphone dials in, as Voice SDK's ``device.connect({params})``."""
        asked = await _read(request)
        params = asked.get("params") or {}
        if not isinstance(params, dict):
            raise Mendable("params must be an object")
        now_s = self.wall.now_ms() / 1000
        try:
            identity, app_sid = identity_of(str(asked.get("token", "")), self.exchange.account, now_s)
        except Mendable as fault:
            self.exchange.breach("token", 20101, str(fault))
            return JSONResponse({"error": str(fault), "code": 20101}, 401)
        fields = {str(name): str(value) for name, value in params.items()}
        leg = self.switchboard.connect_client(identity, app_sid, fields)
        return JSONResponse({"sid": leg.sid}, 201)

    async def calls(self, request: Request) -> Response:
        """The calls, newest first, without transcripts; ``?active=1`` for those under way."""
        active = request.query_params.get("active") is not None
        legs = [leg for leg in reversed(self.exchange.legs.values()) if not (active and leg.ended)]
        shown = [{**leg.shown(), "transcript": len(leg.heard)} for leg in legs[:MOST_LISTED]]
        return JSONResponse({"calls": shown})

    async def call(self, request: Request) -> Response:
        leg = self._leg(request)
        return JSONResponse(leg.shown()) if leg else _unknown()

    async def press(self, request: Request) -> Response:
        leg = self._leg(request)
        digits = str((await _read(request)).get("digits", ""))
        if not digits or not set(digits) <= KEYS:
            raise Mendable("digits are 0-9, * and #")
        if leg is None:
            return _unknown()
        return JSONResponse({"heard": not leg.ended and press(self.exchange, leg, digits)})

    async def speak(self, request: Request) -> Response:
        leg = self._leg(request)
        text = str((await _read(request)).get("text", "")).strip()
        if not text or len(text) > LONGEST_WORDS:
            raise Mendable(f"text has 1 to {LONGEST_WORDS} characters")
        if leg is None:
            return _unknown()
        return JSONResponse({"heard": not leg.ended and speak(self.exchange, leg, text)})

    async def hang_up(self, request: Request) -> Response:
        leg = self._leg(request)
        if leg is None:
            return _unknown()
        hang_up(self.exchange, leg)
        return JSONResponse({"status": leg.status.value})

    async def pick_up(self, request: Request) -> Response:
        """A call that rings on a telephone which is held is picked up."""
        leg = self._leg(request)
        if leg is None:
            return _unknown()
        return JSONResponse({"picked_up": self.exchange.hands.pick_up(leg)})

    async def ringing(self, request: Request) -> Response:
        """While this is read, these numbers are in the hand of whoever reads it."""
        numbers = {f"+{number.lstrip(' +')}" for number in request.query_params.getlist("number")}
        if not numbers:
            raise Mendable("number is missing: which telephones are held?")
        return _streamed(self.exchange.hands.watch(numbers))

    async def events(self, request: Request) -> Response:
        """The transcript as it grows: ``line`` and ``state`` events; ``ended`` when the call is over."""
        leg = self._leg(request)
        if leg is None:
            return _unknown()
        try:
            since = int(request.headers.get("last-event-id") or request.query_params.get("since") or 0)
        except ValueError:
            since = 0
        return _streamed(_stream(leg, since))

    # -- texts -------------------------------------------------------------------------------------

    async def text_in(self, request: Request) -> Response:
        asked = await _read(request)
        to = str(asked.get("to") or self._first_number())
        from_ = str(asked.get("from") or "").strip()
        if not from_:
            raise Mendable("from is missing: a text has a sender")
        text = handsets.write(self.exchange, self.switchboard.outbox, from_, to, str(asked.get("body", "")))
        return JSONResponse({"sid": text.sid}, 201)

    async def texts(self, request: Request) -> Response:
        """The oldest first. (A + in a query has to be written %2B; a blank is taken for one.)"""
        number = request.query_params.get("number", "")
        number = f"+{number[1:]}" if number.startswith(" ") else number
        found = handsets.shown(self.exchange, number) if number else self.exchange.messages.values()
        return JSONResponse({"texts": [text.shown() for text in list(found)[-MOST_LISTED:]]})

    # -- the world around --------------------------------------------------------------------------

    async def set_phone(self, request: Request) -> Response:
        """``{"answers": true | false | "busy" | "no-answer" | "machine" | "failed", "after_ms": 4000,
        "keys": "1", "script": {…}, "text_error": 30006}``; ``keys`` are pressed on the first words heard,
        with a ``text_error`` texts to it are not delivered; ``then`` lists how it answers the next times.
        """
        asked = await _read(request)
        then = asked.get("then", [])
        if not isinstance(then, list):
            raise Mendable("then is a list: how it answers the next times")
        answers, *then = [_manner(each) for each in (asked.get("answers", True), *then)]
        script = dict(asked.get("script") or {})
        if asked.get("keys"):
            script["presses"] = [*script.get("presses", []), {"when": ".", "digits": str(asked["keys"])}]
        Script.of(script)
        error = asked.get("text_error")
        if error is not None and not (isinstance(error, int) and 30000 <= error < 40000):
            raise Mendable("text_error is one of Twilio's codes, 30003 to 30034")
        phone = Phone(answers, int(asked.get("after_ms", 4000)), script, error, then)
        self.exchange.phones[request.path_params["number"]] = phone
        return await self.phone(request)

    async def phone(self, request: Request) -> Response:
        phone = self.exchange.phones.get(request.path_params["number"], Phone())
        shown = {"answers": phone.answers, "after_ms": phone.after_ms, "script": phone.script}
        return JSONResponse({**shown, "text_error": phone.text_error, "then": phone.then})

    async def directory(self, request: Request) -> Response:
        ours = [number.number for number in self.exchange.numbers.values()]
        return JSONResponse({"callers": self.exchange.directory, "numbers": ours})

    async def set_directory(self, request: Request) -> Response:
        """``{"callers": [{"number", "name", "note"}]}``: who may be rung in as, offered by the page."""
        callers = (await _read(request)).get("callers")
        if not isinstance(callers, list) or not all(
            isinstance(each, dict) and each.get("number") for each in callers
        ):
            raise Mendable("callers must be a list of objects with a number")
        kept = ("number", "name", "note")
        self.exchange.directory = [{key: str(each.get(key, "")) for key in kept} for each in callers]
        return await self.directory(request)

    async def faults(self, request: Request) -> Response:
        return JSONResponse({"rules": self.exchange.courier.faults.shown()})

    async def set_faults(self, request: Request) -> Response:
        self.exchange.courier.faults.replace(await _read(request))
        return await self.faults(request)

    async def no_faults(self, request: Request) -> Response:
        self.exchange.courier.faults.replace({})
        return await self.faults(request)

    async def violations(self, request: Request) -> Response:
        ledger = self.exchange.ledger
        return JSONResponse({"count": ledger.breaches, "violations": ledger.listed()})

    async def forget_violations(self, request: Request) -> Response:
        self.exchange.ledger.clear()
        return await self.violations(request)

    async def stats(self, request: Request) -> Response:
        exchange = self.exchange
        waiting = {queue.name: len(queue) for queue in exchange.queues.values()}
        stages: dict[str, int] = {}
        for leg in exchange.legs.values():
            if not leg.ended:
                stages[leg.stage.value] = stages.get(leg.stage.value, 0) + 1
        now = {"active_calls": exchange.active(), "stages": stages, "waiting": waiting}
        return JSONResponse({"now_ms": exchange.now_ms(), **now, **exchange.ledger.shown()})

    async def clock(self, request: Request) -> Response:
        return JSONResponse({"now_ms": self.exchange.now_ms()})

    async def advance(self, request: Request) -> Response:
        """``{"advance_ms": 1000}``, on a manual clock only."""
        clock = self.exchange.clock
        if not isinstance(clock, ManualClock):
            raise Mendable("this clock runs by itself")
        ms = (await _read(request)).get("advance_ms")
        if not isinstance(ms, int | float) or not 0 <= ms <= 86_400_000:
            raise Mendable("advance_ms is 0 to 86400000")
        await pass_time(self.exchange, clock, ms)
        return await self.clock(request)

    def _leg(self, request: Request) -> Leg | None:
        return self.exchange.legs.get(request.path_params["sid"])

    def _first_number(self) -> str:
        return next((number.number for number in self.exchange.numbers.values()), "")


def _streamed(events: AsyncIterator[str]) -> Response:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


def _unknown() -> Response:
    return JSONResponse({"error": "no such call"}, 404)


def _manner(answers: Any) -> str:
    """How a telephone answers. Raises Mendable."""
    manner = {True: "human", False: "no-answer"}.get(answers, answers)
    if manner not in ("human", "machine", "busy", "no-answer", "failed"):
        raise Mendable("answers is true, false, busy, no-answer, machine or failed")
    return str(manner)


async def _read(request: Request) -> Mapping[str, Any]:
    """The JSON object that was sent; nothing at all is an empty one. Raises Mendable."""
    body = await request.body()
    if not body:
        return {}
    try:
        asked = json.loads(body)
    except ValueError:
        raise Mendable("the body must be JSON") from None
    if not isinstance(asked, dict):
        raise Mendable("the body must be a JSON object")
    return asked


async def _stream(leg: Leg, since: int) -> AsyncIterator[str]:
    watcher = asyncio.Event()
    leg.watchers.add(watcher)
    state: dict[str, Any] = {}
    sent = since
    try:
        while True:
            watcher.clear()
            first = leg.said - len(leg.heard)
            for number, line in enumerate(leg.heard, first + 1):
                if number > sent:
                    sent = number
                    yield f"id: {number}\nevent: line\ndata: {json.dumps(line.shown())}\n\n"
            now = {key: value for key, value in leg.shown().items() if key != "transcript"}
            if now != state:
                state = now
                yield f"event: state\ndata: {json.dumps(state)}\n\n"
            if leg.ended:
                over = {"kind": "ended", "status": leg.status.value, "at_ms": leg.ended_ms}
                yield f"event: ended\ndata: {json.dumps(over)}\n\n"
                return
            try:
                await asyncio.wait_for(watcher.wait(), ALIVE_S)
            except TimeoutError:
                yield ": alive\n\n"
    finally:
        leg.watchers.discard(watcher)
