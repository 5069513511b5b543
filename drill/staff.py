"""The simulated agents: each works at the product's own API, and speaks through the phone network.

They know nothing of the product but what a desk knows: HTTP, a cookie, the token of a softphone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog

from drill.temper import Answer, Talk, Temper
from foundation.clock import Clock

LOOK_MS = 1_000
CALLBACK_NOTES = {
    "reached": "Called back; solved.",
    "no_answer": "Rang out.",
    "machine": "A machine answered.",
    "wrong_number": "Somebody else's number.",
    "again": "No time now, asked to be called again.",
}
"""How a callback went, and what an agent writes to it."""
ASK_AGAIN_S = 5
"""After a hang-up the talk still goes on: the product, or the network, could not carry it out."""
LEAST_LOOK_MS = 500
"""Of real time: however fast the clock, a desk is not looked at more often."""
NEWS_LOOK_MS = 300_000
"""A desk that is told of news looks all the same, now and then."""
OUTCOMES = ["resolved", "resolved", "resolved", "follow_up", "escalated"]
NOTES = {
    "resolved": "Solved on the call.",
    "follow_up": "Sent a replacement reader, check on arrival.",
    "escalated": "Passed to the second line with the logs.",
}

log = structlog.get_logger(__name__)


class Unwelcome(Exception):
    """The product did not let the agent in."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How an agent signs in: by a link that works once, later by password."""

    agent: str
    link: str
    password: str
    part: str = "agent"
    """Or "lead", or "clerk": see ``desks``."""


