"""A centre in an outage, whole: callers and texts over the wire, agents, every process's rounds as verbs, and
a lead at the console, by its forms. Asserted is what people hear and read, and what is on record.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
from fastapi import FastAPI
from redis.asyncio import Redis
from sqlmodel import SQLModel, col, select

from callbacks import notice
from callbacks.tables import Promise
from carrier.numbers import normalise
from carrier.tables import Text
from dashboard.accounts import account_of
from dashboard.app import Rooms, pages
from dashboard.auth import COOKIE
from dashboard.sessions import Seals
from drill.network import handsets
from drill.network.legs import Leg
from drill.network.timekeeping import pass_time
from foundation.clock import ManualClock
from foundation.connections import Sql
from ivr.desk import Desk
from merchants import directory
from processes.watcher import Watcher
from queueing.line import Line, LinePolicy, Queue
from queueing.presence import Presence
from queueing.priors import Priors
from queueing.reckoner import Reckoner
from queueing.roster import Roster
from queueing.tables import AgentAccount, Contact
from surge import incidents, status_page
from surge.followups import Tally, tally
from surge.office import Watch
from surge.policy import SurgePolicy
from surge.tables import FollowUp, Incident, SurgeEvent
from tests.doors.conftest import CENTRE, PATIENT
from tests.wire import stage as wire
from tests.wire.office import House, open_house
from tests.wire.stage import OURS, Stage

ZONE = ZoneInfo("America/Los_Angeles")
SECRET = "a secret of the tests, long enough"
LOOK_S = 10
"""The rounds are carried out so often, in seconds."""

# What callers do, by what they hear.
ABOUT_THIS = {"when": "Is your call about this", "digits": "1"}
SOMETHING_ELSE = {"when": "Is your call about this", "digits": "2"}
TEXT_ME = {"when": "To get a text now", "digits": "1"}
PAYMENTS = {"when": "How can we help", "digits": "1"}
HARDWARE = {"when": "How can we help", "digits": "2"}
TAKES_THE_TEXT = {"presses": [ABOUT_THIS, TEXT_ME]}


class Centre(House):
    """``watcher``: of this centre. ``lead``: at the console."""

    watcher: Watcher
    lead: Lead

    @cached_property
    def reckoner(self) -> Reckoner:
        desk = self.desk
        return Reckoner(desk.redis, desk.line, desk.keys, "story", desk.sql, Priors({"": 240.0}))

    # --- time ---------------------------------------------------------------------------------------

    async def passes(self, s: float) -> None:
        for second in range(1, round(s) + 1):
            await Stage.passes(self, 1)
            if second % LOOK_S == 0:
                await self.keeps()

    async def goes_by(self, minutes: float, step_s: float = 60) -> None:
        """In long steps: for when little happens."""
        for _ in range(round(minutes * 60 / step_s)):
            await pass_time(self.network.exchange, self.clock, step_s * 1000)
            await self.desk.line.expire(self.clock.now_ms())
            await self.settles()
            await self.keeps()

    async def keeps(self) -> None:
        await super().keeps()
        watcher = self.watcher
        await watcher.publish()
        for look in (
            watcher.sense, watcher.nag, watcher.tag, watcher.tell_updates, watcher.notify, watcher.promises,
            watcher.tidy,
        ):  # fmt: skip
            await look()
        await self.settles()

    async def tells_doors(self) -> None:
        """The figures as they are."""
        now_ms = self.clock.now_ms()
        await self.reckoner.take(now_ms)
        await notice.publish(self.office, now_ms)

    def at(self) -> str:
        return datetime.fromtimestamp(self.clock.now_ms() / 1000, ZONE).strftime("%A %H:%M")

    # --- people -------------------------------------------------------------------------------------

    async def calls_in(self, number: str, *, s: float = 45, **script: Any) -> Leg:
        """Rings, and does what the script says for so long."""
        leg = await self.rings(number, **script)
        await self.passes(s)
        return leg

    async def serves(self, login: str, talk_s: float = 20) -> str:
        """Takes whoever the line gives them, talks, and is ready again; who it was, by number."""
        caller = (await self.agent(login)).contact
        assert caller, f"nobody is given to {login}"
        await self.talks(login, await self.accepts(login), talk_s)
        return self.network.exchange.legs[caller].from_

    async def talks(self, login: str, leg: Leg, talk_s: float = 20) -> None:
        """On ``leg`` for so long; then the agent hangs up, and is ready again."""
        await self.passes(talk_s)
        await self.hangs_up(leg)
        await self.passes(2)
        assert (await self.agent(login)).presence in (Presence.WRAP_UP, Presence.RESERVED)
        await self.desk.roster.ready(login, self.clock.now_ms())
        await self.settles()

    async def texts_back(self, number: str, body: str, s: float = 10) -> str:
        """What is shown in answer."""
        before = len(self.read_by(number))
        handsets.write(self.network.exchange, self.network.switchboard.outbox, number, OURS, body)
        await self.passes(s)
        return " / ".join(self.read_by(number)[before:])

    def read_by(self, number: str) -> list[str]:
        """The texts of ours on that handset, the oldest first."""
        shown = handsets.shown(self.network.exchange, number)
        return [text.body for text in shown if text.direction != "inbound"]

    def heard_by(self, leg: Leg) -> str:
        return " ".join(self.said(leg))

    @staticmethod
    def after_s(leg: Leg, words: str) -> float:
        """So many seconds after the answer these words began to be said."""
        (first, *_) = [line for line in leg.heard if line.kind == "say"]
        return next(line.at_ms for line in leg.heard if words in line.text) / 1000 - first.at_ms / 1000

    # --- the record ---------------------------------------------------------------------------------

    async def rows(self, table: type[Any], *where: Any) -> list[Any]:
        async with self.desk.sql.reading() as session:
            return list(await session.exec(select(table).where(*where)))

    async def ledger(self, incident: Incident | None = None) -> dict[str, FollowUp]:
        """By number: the row that stands for it, else the last duplicate."""
        found = await self.rows(FollowUp, *([FollowUp.incident == incident.id] if incident else []))
        return {row.number: row for row in sorted(found, key=lambda row: row.state != "duplicate")}

    async def outcomes(self) -> Counter[str]:
        return Counter(call.disposition for call in await self.rows(Contact))

    async def timeline(self, *kinds: str) -> list[SurgeEvent]:
        found = await self.rows(SurgeEvent, col(SurgeEvent.kind).in_(kinds))
        return sorted(found, key=lambda line: line.id or 0)

    async def texts_of(self, incident: Incident) -> list[Text]:
        return await self.rows(Text, Text.incident == incident.id)

    async def promises_of(self, number: str) -> list[Promise]:
        return await self.rows(Promise, Promise.number == number)

    async def tally(self) -> Tally:
        async with self.desk.sql.reading() as session:
            return await tally(session, 0, self.clock.now_ms() + 1)

    def public_page(self) -> str:
        """As any host would serve it."""
        return status_page.kept(self.desk.watch, "status.html") or ""

    async def merchant_id(self, number: str) -> int:
        async with self.desk.sql.reading() as session:
            found = (await directory.find(session, number)).merchant
        assert found is not None
        return found.id


class Lead:
    """An incident lead in a browser. Incidents are known to them as the page last showed them."""

    def __init__(self, browser: httpx2.AsyncClient, centre: Centre) -> None:
        self.browser, self.centre = browser, centre

    async def signs_in(self) -> None:
        """Again and again: a session ends while nobody presses anything."""
        sql, now_ms = self.centre.desk.sql, self.centre.clock.now_ms()
        assert sql is not None
        async with sql.reading() as session:
            account = await session.get(AgentAccount, "lea")
        assert account is not None
        seals = Seals(SECRET)
        session_of = seals.begin("lea", account_of(account).stamp, now_ms)
        self.browser.cookies.set(COOKIE, seals.seal(session_of), domain="127.0.0.1", path="/")
        self.browser.headers["X-CSRF-Token"] = seals.csrf(session_of)

    async def opens(self, page: str) -> str:
        await self.signs_in()
        answer = await self.browser.get(page)
        assert answer.status_code == 200, answer.text
        return _plain(answer.text)

    async def declares(self, title: str, words: str, **form: str) -> Incident:
        """``scope`` by the form's fields: ``all``, ``products``, ``devices``, ``rails`` …"""
        await self._post("/surge/incidents", {"title": title, "words.en": words, "next_min": "20", **form})
        found = await incidents.list_live(self.centre.desk.watch)
        return next(row for row in found if row.title == title)

    async def says(self, row: Incident, words: str, **form: str) -> None:
        told = {"words.en": words, "next_min": "20", "version": await self._version(row), **form}
        told.setdefault("do", (await self.sees(row)).do)
        told.setdefault("dont", (await self.sees(row)).dont)
        await self._post(f"/surge/incidents/{row.id}/update", told)

    async def warnings(self, row: Incident, words: str, **form: str) -> str:
        """What the preview shows of words that are not posted yet."""
        told = {"incident": row.id, "words.en": words, "version": await self._version(row), **form}
        await self.signs_in()
        answer = await self.browser.post("/surge/preview", data=told, headers={"HX-Request": "true"})
        assert answer.status_code == 200, answer.text
        return _plain(answer.text)

    async def edits_scope(self, row: Incident, **form: str) -> None:
        await self._post(f"/surge/incidents/{row.id}/edit", {"version": await self._version(row), **form})

    async def reopens(self, row: Incident) -> None:
        await self._post(f"/surge/incidents/{row.id}/reopen", {"version": await self._version(row)})

    async def sets_level(self, level: int) -> None:
        await self._post("/surge/level", {"level": str(level)})

    async def accepts(self, suggestion: int) -> None:
        await self._post(f"/surge/suggestions/{suggestion}", {"accept": "1"})

    async def finishes(self, follow_up: str, verb: str) -> None:
        await self._post("/followups/many", {"chosen": follow_up, "verb": verb})

    async def closes_list(self, row: Incident) -> str:
        """What the page answers; "" when the list is closed."""
        await self.signs_in()
        answer = await self.browser.post("/followups/close", data={"incident": row.id})
        return "" if answer.status_code == 303 else _plain(answer.text)

    async def sees(self, row: Incident) -> Incident:
        found = await incidents.get(self.centre.desk.watch, row.id)
        assert found is not None
        return found

    async def _version(self, row: Incident) -> str:
        return str((await self.sees(row)).version)

    async def _post(self, path: str, form: dict[str, str]) -> None:
        await self.signs_in()
        answer = await self.browser.post(path, data=form)
        assert answer.status_code == 303, answer.text
        assert "sign-in" not in answer.headers["location"]
        # So long a door may not know of it yet.
        await self.centre.passes(1)


