"""The leads' page of promises, their report, and the operations page."""

from __future__ import annotations

import csv
import io

import pytest

from callbacks import lists, promises
from dashboard.rooms import FailedJob, TextBacklog
from tests.pages.owing import Work, past_promises


@pytest.fixture
async def lead(sign_in):  # type: ignore[no-untyped-def]
    return await sign_in("lead1")


def ids(*places: int) -> list[str]:
    return [f"PR{place:016x}" for place in places]


async def test_filters(lead, owing, clock) -> None:
    await owing.owe_many(9)
    await owing.owe(20, queue="billing", merchant="Paid Twice")
    every = (await lead.get("/callbacks")).text
    assert every.count('name="promise"') == 10
    assert "+1 415 ••• 0001" in every
    assert "4155560001" not in every
    assert (await lead.get("/callbacks?queue=billing")).text.count('name="promise"') == 1
    assert (await lead.get("/callbacks?late=true")).text.count('name="promise"') == 1
    assert (await lead.get("/callbacks?state=due_later")).text.count('name="promise"') == 1
    assert "None of the open promises is like that" in (await lead.get("/callbacks?state=dialing")).text


async def test_nobody_is_owed_anything(lead) -> None:
    assert "No callback is owed" in (await lead.get("/callbacks")).text


async def test_agents_are_not_let_in(sign_in) -> None:
    assert (await (await sign_in("agent1")).get("/callbacks")).status_code == 403


async def test_many_are_moved_given_and_cancelled_at_once(lead, rooms, owing) -> None:
    for place in (1, 2, 3):
        await owing.owe(place)
    moved = await lead.post("/callbacks/move", data={"promise": ids(1, 2), "queue": "billing"})
    assert moved.headers["location"] == "/callbacks?done=2"
    given = await lead.post("/callbacks/assign", data={"promise": ids(1), "agent": "agent2"})
    assert given.headers["location"] == "/callbacks?done=1"
    ended = await lead.post("/callbacks/cancel", data={"promise": ids(2, 3), "reason": "Fixed  for all"})
    assert ended.headers["location"] == "/callbacks?done=2"
    first = await lists.one(rooms.sql, ids(1)[0])
    third = await lists.one(rooms.sql, ids(3)[0])
    assert (first.queue, first.agent) == ("billing", "agent2")
    assert (third.state, third.reason, third.ended_by) == ("cancelled", "Fixed for all", "lead1")


@pytest.mark.parametrize(
    ("verb", "given", "words"),
    [
        ("cancel", {"promise": ids(1), "reason": " "}, "Give a reason"),
        ("cancel", {"reason": "x"}, "Choose at least one promise"),
        ("move", {"promise": ids(1), "queue": "nowhere"}, "There is no queue"),
        ("assign", {"promise": ids(1), "agent": "nobody"}, "There is no such agent"),
    ],
)
async def test_what_does_not_fit_changes_nothing_and_is_named(verb, given, words, lead, rooms, owing) -> None:
    await owing.owe(1)
    answer = await lead.post(f"/callbacks/{verb}", data=given)
    assert answer.status_code == 422
    assert words in answer.text
    assert (await lists.one(rooms.sql, ids(1)[0])).version == 0


async def test_offering_and_keeping_are_switched_each_by_itself(lead, rooms) -> None:
    assert (await lead.post("/callbacks/switch", data={"offering": "false"})).status_code == 303
    switches = await promises.switches(rooms.office)
    assert (switches.offering, switches.keeping, switches.changed_by) == (False, True, "lead1")
    await lead.post("/callbacks/switch", data={"keeping": "false"})
    await lead.post("/callbacks/switch", data={"offering": "true"})
    switches = await promises.switches(rooms.office)
    assert (switches.offering, switches.keeping) == (True, False)
    page = (await lead.get("/callbacks?switched=true")).text
    assert "Call back again" in page
    assert "Stop offering callbacks" in page


async def test_the_cap_of_the_day_and_back_to_the_centres(lead, rooms) -> None:
    await lead.post("/callbacks/switch", data={"max_open": "40"})
    assert "of 40 at most" in (await lead.get("/callbacks")).text
    await lead.post("/callbacks/switch", data={"max_open": "-1"})
    assert "of 500 at most" in (await lead.get("/callbacks")).text
    assert (await lead.post("/callbacks/switch", data={"max_open": "many"})).status_code == 422


# -- the report ------------------------------------------------------------------------------------------


async def test_the_report_counts_every_end_and_so_does_the_sheet(lead, rooms, clock) -> None:
    rows = past_promises(clock.now_ms())
    async with rooms.sql.session() as session:
        session.add_all(rows)
    query = "from=2023-11-14&to=2023-11-14&by=day"
    page = (await lead.get(f"/reports?{query}")).text
    assert "How punctually merchants were first rung" in page
    assert page.count('<rect class="column') >= 4
    sheet = await lead.get(f"/reports/callbacks.csv?{query}")
    told = list(csv.DictReader(io.StringIO(sheet.text)))
    assert [row["starts"] for row in told] == ["2023-11-14"]
    assert sum(int(row["made"]) for row in told) == len(rows)
    ends = ("on_time", "late", "unreachable", "cancelled", "superseded", "resolved", "expired", "open")
    assert sum(int(told[0][name]) for name in ends) == len(rows)


async def test_a_day_without_promises_says_what_that_means(lead) -> None:
    page = (await lead.get("/reports?from=2020-01-01")).text
    assert "No callback was promised in this time" in page


# -- operations --------------------------------------------------------------------------------------------


async def test_dead_jobs_are_listed_with_their_reason_and_run_again(sign_in, rooms, clock) -> None:
    work = Work()
    object.__setattr__(rooms, "operations", work)
    work.dead = [
        FailedJob("dial:PR1-1", "dials", "dial a merchant", clock.now_ms(), "Unavailable: no answer")
    ]
    work.texts = TextBacklog(412, 530, clock.now_ms() + 530_000)
    admin = await sign_in("admin1")
    page = (await admin.get("/admin/operations")).text
    for words in ("Unavailable: no answer", "412", "530 segments", "in 8:50"):
        assert words in page
    again = await admin.post("/admin/operations/dial:PR1-1/again")
    assert again.headers["location"] == "/admin/operations?done=again"
    assert work.ran == ["dial:PR1-1"]
    twice = await admin.post("/admin/operations/dial:PR1-1/again")
    assert twice.headers["location"] == "/admin/operations?done=gone"
    assert "No job is dead" in (await admin.get("/admin/operations")).text


async def test_queues_that_do_not_answer(sign_in, rooms, monkeypatch) -> None:
    from foundation.errors import Unavailable

    work = Work()

    async def away() -> None:
        raise Unavailable()

    monkeypatch.setattr(work, "queues", away)
    object.__setattr__(rooms, "operations", work)
    page = await (await sign_in("admin1")).get("/admin/operations")
    assert page.status_code == 200
    assert "The queues do not answer" in page.text
