"""One short scenario from end to end, through the real doors: the same seed gives the same card."""

from __future__ import annotations

import json

import pytest

from drill import page, reading
from drill.policies import Rules
from drill.scenarios import written
from drill.scorecard import card
from drill.stage.play import play
from drill.stage.record import facts

OUTAGE = {
    "title": "Twelve bad minutes",
    "story": "Everybody rings <at once>.",
    "day": "2024-03-05",
    "begins": "10:00",
    "ends": "10:12",
    "after_minutes": 6,
    "follow_up_hours": 1,
    "centre": {
        "callbacks": {
            "offer_wait_minutes": 1,
            "offer_after_minutes": 1,
            "modes": {"hardware": "agent_first"},
        },
        "surge": {"soak_minutes": 1, "max_wait_minutes": 1},
    },
    "merchants": {"count": 60, "landline_pct": 0},
    "callers": {"patience_minutes": 4, "redial_minutes": [1, 2], "withheld_pct": 0, "takes_text_pct": 80},
    "arrivals": [
        {
            "name": "outage",
            "about": True,
            "per_minute": [["10:02", 0], ["10:03", 5], ["10:10", 3], ["10:12", 0]],
        },
        {"name": "ordinary", "per_minute": [["10:00", 1], ["10:12", 1]]},
    ],
    "work": {"talk_seconds": 60, "talk_spread": 0.3, "wrap_up_seconds": [2, 5]},
    "shift": [{"agents": 2, "start": "10:00", "end": "10:18"}],
    "script": [
        {
            "at": "10:03",
            "do": "declare",
            "title": "Tills are offline",
            "words": {"en": "Tills are offline everywhere, and we are mending it", "es": "Las cajas fallan"},
        },
        {"at": "10:04", "do": "level", "level": 2},
        {
            "at": "10:11",
            "do": "update",
            "state": "verified",
            "words": {"en": "Tills are online again", "es": "Las cajas funcionan de nuevo"},
        },
    ],
}


def rehearse(*, surge=True, seed=5, **mischief):
    scenario = written.understood(OUTAGE, "outage.toml")

    async def judge(played):
        assert played.house.counts["errors"] == 0
        return card(await facts(played)), len(played.leads.done)

    return play(scenario, Rules("", surge=surge), seed, lambda progress: None, judge, **mischief)


@pytest.fixture(scope="module")
def with_surge():
    return rehearse()


def test_every_law_is_held_and_everybody_is_accounted_for(with_surge):
    told, steps = with_surge
    assert [law["law"] for law in told["laws"] if not law["held"]] == []
    calls = told["calls"]
    assert steps == 3
    assert calls["rang"] > 30
    assert calls["answered"] > 8
    assert calls["deflected"] > 3
    assert told["follow_ups"]["made"] >= calls["deflected"]
    assert told["texts"].get("delivered", 0) >= calls["deflected"]


def test_the_same_seed_gives_the_same_card(with_surge):
    assert rehearse()[0] == with_surge[0]


def test_without_surge_mode_the_same_people_ring_and_nobody_is_turned_away(with_surge):
    told, steps = rehearse(surge=False)
    assert told["held"]
    assert steps == told["calls"]["deflected"] == 0
    assert told["calls"]["abandoned"] > with_surge[0]["calls"]["abandoned"]


def test_the_card_is_read_by_people_and_shown_as_a_page(with_surge):
    told = with_surge[0] | {"script": [{"at_ms": told_ms(with_surge[0]), "words": "level 2"}]}
    runs = [
        {"name": name, "card": told, "day_s": 0.5, "real_s": 1.0, "cpu_s": 1.0}
        for name in ("with", "without")
    ]
    result = {
        "scenario": "outage", "title": OUTAGE["title"], "story": OUTAGE["story"], "seed": 5, "faults": False,
        "time_zone": "America/New_York", "runs": runs,
    }  # fmt: skip
    shown = page.page(json.loads(json.dumps(result)))
    assert "Everybody rings &lt;at once&gt;." in shown
    assert shown.count("<svg") == 4
    assert "http" not in shown.replace("http-equiv", "")
    assert f"{told['calls']['rang']:,}" in shown
    lines = {line.word: line.values for part in reading.parts(result) for line in part.lines}
    assert lines["rang in"] == (str(told["calls"]["rang"]),) * 2


def told_ms(told):
    return told["slots"][0]["at_ms"]
