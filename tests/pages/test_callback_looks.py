"""The pages of callbacks in light, dark and phone width: nothing axe finds, nothing wider than the screen."""

from __future__ import annotations

from typing import Any

import pytest

from callbacks.turns import turn_name
from dashboard.rooms import FailedJob, TextBacklog
from tests.pages.looks import look_at

DESK = (
    "owed-empty",
    "owed-ready",
    "owed-long",
    "asked",
    "asked-late",
    "calling",
    "talking",
    "wrap-up",
    "wrap-up-machine",
)


def stage(house: Any, name: str) -> None:
    """An agent at work, and as many promises as the picture needs."""
    now_ms, roster, line, owing = house.clock.now_ms, house.rooms.roster, house.rooms.line, house.owing
    house.do(
        roster.sign_in("agent1", name="Agent 1", skills={"support": 0}, line="softphone", now_ms=now_ms())
    )
    if name == "owed-empty":
        house.do(roster.ready("agent1", now_ms()))
        return
    house.do(owing.owe_many(70 if name == "owed-long" else 9))
    if name.startswith("owed"):
        house.do(roster.away("agent1", "Break", now_ms()))
        house.do(
            roster.sign_in("agent2", name="Omar", skills={"support": 0}, line="softphone", now_ms=now_ms())
        )
        house.do(roster.away("agent2", "Break", now_ms()))
        house.do(line.claim(turn_name(f"PR{3:016x}", 1), "agent2", now_ms=now_ms(), lease_ms=60_000))
        return
    first = house.do(owing.owe(0, by=-4 if name == "asked-late" else 14, ago=40, language="es"))
    turn = turn_name(first.id, 1)
    house.do(roster.ready("agent1", now_ms()))
    if name.startswith("asked"):
        return
    house.do(line.accept(turn, "agent1", 1, now_ms(), 75_000))
    if name == "talking":
        house.do(line.connect(turn, now_ms()))
    elif name == "wrap-up":
        house.do(line.connect(turn, now_ms()))
        house.do(line.finish(turn, now_ms()))
    elif name == "wrap-up-machine":
        house.do(owing.tried(first, 1, "machine"))


@pytest.mark.parametrize("name", DESK)
def test_desk(name: str, house: Any, visit: Any, shoot: Any) -> None:
    stage(house, name)
    page = visit("agent1", "/desk")
    page.locator('[data-live][data-age="live"]').wait_for()
    look_at(page, shoot, f"desk-callback-{name}")


@pytest.mark.parametrize("name", ["callbacks", "callbacks-empty"])
def test_supervisors(name: str, house: Any, visit: Any, shoot: Any) -> None:
    if name == "callbacks":
        stage(house, "owed-ready")
        house.do(house.owing.change(f"PR{4:016x}", agent="agent2"))
    page = visit("lead1", "/callbacks")
    page.locator('[data-live][data-age="live"]').wait_for()
    if name == "callbacks":
        page.locator("[data-row] input").first.check()
        house.do(house.owing.owe(29, by=-30, merchant="Latest Of All"))
        page.get_by_role("button", name="1 change").wait_for()
    look_at(page, shoot, f"{name}")


@pytest.mark.parametrize("name", ["turn", "window", "late", "spanish", "over", "forged"])
def test_merchant(name: str, house: Any, visit: Any, shoot: Any) -> None:
    now_ms = house.clock.now_ms()
    given: dict[str, Any] = {"late": {"by": -5}, "spanish": {"language": "es"}}.get(name, {})
    if name == "window":
        given = {"state": "due_later", "turn": 0, "windowed": True, "due_ms": now_ms + 7_200_000, "by": 180}
    if name == "over":
        given = {"state": "kept", "turn": 1, "ended_ms": now_ms - 49 * 3_600_000}
    house.do(house.owing.owe(1))
    path = house.owing.path(house.do(house.owing.owe(2, **given)))
    page = visit(None, "/c/0123456789abcdef.cut" if name == "forged" else path, script=True)
    if name == "turn":
        page.locator("summary").click()
        page.locator("#start").fill("10:00")
        page.locator("#end").fill("10:05")
        page.locator("details button").click()
        page.locator("#window-fault").wait_for()
    look_at(page, shoot, f"merchant-{name}")


def test_report(house: Any, visit: Any, shoot: Any) -> None:
    page = visit("lead1", "/reports?by=day")
    look_at(page, shoot, "reports-callbacks")


def test_operations(house: Any, visit: Any, shoot: Any) -> None:
    now_ms = house.clock.now_ms()
    reason = "Unavailable: the carrier did not answer within 10 s"
    house.operations.dead = [
        FailedJob(f"job-{i}", "dials", "dial a merchant", now_ms - i * 500_000, reason) for i in (1, 2)
    ]
    house.operations.texts = TextBacklog(412, 530, now_ms + 530_000)
    page = visit("admin1", "/admin/operations")
    look_at(page, shoot, "operations")
