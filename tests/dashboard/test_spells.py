from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dashboard.spells import TURNS, Turn, clipped, order, spells
from queueing.figures import PresenceRow


def test_an_agents_day_is_read_off_the_journal() -> None:
    told = [("agent_ready", 100), ("reserved", 200), ("accepted", 210), ("wrap_up", 300), ("agent_away", 350)]
    rows = spells([Turn("a", kind, at, (at, 0)) for kind, at in told], 500)
    assert [(row.presence, row.from_ms, row.to_ms) for row in rows] == [
        ("ready", 100, 200),
        ("reserved", 200, 210),
        ("talking", 210, 300),
        ("wrap_up", 300, 350),
        ("away", 350, 500),
    ]


def test_what_happens_at_one_moment_counts_in_the_journals_order() -> None:
    turns = [
        Turn("a", "missed", 100, (100, 1)),
        Turn("a", "agent_away", 100, (100, 2)),
        Turn("a", "reserved", 90, (90, 0)),
    ]
    assert spells(turns, 200) == [PresenceRow("a", "reserved", 90, 100), PresenceRow("a", "away", 100, 200)]


turns = st.lists(
    st.builds(
        lambda agent, kind, at: Turn(agent, kind, at, (at, 0)),
        st.sampled_from("ab"),
        st.sampled_from([*TURNS, "told", "entered"]),
        st.integers(0, 1_000),
    ),
    max_size=40,
)


@given(turns)
def test_nobody_is_in_two_presences_at_once(told: list[Turn]) -> None:
    rows = spells(told, 1_000)
    for agent in "ab":
        own = sorted((row for row in rows if row.agent == agent), key=lambda row: row.from_ms)
        assert all(one.to_ms <= two.from_ms for one, two in pairwise(own))
        first = min(
            (turn.at_ms for turn in told if turn.agent == agent and turn.kind in TURNS), default=1_000
        )
        assert sum(row.to_ms - row.from_ms for row in own) == 1_000 - first


def test_time_is_cut_at_the_edges() -> None:
    assert clipped([PresenceRow("a", "ready", 0, 100), PresenceRow("a", "away", 100, 200)], 50, 100) == [
        PresenceRow("a", "ready", 50, 100)
    ]


def test_the_order_of_an_id() -> None:
    assert [order(text) for text in ("12-3", "12", "nonsense", "1-x")] == [(12, 3), (12, 0), (0, 0), (0, 0)]
