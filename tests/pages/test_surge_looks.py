"""The console, the ledger, the band and the status page: nothing axe finds, nothing wider than the screen."""

from __future__ import annotations

from typing import Any

import pytest

from surge.states import IncidentState, Level
from tests.pages.looks import look_at

FOUND = "We have found why card payments fail, and are repairing it."
CONSOLE = ("calm", "suggested", "surge", "asked", "typed")


@pytest.fixture
def outage(house: Any) -> Any:
    house.do(house.outage.clear())
    yield house.outage
    house.do(house.outage.clear())
    house.do(house.redis.flushall())


def pile_up(house: Any, outage: Any, waiting: int = 9) -> None:
    """Agents at work, callers in line, and a pulse that says so."""
    for place in range(2):
        name = f"agent{place + 1}"
        house.do(
            house.rooms.roster.sign_in(
                name, name=name, skills={"billing": 0}, line="softphone", now_ms=house.clock.now_ms()
            )
        )
        house.do(house.rooms.roster.ready(name, house.clock.now_ms()))
    for place in range(waiting):
        house.ring_in(f"CAwait{place}", ago_s=1_200 - 90 * place)
    house.do(outage.pulse(waiting=waiting, agents=2))


@pytest.mark.parametrize("name", CONSOLE)
def test_console(name: str, house: Any, outage: Any, visit: Any, shoot: Any) -> None:
    pile_up(house, outage, waiting=0 if name == "calm" else 14)
    if name != "calm":
        house.do(outage.suggest(level=Level.SURGE))
        house.do(
            outage.suggest(source="pagerduty", title="Card API errors", why="PagerDuty: Card API errors (P1)")
        )
    if name in ("surge", "asked", "typed"):
        eta = {"eta_ms": house.clock.now_ms() + 600_000, "eta_source": "Our card processor"}
        row = house.do(outage.declare(ago=34, **eta))
        house.do(
            outage.say(
                row, "We have found why card payments fail, and are repairing it.", IncidentState.IDENTIFIED
            )
        )
        house.do(
            outage.declare(
                "Payouts are late",
                severity="minor",
                scope={"all": True},
                words={"en": "Payouts come a day late."},
            )
        )
        house.do(outage.surge())
        house.do(outage.deflected(41, row.id))
        house.do(outage.turned_away(23, row.id))
    if name == "asked":
        house.do(outage.surge(Level.CLOSED_TO_NEW))
    page = visit("super1", f"/surge?incident={row.id}" if name == "typed" else "/surge")
    page.locator('[data-live][data-age="live"]').wait_for()
    if name == "typed":
        page.locator("#say-en").fill("Just now some merchants cannot pay <b>by card</b> 💳.")
        page.locator("#preview-say .findings li").first.wait_for()
    look_at(page, shoot, f"surge-{name}")


@pytest.mark.parametrize("name", ["ledger", "empty", "story"])
def test_afterwards(name: str, house: Any, outage: Any, visit: Any, shoot: Any) -> None:
    path = "/followups"
    if name != "empty":
        row = house.do(outage.declare(ago=90))
        row = house.do(outage.say(row, "Card payments work again.", IncidentState.VERIFIED))
        house.do(outage.turned_away(17, row.id))
        path = f"/followups?incident={row.id}" if name == "ledger" else f"/surge/incidents/{row.id}"
    look_at(visit("lead1", path), shoot, f"followups-{name}")


@pytest.mark.parametrize("name", ["calm", "wrong", "spanish", "fault", "code"])
def test_status(name: str, house: Any, outage: Any, visit: Any, shoot: Any) -> None:
    if name != "calm":
        house.do(outage.pulse())
        row = house.do(outage.declare(ago=34))
        house.do(outage.say(row, FOUND))
    path = "/status?lang=es" if name == "spanish" else "/status"
    page = visit(None, path)
    if name in ("fault", "code"):
        page.locator("#number").fill("+1 415 555 26" + ("71" if name == "code" else ""))
        page.get_by_role("button", name="Text me updates").click()
        page.locator("#code, #fault").first.wait_for()
    look_at(page, shoot, f"status-{name}")


def test_band_and_match_at_the_desk(house: Any, outage: Any, visit: Any, shoot: Any) -> None:
    house.do(outage.declare(ago=4))
    house.do(outage.surge())
    now_ms = house.clock.now_ms()
    house.do(
        house.rooms.roster.sign_in(
            "agent1", name="Agent 1", skills={"support": 0}, line="softphone", now_ms=now_ms
        )
    )
    house.do(house.rooms.roster.ready("agent1", now_ms))
    house.ring_in("CAband1")
    page = visit("agent1", "/desk")
    page.locator('[data-live][data-age="live"]').wait_for()
    page.locator(".band summary").click()
    page.get_by_text("it touches till").wait_for()
    look_at(page, shoot, "desk-surge")
