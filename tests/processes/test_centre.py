"""A centre's file: what it means, and how its faults are named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from foundation.errors import Mendable
from processes.centre import Plan, read_centre
from queueing.priors import Priors

EXAMPLE = Path(__file__).parents[2] / "examples" / "centre.toml"


def written(tmp_path: Path, text: str) -> Plan:
    path = tmp_path / "centre.toml"
    path.write_text(text, "utf-8")
    return read_centre(path)


def faults(tmp_path: Path, text: str) -> str:
    with pytest.raises(Mendable) as caught:
        written(tmp_path, text)
    return str(caught.value)


def test_no_file_is_one_queue_that_is_always_open() -> None:
    plan = read_centre(None)
    assert [queue.name for queue in plan.policy.queues] == ["support"]
    assert plan.centre.hours is None


def test_the_example_is_a_working_centre() -> None:
    plan = read_centre(EXAMPLE)
    assert plan.centre.default_queue == "support"
    assert {topic.queue for topic in plan.centre.topics} <= {queue.name for queue in plan.policy.queues}
    assert set(plan.centre.tiers.values()) <= {band.name for band in plan.policy.bands}


def test_times_are_written_in_seconds_and_minutes(tmp_path: Path) -> None:
    plan = written(
        tmp_path,
        """
        [[queue]]
        name = "support"
        max_wait_minutes = 5
        [agents]
        ring_seconds = 7
        [announcements]
        first_seconds = 11
        [service_level]
        within_seconds = 20
        """,
    )
    assert plan.policy.queues[0].max_wait_ms == 300_000
    assert plan.policy.ring_ms == 7_000
    assert plan.pacing.first_ms == 11_000
    assert plan.within_s == 20


def test_hours_and_holidays(tmp_path: Path) -> None:
    hours = written(
        tmp_path,
        """
        time_zone = "America/New_York"
        [hours]
        monday = ["09:00-12:00", "13:00-17:00"]
        [holidays]
        2027-01-01 = "New Year"
        2027-12-24 = { name = "Christmas Eve", open = ["09:00-12:00"] }
        """,
    ).centre.hours
    assert hours is not None
    assert hours.weekly == {0: (("09:00", "12:00"), ("13:00", "17:00"))}
    assert hours.holidays[date(2027, 1, 1)].spans == ()
    assert hours.holidays[date(2027, 12, 24)].spans == (("09:00", "12:00"),)


def test_a_slip_of_the_pen_is_not_taken_for_a_default(tmp_path: Path) -> None:
    assert "max_waitin: there is no such key" in faults(
        tmp_path, '[[queue]]\nname = "support"\nmax_waitin = 3\n'
    )


def test_every_fault_is_named_with_its_place(tmp_path: Path) -> None:
    said = faults(
        tmp_path,
        """
        [[queue]]
        name = "Two Words"
        [hours]
        monday = ["9-5"]
        [agents]
        ring_seconds = "soon"
        """,
    )
    assert "queue.0.name: 'Two Words' is not a name" in said
    assert "hours.monday.0: '9-5' is not a span" in said
    assert "agents.ring_seconds" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('tiers = { gold = "p9" }', "tier gold: there is no band p9"),
        ('default_band = "p9"', "default_band: there is no band p9"),
        ('[[topic]]\nid = "a"\nkey = "1"\nqueue = "nope"\nnames = {}', "topic a: there is no queue nope"),
        ('languages = ["en", "xx"]', "languages: xx is not spoken yet"),
        ('time_zone = "Mars/Olympus"', "time_zone: Mars/Olympus is unknown"),
        ('[hours]\nmon = ["09:00-12:00"]', "hours: mon is no weekday"),
        ('[[queue]]\nname = "a"\n[[queue]]\nname = "a"', "queue a is written twice"),
        ('[hours]\nmonday = ["09:00-12:00", "11:00-13:00"]', "overlap"),
        ("name = ", "is not TOML"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in faults(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Mendable, match="cannot be read"):
        read_centre(tmp_path / "none.toml")


def test_what_another_centre_taught_is_read_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "learned.json").write_text('{"handling_s": {"support": 210.5}, "hangup_per_s": 0.002}')
    (tmp_path / "centre.toml").write_text('[estimates]\npriors = "learned.json"\n')
    assert read_centre(tmp_path / "centre.toml").priors == Priors({"support": 210.5}, hangup_per_s=0.002)
    (tmp_path / "learned.json").write_text('{"handling_s": {"support": "long"}}')
    with pytest.raises(Mendable, match="handling_s must be more than nought"):
        read_centre(tmp_path / "centre.toml")
    (tmp_path / "learned.json").unlink()
    with pytest.raises(Mendable, match=r"estimates.priors: .*learned.json cannot be read"):
        read_centre(tmp_path / "centre.toml")
