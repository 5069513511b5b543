"""A merchant whose phone we have rung for a promise: what the tests of that leg start from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from callbacks import dialing, promises
from callbacks.making import NewPromise
from callbacks.office import Office
from callbacks.tables import Attempt, Promise
from callbacks.turns import turn_name
from foundation.errors import Unavailable
from ivr.app import doors
from ivr.desk import Desk
from queueing.records import Card
from tests.doors.handset import NUMBER, PUBLIC, Handset, Reply, Web
from tests.doors.test_callback import POLICY

SHOP = "+14155550003"
GONE = "I am sorry, the agent is no longer there. Please stay on the line."
CONNECTING = "Thank you. We are connecting you with an agent."
TROUBLE = "We are having trouble on our side. Please stay on the line."
SORRY = (
    "We are having trouble on our side and cannot take your call right now. Please call again later. Goodbye."
)


@dataclass
class Rung(Handset):
    """The merchant's side of a call that we made."""

    number: str = SHOP
    desk: Desk = field(kw_only=True)
    promise: Promise = field(kw_only=True)
    attempt: Attempt = field(kw_only=True)

    @property
    def turn(self) -> str:
        return turn_name(self.promise.id, self.promise.turn)

    async def post(self, path: str, **more: str) -> Reply:
        theirs = {"From": NUMBER, "To": self.number, "Direction": "outbound-api"}
        return await super().post(path, **(theirs | more))

    async def picks_up(self) -> Reply:
        return await self.post(f"/voice/called?attempt={self.attempt.id}")

    async def repeated(self) -> Reply:
        """The last question once more, with the very same signature."""
        path, form, _ = self.web.asked[-1]
        return await self.web.twilio(path, form)

    async def is_over(self, word: str = "completed") -> Reply:
        return await self.post(f"/voice/called/status?attempt={self.attempt.id}", CallStatus=word)

    async def door(self, name: str, more: str = "") -> Reply:
        """One of the doors that effects send the leg to."""
        carried = f"lang=en&q=payments&b=p2&attempt={self.attempt.id}&turn={self.turn}"
        return await self.post(f"/voice/called/{name}?{carried}{more}")

    def stores(self, **changed: Any) -> None:
        """From here on the doors have these: ``sql``, ``line``."""
        office = self.desk.office
        assert office is not None
        now = replace(self.desk, **{name: store for name, store in changed.items() if name != "sql"})
        self.web.app = doors(replace(now, office=replace(office, **changed)))

    async def now(self) -> Promise:
        found = await promises.get(self.desk.office, self.promise.id)
        assert found is not None
        return found

    async def result(self) -> tuple[str, str, int]:
        """The promise's state, how the attempt ended, and the tries that count."""
        promise, (*_, attempt) = await self.now(), await promises.attempts(self.desk.office, self.promise.id)
        return promise.state, attempt.result or attempt.state, promise.tries


class AwayLine:
    """A line that does not answer."""

    def __init__(self, line: Any) -> None:
        self.policy, self.keys = line.policy, line.keys

    def __getattr__(self, name: str) -> Any:
        async def away(*_: object, **__: object) -> None:
            raise Unavailable("away")

        return away


def with_office(desk: Desk, **stores: Any) -> Desk:
    """The desk of a centre that calls back; its callbacks are on these ``stores``, where given."""
    office = Office(
        sql=desk.sql, redis=desk.redis, line=desk.line, keys=desk.keys, clock=desk.clock, policy=POLICY,
        hours=None, time_zone="America/Los_Angeles", ours=(NUMBER,), public_url=PUBLIC,
        centre_name=desk.centre.name, secret=desk.secret,
    )  # fmt: skip
    return replace(desk, office=replace(office, **stores))


async def promise_for(desk: Desk, number: str = SHOP, **more: Any) -> Promise:
    """Promised, and in the line."""
    office = desk.office
    assert office is not None
    card = Card(caller=number, merchant="Book Nook", topic="payments", language=more.get("language", "en"))
    request = NewPromise(number, more.pop("queue", "payments"), "p2", card, **more)
    return (await promises.make(office, request, desk.clock.now_ms())).promise


async def agent_comes(desk: Desk, promise: Promise, login: str) -> int:
    """The agent who is asked for the promise's turn presses Call; the fence."""
    turn, now_ms = turn_name(promise.id, promise.turn), desk.clock.now_ms()
    now = await desk.line.contact(turn)
    assert now is not None
    assert now.agent == login, now
    await desk.line.accept(turn, login, now.fence, now_ms, 75_000)
    return now.fence


async def ring(desk: Desk, promise: Promise, login: str = "ann") -> Rung:
    """The agent presses Call and the merchant's phone rings."""
    fence, turn = await agent_comes(desk, promise, login), turn_name(promise.id, promise.turn)
    now_ms = desk.clock.now_ms()
    intent = await dialing.write_intent(desk.office, promise.id, turn, fence, login, now_ms)
    assert intent.attempt is not None, intent
    leg = Rung(Web(doors(desk)), promise.number, desk=desk, promise=promise, attempt=intent.attempt)
    assert await dialing.note_sent(desk.office, intent.attempt.id, leg.sid, now_ms)
    return leg


async def loses(desk, leg, clock, login="ann"):
    await desk.line.fail_join(leg.turn, clock.now_ms())
    await desk.roster.away(login, "", clock.now_ms())


async def talks(desk, leg, clock):
    await leg.press("1")
    await desk.line.connect(leg.turn, clock.now_ms())
    await dialing.talked(desk.office, leg.attempt.id, clock.now_ms())


async def alike(leg) -> None:
    heard = leg.heard
    assert (await leg.repeated()).body == heard.body


def conference(heard) -> str:
    return heard.one("Conference").text
