"""Three ways to answer the hold loop, to be measured against each other.

``empty`` answers at once with nothing; ``ours`` is the product; ``idiomatic`` does what most applications
do: FastAPI's form, the SDK's RequestValidator and its VoiceResponse, redis-py as it comes, around the same
decisions and the same script. Ours and the idiomatic one must give the same documents: ``bench doors``
compares them before it measures.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from redis.asyncio import Redis
from starlette.datastructures import FormData
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

from announcements import catalog, pacing
from announcements.pacing import Place, Said
from drill.bench.line import START_MS
from foundation.clock import ManualClock
from foundation.connections import open_redis, open_sql
from ivr import glance, menus, slips
from ivr.app import doors
from ivr.desk import Budget, Desk
from queueing.hours import around_the_clock
from queueing.line import Line
from queueing.policy import LinePolicy, Queue
from queueing.roster import Roster
from surge.office import Watch
from surge.policy import SurgePolicy

PUBLIC_URL = "https://voice.example.com"
TOKEN = "signs the benchmark"  # noqa: S105 of no account
POLICY = LinePolicy(centre="benchdoors", queues=(Queue("support", max_waiting=100_000),))
NOW_MS = START_MS + 3_600_000

App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def desk(redis_url: str) -> Desk:
    """The product's own desk, at a moment that stands still, so that both stacks answer alike."""
    return _desk(open_redis(redis_url, pool=50, timeout_s=5))


def _desk(redis: Redis) -> Desk:
    clock, line, sql = ManualClock(NOW_MS), Line(redis, POLICY), open_sql("sqlite:///never-asked")
    return Desk(
        clock=clock,
        line=line,
        roster=Roster(redis, POLICY),
        redis=redis,
        sql=None,
        policy=POLICY,
        centre=menus.Centre(name="Corner Pay", default_queue="support", hours=around_the_clock("UTC")),
        public_url=PUBLIC_URL,
        auth_tokens=(TOKEN,),
        secret="the benchmark's",  # noqa: S106 keys nothing but the benchmark's fingerprints
        watch=Watch(sql, redis, line, line.keys, clock, SurgePolicy(), None, "UTC"),
        budget=Budget(enrich_s=10, whole_s=20),  # on a busy machine too, the whole answer is measured
    )


async def empty(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The least an ASGI application can do."""
    await receive()
    headers = [(b"content-type", b"text/xml"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def idiomatic(desk: Desk) -> FastAPI:
    """The hold loop as the SDK's documentation would have it written."""
    app = FastAPI(openapi_url=None)

    async def genuine(request: Request) -> FormData:
        form = await request.form()
        url = f"{desk.public_url}{request.url.path}?{request.url.query}"
        signature = request.headers.get("X-Twilio-Signature", "")
        if not RequestValidator(TOKEN).validate(url, form, signature):
            raise HTTPException(403)
        return form

    @app.post("/voice/wait")
    async def wait(request: Request, form: FormData = Depends(genuine)) -> Response:
        query = dict(request.query_params)
        slip, said = slips.read(desk.centre, query), Said.from_query(query)
        now_ms = desk.clock.now_ms()
        facts = await desk.glance.facts(now_ms, slip.queue)
        signature = request.headers["X-Twilio-Signature"]
        hold = await desk.line.hold(str(form["CallSid"]), ask=signature, facts=facts, now_ms=now_ms)
        assert hold is not None
        estimate = glance.wait(hold.facts, hold.queue, hold.band, hold.position)
        low, high = (estimate.p10, estimate.p90) if estimate else (None, None)
        place = Place(hold.position, hold.entered_ms, low, high)
        told = pacing.decide(desk.pacing, said, place, hold.asked_ms)
        said = told.said if told else said
        clips = pacing.next_look_ms(desk.pacing, said, hold.entered_ms, hold.asked_ms) // desk.pacing.clip_ms
        clip = int(query.get("clip", "0"))
        slip = replace(slip, queue=hold.queue, band=hold.band)
        memory = f"&in={hold.entered_ms}"
        memory += f"&said_at={said.at_ms}&said_pos={said.position}&n={said.count}" if said else ""
        tail = f"{slip.query()}&clip={clip + clips}{memory}"
        action = f"{desk.public_url}/voice/wait/key?{tail}"
        gather = Gather(input="dtmf", num_digits=1, timeout=1, method="POST", action=action)
        if told:
            words = catalog.tell(slip.language, told)
            gather.say(words.text, voice=catalog.VOICES["en"], language=catalog.LOCALES["en"])
        for i in range(clips):
            gather.play(desk.clip(clip + i))
        answer = VoiceResponse()
        answer.append(gather)
        answer.redirect(f"{desk.public_url}/voice/wait?{tail}", method="POST")
        return Response(str(answer), media_type="text/xml")

    return app


def stack(name: str, redis_url: str) -> App:
    if name == "empty":
        return empty
    if name == "ours":
        return doors(desk(redis_url))
    return idiomatic(_desk(Redis.from_url(redis_url, decode_responses=True)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=("empty", "ours", "idiomatic"))
    parser.add_argument("--uds", required=True)
    parser.add_argument("--redis", required=True)
    asked = parser.parse_args()
    config = uvicorn.Config(
        stack(asked.name, asked.redis),
        uds=asked.uds,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
