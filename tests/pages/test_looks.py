"""Every page in light, in dark and on a phone: nothing that axe finds, nothing wider than the screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from queueing import rostered
from queueing.pulse import Pulse, publish
from queueing.shifts import WEEKDAYS, Shift
from tests.pages.looks import look_at
from tests.waits import queue_pulse

PAGES = [
    ("sign-in", None, "/sign-in"),
    ("not-found", "admin1", "/contacts/CAnobody"),
    ("desk-of", "agent1", "/desk"),
    ("desk-ready", "agent1", "/desk"),
    ("desk-asked", "agent1", "/desk"),
    ("desk-phone-asked", "agent2", "/desk"),
    ("desk-talking", "agent1", "/desk"),
    ("desk-wrap-up", "agent1", "/desk"),
    ("wallboard", "lead1", "/wallboard"),
    ("wallboard-idle", "lead1", "/wallboard"),
    ("reports", "lead1", "/reports?by=hour"),
    ("reports-empty", "lead1", "/reports?from=2020-01-01&to=2020-01-02"),
    ("contacts", "lead1", "/contacts"),
    ("staffing", "super1", "/staffing?day={week_after_yesterday}"),
    ("staffing-empty", "super1", "/staffing?queue=billing"),
    ("roster", "super1", "/staffing/roster"),
    ("contact", "super1", "/contacts/CApast4"),
    ("messages", "super1", "/messages"),
    ("admin", "admin1", "/admin"),
    ("admin-merchants", "admin1", "/admin/merchants"),
    ("admin-screens", "admin1", "/admin/screens"),
    ("api-docs", "agent1", "/api/docs"),
]


def stage(house: Any, name: str) -> None:
    """Put the line where the page's picture needs it."""
    if name == "roster":
        house.do(plan(house))
    at_work = {"desk-ready", "desk-asked", "desk-talking", "desk-wrap-up", "desk-phone-asked", "wallboard"}
    if name not in at_work:
        return
    now_ms = house.clock.now_ms
    agent = "agent2" if name == "desk-phone-asked" else "agent1"
    line = "+14155550177" if agent == "agent2" else "softphone"
    roster, rooms_line = house.rooms.roster, house.rooms.line
    house.do(roster.sign_in(agent, name=agent, skills={"support": 0}, line=line, now_ms=now_ms()))
    if name != "wallboard":
        house.do(roster.ready(agent, now_ms()))
    if name == "wallboard":
        for place in range(7):
            house.ring_in(f"CAw{place}", ago_s=560 - place * 60, queue="billing" if place % 3 else "support")
        queues = {"support": queue_pulse(3, 1), "billing": queue_pulse(4, 0)}
        house.do(publish(house.redis, rooms_line.keys, Pulse(now_ms(), queues)))
        return
    if name == "desk-ready":
        return
    house.ring_in("CA100")
    if name in ("desk-talking", "desk-wrap-up"):
        house.do(rooms_line.accept("CA100", agent, 1, now_ms()))
    if name == "desk-wrap-up":
        house.do(rooms_line.connect("CA100", now_ms()))
        house.do(rooms_line.finish("CA100", now_ms()))
    house.ring_in("CA101", "Bay Books", ago_s=95)


async def plan(house: Any) -> None:
    days = [Shift(day, 540, 1050, 6, "support") for day in WEEKDAYS]
    async with house.rooms.sql.session() as session:
        await rostered.replace(session, [*days, Shift("2026-12-24", 1320, 1560, 2, "billing")])


@pytest.mark.parametrize(("name", "agent", "path"), PAGES, ids=[name for name, _, _ in PAGES])
def test_page(name: str, agent: str | None, path: str, house: Any, visit: Any, shoot: Any) -> None:
    stage(house, name)
    yesterday = datetime.fromtimestamp(house.clock.now_ms() / 1000, UTC).date() - timedelta(days=1)
    path = path.format(week_after_yesterday=yesterday + timedelta(weeks=1))
    page = visit(agent, path)
    if name.startswith(("desk", "wallboard")):
        page.locator('[data-live][data-age="live"]').wait_for()
    if name == "desk-talking":
        page.locator("#work.joined").wait_for()
        page.locator("#captions li").nth(1).wait_for()
    look_at(page, shoot, name)