class Agent:
    """One agent at work. ``counts`` is shared by the staff: what was done, and what went wrong."""

    def __init__(
        self,
        who: Identity,
        product: httpx2.AsyncClient,
        network: httpx2.AsyncClient,
        clock: Clock,
        temper: Temper,
        counts: Counter[str],
        speed: float = 1.0,
        news: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        """``news``: returns after so many milliseconds, or sooner when something concerns this agent; a desk
        without it looks again and again."""
        self.who = who
        self.product = product
        self.network = network
        self.clock = clock
        self.temper = temper
        self.counts = counts
        self.look_ms = max(LOOK_MS, LEAST_LOOK_MS * speed) if news is None else NEWS_LOOK_MS
        self.news = news or clock.sleep
        self.resting = False
        """On a break, or gone home: not back at the desk by themselves."""
        self._csrf = ""
        self._answered: tuple[str, int] = ("", 0)

    async def work(self) -> None:
        """Take contacts until cancelled."""
        await self.at_the_product(self._take_contacts)

    async def _take_contacts(self) -> None:
        if not self.resting:
            await self._post("/api/v1/me/ready")
        while True:
            await self._act(await self._me())
            await self.news(self.look_ms)

    async def at_the_product(self, work: Callable[[], Awaitable[None]]) -> None:
        """Sign in and do ``work``; both again when the product was lost."""
        while True:
            try:
                await self.sign_in()
                await work()
            except (httpx2.HTTPError, Unwelcome, ValueError) as error:
                self.counts["away"] += 1
                log.warning("an agent lost the product", agent=self.who.agent, why=repr(error)[:200])
                await self.clock.sleep(5_000)

    async def sign_in(self) -> None:
        """Open a session, by the link the first time. Raises Unwelcome when neither is taken."""
        if self.who.link and not self.product.cookies:
            await self.product.get(self.who.link)
            if await self._known():
                return
        form = await self.product.get("/sign-in")
        token = form.text.partition('name="visit" value="')[2].partition('"')[0]
        given = {"login": self.who.agent, "password": self.who.password, "visit": token}
        await self.product.post("/sign-in", data=given)
        if not await self._known():
            raise Unwelcome("the product did not take link or password")

    async def rest(self, path: str, **given: Any) -> None:
        """Away or off, at once or after the talk, and no sooner back than ``resting`` is taken back."""
        self.resting = True
        await self._post(path, **given)

    async def presence(self) -> str:
        """ "" when the product could not tell."""
        return str((await self._me()).get("presence") or "")

    async def read(self, path: str) -> dict[str, Any]:
        """What the API tells. Raises Unwelcome, httpx2.HTTPError."""
        answer = await self.product.get(path)
        if answer.status_code == 401:
            raise Unwelcome("the session is over")
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    async def _known(self) -> bool:
        answer = await self.product.get("/api/v1/me")
        if answer.is_success:
            self._csrf = answer.json()["csrf"]
        return bool(answer.is_success)

    async def _me(self) -> dict[str, Any]:
        answer = await self.product.get("/api/v1/me")
        if answer.status_code == 401:
            raise Unwelcome("the session is over")
        self._note(answer)
        me: dict[str, Any] = answer.json() if answer.is_success else {}
        self._csrf = me.get("csrf", self._csrf)
        return me

    async def _act(self, me: dict[str, Any]) -> None:
        """What an agent does in each presence."""
        match me.get("presence"):
            case "reserved":
                await self._asked(me["contact"]["id"], me["fence"])
            case "wrap_up":
                await self._write_down(me["contact"], me["fence"])
            case "away" | "off" if not self.resting:
                await self.clock.sleep(self.temper.accept_s() * 5_000)
                if not self.resting:
                    await self._post("/api/v1/me/ready")
            case _:
                pass  # ready: the next contact comes by itself; talking: see _asked

    async def _asked(self, contact: str, fence: int) -> None:
        """Asked to take a contact: yes, no, or not at the desk. One answer for each reservation."""
        if (contact, fence) == self._answered:
            return
        self._answered = (contact, fence)
        answer = self.temper.answer()
        await self.clock.sleep(self.temper.accept_s() * 1000)
        if answer is Answer.MISS:
            self.counts["missed"] += 1
            return
        if answer is Answer.DECLINE:
            self.counts["declined"] += 1
            await self._post(f"/api/v1/contacts/{contact}/decline", fence=fence)
            return
        if await self._post(f"/api/v1/contacts/{contact}/accept", fence=fence):
            self.counts["called" if _is_callback(contact) else "accepted"] += 1
            await self._talk(contact, fence, self.temper.talk())

    async def _talk(self, contact: str, fence: int, talk: Talk) -> None:
        """Dial in by softphone, talk, hold, and end or pass on; stop when the caller has gone."""
        leg = await self._dial_in(contact, fence)
        if not leg:
            return
        parts = [talk.talk_s - talk.hold_s, talk.hold_s] if talk.hold_s else [talk.talk_s]
        if not await self._stay(contact, fence, parts[0]):
            return
        if talk.hold_s:
            self.counts["held"] += 1
            await self._post(f"/api/v1/contacts/{contact}/hold", fence=fence)
            if not await self._stay(contact, fence, talk.hold_s):
                return
            await self._post(f"/api/v1/contacts/{contact}/unhold", fence=fence)
        if talk.transfers and await self._pass_on(contact, fence):
            return
        while True:
            await self._post(f"/api/v1/contacts/{contact}/hang-up", fence=fence)
            if not await self._stay(contact, fence, ASK_AGAIN_S):
                return

    async def _dial_in(self, contact: str, fence: int) -> str:
        """The leg of the softphone, "" when it could not dial."""
        phone = (await self.product.get("/api/v1/softphone")).json()
        params = {"contact": contact, "fence": str(fence)}
        answer = await self.network.post(
            "/_double/clients/connect", json={"token": phone["token"], "params": params}
        )
        if not answer.is_success:
            self.counts["errors"] += 1
            log.error("the softphone was not let in", agent=self.who.agent, answer=answer.text[:200])
            return ""
        return str(answer.json()["sid"])

    async def _stay(self, contact: str, fence: int, talk_s: float) -> bool:
        """Talk for so long from the moment the two have met; False when it is over before."""
        left_ms = talk_s * 1000
        while True:
            me = await self._me()
            if not me:  # the product could not tell: nobody hangs up for that
                await self.clock.sleep(2 * self.look_ms)
                continue
            now = me.get("contact") or {}
            if me.get("presence") != "talking" or (now.get("id"), me.get("fence")) != (contact, fence):
                return False
            if left_ms < 1:  # the clock is read in whole milliseconds
                return True
            began_ms = self.clock.now_ms()
            await self.news(min(left_ms, 2 * self.look_ms))
            if now.get("state") == "connected":
                left_ms -= self.clock.now_ms() - began_ms

    async def _pass_on(self, contact: str, fence: int) -> bool:
        """Transfer to another queue; False when there is none, or it was not to be."""
        here = (await self._me()).get("contact") or {}
        queues = [queue["queue"] for queue in (await self.product.get("/api/v1/queues")).json()["queues"]]
        others = [queue for queue in queues if queue != here.get("queue")]
        if not others:
            return False
        self.counts["transferred"] += 1
        to = self.temper.one_of(others)
        return await self._post(f"/api/v1/contacts/{contact}/transfer", fence=fence, queue=to)

    async def _write_down(self, contact: dict[str, Any], fence: int) -> None:
        await self.clock.sleep(self.temper.wrap_up_s() * 1000)
        if _is_callback(contact["id"]):
            outcome = self.temper.callback_outcome() if contact.get("answered_ms") else "no_answer"
            note = CALLBACK_NOTES[outcome]
            self.counts["reached" if outcome == "reached" else "not reached"] += 1
        else:
            outcome = self.temper.one_of(OUTCOMES)
            note = NOTES[outcome]
        path = f"/api/v1/contacts/{contact['id']}/wrap-up"
        await self._post(path, fence=fence, outcome=outcome, note=note)
        break_s = self.temper.break_s()
        if break_s and not self.resting:
            self.counts["breaks"] += 1
            await self._post("/api/v1/me/away", reason="Break")
            await self.clock.sleep(break_s * 1000)
            if not self.resting:  # else they have gone home meanwhile
                await self._post("/api/v1/me/ready")

    async def _post(self, path: str, **given: Any) -> bool:
        """Whether the product did it. A race lost to the caller or to the clock is no error, nor is a 503."""
        answer = await self.product.post(path, json=given, headers={"X-CSRF-Token": self._csrf})
        if answer.status_code == 401:
            raise Unwelcome("the session is over")
        self._note(answer)
        return bool(answer.is_success)

    def _note(self, answer: httpx2.Response) -> None:
        if answer.status_code in (404, 409):
            self.counts["too late"] += 1
        elif answer.status_code == 503:
            self.counts["told to wait"] += 1
        elif not answer.is_success:
            self.counts["errors"] += 1
            log.error(
                "the product refused", agent=self.who.agent, status=answer.status_code, told=answer.text[:300]
            )


def _is_callback(contact: str) -> bool:
    """Whether it is a callback in the line, and no call: the API names them so."""
    return contact.startswith("PR")
