"""All doors, on FastAPI; and the hold loop's in front of it, since it is asked a hundred times as often."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ivr import (
    about,
    agent_leg,
    callback,
    called,
    commands,
    connecting,
    fallback,
    greeting,
    last_resort,
    leaving,
    location,
    menu,
    message,
    owed,
    progress,
    promising,
    texting,
    toggling,
    waiting,
)
from ivr.desk import Desk
from ivr.doorway import Door, Doorway
from ivr.music import CLIPS, FOLDER

DOORS = (
    Door("/voice/incoming", toggling.before(greeting.answer), last_resort.hold),
    Door("/voice/toggle", toggling.pin, last_resort.goodbye),
    Door("/voice/toggle/level", toggling.level, last_resort.goodbye),
    Door("/voice/toggle/confirm", toggling.confirm, last_resort.goodbye),
    Door("/voice/location", location.answer, last_resort.hold),
    Door("/voice/menu", menu.answer, last_resort.hold),
    Door("/voice/incident", about.answer, last_resort.hold),
    Door("/voice/incident/offer", about.offered, last_resort.hold),
    Door("/voice/wait", waiting.answer, last_resort.music),
    Door("/voice/wait/key", waiting.key, last_resort.music),
    Door("/voice/callback", callback.offer, last_resort.music),
    Door("/voice/callback/confirm", callback.confirm, last_resort.music),
    Door("/voice/callback/number", callback.number, last_resort.music),
    Door("/voice/callback/when", callback.when, last_resort.music),
    Door("/voice/callback/text", promising.text, last_resort.promised),
    Door("/voice/owed", owed.choose, last_resort.hold),
    Door("/voice/owed/when", owed.when, last_resort.hold),
    Door("/voice/called", called.answered, last_resort.goodbye),
    Door("/voice/called/key", called.key, last_resort.goodbye),
    Door("/voice/called/connect", called.connect, last_resort.held),
    Door("/voice/called/after", called.after, last_resort.held),
    Door("/voice/called/hold", called.hold, last_resort.held),
    Door("/voice/called/status", called.status, last_resort.silence),
    Door("/voice/left", leaving.answer, last_resort.hold),
    Door("/voice/connect", connecting.connect, last_resort.hold),
    Door("/voice/connecting", connecting.connecting, last_resort.alone),
    Door("/voice/after", connecting.after, last_resort.hold),
    Door("/voice/requeue", connecting.requeue, last_resort.hold),
    Door("/voice/agent", agent_leg.softphone, last_resort.goodbye),
    Door("/voice/agent/answer", agent_leg.answered, last_resort.goodbye),
    Door("/voice/agent/accept", agent_leg.accept, last_resort.goodbye),
    Door("/voice/agent/after", agent_leg.after, last_resort.goodbye),
    Door("/voice/agent/status", agent_leg.status, last_resort.silence),
    Door("/voice/conference", progress.conference, last_resort.silence),
    Door("/voice/status", progress.status, last_resort.silence),
    Door("/voice/message", message.ask, last_resort.goodbye),
    Door("/voice/message/done", message.done, last_resort.goodbye),
    Door("/voice/message/recording", message.recording, last_resort.silence),
    Door("/voice/fallback", fallback.answer, last_resort.hold),
    Door("/sms/incoming", texting.incoming(commands.COMMANDS), last_resort.silence),
    Door("/sms/status", texting.status, last_resort.silence),
)


def hold_music() -> APIRouter:
    """What the doors tell Twilio to play."""
    router = APIRouter(redirect_slashes=False)
    router.add_route("/static/music/{clip}", music, methods=["GET"], include_in_schema=False)
    return router


async def music(request: Request) -> Response:
    """One clip. It never changes under its name: whoever fetched it may keep it for a year."""
    clip = request.path_params["clip"]
    if clip not in CLIPS:
        return PlainTextResponse("There is no such clip.\n", 404)
    return FileResponse(FOLDER / clip, headers={"cache-control": "public, max-age=31536000, immutable"})


class Front:
    """Outermost: every door by its path, before any framework has looked at the request."""

    def __init__(self, desk: Desk, app: ASGIApp) -> None:
        self._app = app
        self._doors = {door.path: Doorway(desk, door) for door in DOORS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (door := self._doors.get(scope["path"])):
            await door(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def doors(desk: Desk) -> ASGIApp:
    """The telephone's front door alone, without the web's: for tests and for the benchmark."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.include_router(hold_music())
    return Front(desk, app)
