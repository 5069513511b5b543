"""What a telephone's narrow screen must still show: read at a glance, without pinching."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

SMALLEST_PX = 10
"""Words in a chart are drawn no smaller."""


def test_the_times_of_a_contacts_story_stand_in_one_line(visit: Any) -> None:
    page = visit("super1", "/contacts/CApast4", phone=True)
    heights = page.locator(".timeline time").evaluate_all(
        "all => all.map(time => { const r = document.createRange(); r.selectNodeContents(time);"
        " return new Set([...r.getClientRects()].map(one => Math.round(one.top))).size })"
    )
    assert len(heights) > 3
    assert set(heights) == {1}


def test_a_charts_words_can_be_read_and_the_newest_hour_is_in_sight(visit: Any) -> None:
    page = visit("lead1", "/reports?by=hour", phone=True)
    chart = page.locator("div.through-time > svg")
    assert chart.evaluate("svg => svg.getScreenCTM().a * 12") >= SMALLEST_PX
    edge = page.locator("div.through-time").evaluate("box => box.getBoundingClientRect().right")
    newest = chart.locator("text").last.evaluate("text => text.getBoundingClientRect().right")
    assert newest <= edge


def test_a_day_on_which_nobody_called_takes_one_line(visit: Any, house: Any, shoot: Any) -> None:
    today = datetime.fromtimestamp(house.clock.now_ms() / 1000, UTC).date()
    span = f"from={today - timedelta(days=9)}&to={today}"
    page = visit("lead1", f"/reports?{span}&by=day", phone=True)
    quiet, busy = page.locator("tr.quiet"), page.locator("tbody tr:not(.quiet)")
    assert quiet.count() >= 7
    assert busy.first.bounding_box()["height"] > 150
    assert quiet.first.bounding_box()["height"] < 80
    assert "Offered" in quiet.first.inner_html()
    shoot(page, "reports-quiet-phone")
