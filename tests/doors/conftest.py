"""The doors on a real line, a real database and a clock that moves when told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from carrier.numbers import normalise
from ivr.app import doors
from ivr.desk import Budget, Desk
from ivr.menus import Centre, Topic
from merchants import directory, tables  # noqa: F401  (their tables are made by the fixture sql)
from queueing import tables as queueing_tables  # noqa: F401
from queueing.line import Line, LinePolicy, Queue
from queueing.roster import Roster
from surge import tables as surge_tables  # noqa: F401
from surge.office import Watch
from tests.doors.called_back import Rung, loses, promise_for, ring
from tests.doors.handset import ACCOUNT, PUBLIC, TOKEN, Handset, Web
from tests.doors.watched import with_watch

MERCHANTS = """name,tier,numbers,locations,product,language
Corner Bakery,gold,+1 415 555 0001,Mission Street,Till 3,en
Taqueria Luna,standard,+1 415 555 0002,Centro;Norte,Till 2,es
Book Nook,standard,+1 415 555 0003,,Till 1,en
"""

TOPICS = (
    Topic("payments", "1", "payments"),
    Topic("hardware", "2", "support"),
    Topic("outage", "3", "support", names={"en": "an outage", "es": "una caída"}, band="p0"),
)
POLICY = LinePolicy(queues=(Queue("support", max_waiting=4), Queue("payments")))
PATIENT = Budget(look_up_s=10, enrich_s=20, whole_s=30)
"""The stores are there; on a busy machine they may take their time."""
CENTRE = Centre("Corner Pay", "support", TOPICS, tiers={"gold": "p1"})


@pytest.fixture
async def merchants(sql):
    async with sql.session() as session:
        await directory.import_csv(session, MERCHANTS, normalise=normalise)


@pytest.fixture
def desk(redis, sql, merchants, clock, tmp_path) -> Desk:
    bare = Desk(
        clock=clock,
        line=Line(redis, POLICY),
        roster=Roster(redis, POLICY),
        redis=redis,
        sql=sql,
        policy=POLICY,
        centre=CENTRE,
        public_url=PUBLIC,
        auth_tokens=(TOKEN,),
        secret="a secret of the tests",
        account_sid=ACCOUNT,
        budget=PATIENT,
    )
    return with_watch(bare, tmp_path / "data", rehearsal=True)


@pytest.fixture
def watch(desk) -> Watch:
    return desk.watch


@pytest.fixture
def web(desk) -> Web:
    return Web(doors(desk))


@pytest.fixture
def caller(web) -> Callable[..., Handset]:
    """``caller(number)``: somebody with a telephone."""

    def pick_up(number: str = "+14155559999") -> Handset:
        return Handset(web, number)

    return pick_up


@pytest.fixture
def agent(desk, clock):
    """``await agent("ann")``: at work for every queue, and ready."""

    async def at_work(
        login: str = "ann", line: str = "softphone", queues: tuple[str, ...] = ("support", "payments")
    ):
        skills = dict.fromkeys(queues, 0)
        await desk.roster.sign_in(login, name=login, skills=skills, line=line, now_ms=clock.now_ms())
        await desk.roster.ready(login, clock.now_ms())
        return login

    return at_work


@pytest.fixture
async def rung(desk, agent):
    """ann has pressed Call, and the merchant's phone rings."""

    async def phone(desk=desk, **more) -> Rung:
        promise = await promise_for(desk, **more)
        await agent("ann")
        return await ring(desk, promise)

    return phone


@pytest.fixture
async def leg(rung):
    """The merchant has picked up and is asked for a key."""
    leg = await rung()
    await leg.picks_up()
    return leg


@pytest.fixture
async def waiting(leg, desk, clock):
    """1 was pressed, and the agent is there no more: the merchant waits on the line."""
    await loses(desk, leg, clock)
    await leg.press("1")
    return leg