def _plain(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


@asynccontextmanager
async def open_centre(
    redis: Redis, sql: Sql, clock: ManualClock, folder: Path, merchants: str, places: int = 200, **surge: Any
) -> AsyncIterator[Centre]:
    """``merchants``: the directory's file. ``places``: in each queue. ``surge``: rules other than usual."""
    async with sql.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    async with sql.session() as session:
        await directory.import_csv(session, merchants, normalise=normalise)
        session.add(AgentAccount(agent="lea", name="Lea", role="lead", active=True))
    policy = LinePolicy(queues=tuple(Queue(name, max_waiting=places) for name in ("support", "payments")))
    line, roster = Line(redis, policy), Roster(redis, policy)
    watch = Watch(
        sql=sql, redis=redis, line=line, keys=line.keys, clock=clock,
        policy=SurgePolicy(rehearsal=True, **surge), hours=None, time_zone=ZONE.key, languages=("en", "es"),
        centre_name=CENTRE.name, public_url=wire.HOOK, ours=(OURS,), data_dir=folder, secret=SECRET,
    )  # fmt: skip
    desk = Desk(
        clock=clock, line=line, roster=roster, redis=redis, sql=sql, policy=policy, centre=CENTRE,
        public_url=wire.HOOK, auth_tokens=(wire.ACCOUNT.token,), secret=SECRET,
        account_sid=wire.ACCOUNT.sid, budget=PATIENT, watch=watch,
    )  # fmt: skip
    async with open_house(clock, desk, house=Centre) as centre:
        centre.watcher = Watcher(watch, centre.office, Counter())
        rooms = Rooms(
            clock=clock, wall=clock, line=line, roster=roster, sql=sql, redis=redis, policy=policy,
            office=centre.office, surge=watch, secret_key=SECRET, public_url=wire.HOOK,
        )  # fmt: skip
        app = FastAPI(openapi_url=None)
        app.include_router(pages(rooms))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=wire.HOOK) as browser:
            centre.lead = Lead(browser, centre)
            yield centre
        assert centre.violations == []


def comes_to(clock: ManualClock, weekday: int, hour: int, minute: int = 0) -> None:
    """To the next such moment on the centre's clock; 0 is Monday."""
    now = datetime.fromtimestamp(clock.now_ms() / 1000, ZONE)
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    then += timedelta(days=(weekday - now.weekday()) % 7)
    clock.advance(s=((then if then > now else then + timedelta(days=7)) - now).total_seconds())
