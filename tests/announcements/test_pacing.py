from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from announcements.pacing import (
    Announcement,
    Pacing,
    Place,
    Said,
    Topic,
    announced_range,
    decide,
    next_look_ms,
)

PACING = Pacing()
ENTERED = 1_700_000_000_000
S = 1000


def at(seconds: float) -> int:
    return ENTERED + round(seconds * S)


def place(position: int, low_s: float | None = None, high_s: float | None = None) -> Place:
    return Place(position, ENTERED, low_s, high_s)


def topic(said: Said | None, position: int, seconds: float) -> Topic | None:
    announcement = decide(PACING, said, place(position), at(seconds))
    return announcement.topic if announcement else None


def test_the_first_word_comes_after_twenty_seconds():
    assert topic(None, 4, 19.9) is None
    assert topic(None, 4, 20) is Topic.POSITION
    assert topic(None, 1, 20) is Topic.NEXT


def test_then_one_every_ninety_seconds():
    said = Said(at(20), 4, 1)
    assert topic(said, 4, 109.9) is None
    assert topic(said, 4, 110) is Topic.POSITION


def test_a_better_position_is_told_sooner_but_never_within_forty_five_seconds():
    said = Said(at(20), 4, 1)
    assert topic(said, 3, 64.9) is None
    assert topic(said, 3, 65) is Topic.POSITION
    assert topic(said, 1, 65) is Topic.NEXT


def test_a_worse_position_is_never_told():
    said = Said(at(20), 4, 1)
    assert topic(said, 6, 65) is None
    worse = decide(PACING, said, place(6), at(110))
    assert worse is not None
    assert (worse.topic, worse.position) == (Topic.COMFORT, 0)
    assert worse.said == Said(at(110), 4, 2)
    assert topic(worse.said, 5, 300) is Topic.COMFORT
    assert topic(worse.said, 4, 300) is Topic.POSITION


def test_above_ten_no_number_is_told():
    far = decide(PACING, None, place(11), at(20))
    assert far is not None
    assert (far.topic, far.position) == (Topic.MORE_THAN, 10)
    assert topic(far.said, 300, 110) is Topic.MORE_THAN  # more than ten all the same: nothing got worse
    assert topic(far.said, 12, 65) is None  # nor better
    assert topic(far.said, 10, 65) is Topic.POSITION


def test_an_unknown_position_is_comfort_and_a_position_found_again_is_news():
    blind = decide(PACING, None, place(0), at(20))
    assert blind is not None
    assert blind.topic is Topic.COMFORT
    assert topic(blind.said, 0, 65) is None
    assert topic(blind.said, 7, 65) is Topic.POSITION


def test_nothing_is_said_while_being_connected():
    assert decide(PACING, None, replace(place(1), connecting=True), at(500)) is None


def test_the_wait_rides_along_and_is_left_out_without_an_honest_estimate():
    told = decide(PACING, None, place(3, 250, 470), at(20))
    silent = decide(PACING, None, place(3), at(20))
    assert told is not None
    assert silent is not None
    assert told.wait == (5, 8)
    assert silent.wait is None


def test_a_memory_from_the_future_does_not_silence_the_line():
    assert topic(Said(at(10_000_000), 3, 1), 3, 100) is Topic.POSITION
    assert topic(Said(at(101), 3, 1), 2, 100) is None


@pytest.mark.parametrize(
    ("low_s", "high_s", "told"),
    [
        (61, 170, (2, 3)),
        (240, 480, (4, 8)),
        (241, 481, (5, 9)),
        (0, 50, (0, 1)),
        (10, 55, (1, 2)),
        (120, 120, (2, 3)),
        (612, 1150, (10, 20)),
        (601, 660, (10, 15)),
        (25 * 60, 31 * 60, (25, 40)),
        (80 * 60, 90 * 60, (80, 90)),
        (80 * 60, 90 * 60 + 1, (80, None)),
        (200 * 60, 300 * 60, (90, None)),
        (90 * 60, 90 * 60, (90, None)),
        (0, 100 * 60, None),
        (None, 60, None),
        (60, None, None),
        (120, 60, None),
        (-1, 60, None),
        (60, float("inf"), None),
        (float("nan"), 60, None),
    ],
)
def test_a_wait_is_told_as_a_range_rounded_up(
    low_s: float | None, high_s: float | None, told: tuple[int, int | None] | None
):
    assert announced_range(low_s, high_s) == told


waits = st.integers(0, 4 * 36_000).map(lambda tenths: tenths / 10)


@given(waits, waits)
def test_the_range_told_holds_the_range_estimated(one: float, other: float):
    low_s, high_s = sorted((one, other))
    told = announced_range(low_s, high_s)
    if told is None:
        assert low_s == 0
        return
    low, high = told
    assert low * 60 <= low_s + 60
    if high is None:
        assert high_s > 89 * 60
    else:
        assert low < high
        assert high * 60 >= high_s


@given(waits, waits, st.floats(0, 3600))
def test_a_longer_wait_is_never_told_as_a_shorter_one(low_s: float, width_s: float, more_s: float):
    here = announced_range(low_s, low_s + width_s)
    longer = announced_range(low_s + more_s, low_s + width_s + more_s)
    if here is not None and longer is not None:
        assert longer[0] >= here[0]
        assert longer[1] is None or (here[1] is not None and longer[1] >= here[1])


looks = st.lists(
    st.tuples(st.integers(0, 120 * S), st.integers(0, 40), st.booleans(), waits | st.none()), max_size=60
)


@settings(deadline=None)
@given(looks)
def test_whatever_the_line_does_the_rules_hold(steps: list[tuple[int, int, bool, float | None]]):
    said, now_ms, told = None, ENTERED, list[tuple[int, Announcement]]()
    for passed_ms, position, connecting, wait_s in steps:
        now_ms += passed_ms
        low_s, high_s = (None, None) if wait_s is None else (wait_s, wait_s * 1.5)
        here = Place(position, ENTERED, low_s, high_s, connecting)
        announcement = decide(PACING, said, here, now_ms)
        if announcement is None:
            continue
        assert not connecting
        assert announcement.said.at_ms == now_ms
        assert (announcement.wait is None) or wait_s is not None
        if announcement.topic in (Topic.NEXT, Topic.POSITION):
            assert announcement.position == position <= PACING.more_than
            assert (announcement.topic is Topic.NEXT) == (position == 1)
        if announcement.topic is Topic.MORE_THAN:
            assert position > PACING.more_than
        told.append((now_ms, announcement))
        said = announcement.said
    assert not told or told[0][0] - ENTERED >= PACING.first_ms
    assert all(later - earlier >= PACING.quiet_ms for (earlier, _), (later, _) in pairwise(told))
    numbers = [
        words.position + (words.topic is Topic.MORE_THAN)
        for _, words in told
        if words.topic is not Topic.COMFORT
    ]
    assert numbers == sorted(numbers, reverse=True)


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=200, max_size=200), st.integers(0, 9_000))
def test_a_caller_who_listens_is_spoken_to_in_time(positions: list[int], speech_ms: int):
    """The wait loop as the doors run it: look, speak if due, music until the next look."""
    said, now_ms, words_ms = None, ENTERED, list[int]()
    for position in positions:
        announcement = decide(PACING, said, place(position), now_ms)
        spoke_ms = 0
        if announcement:
            words_ms.append(now_ms)
            said, spoke_ms = announcement.said, speech_ms
        music_ms = next_look_ms(PACING, said, ENTERED, now_ms)
        assert music_ms % PACING.clip_ms == 0
        assert PACING.clip_ms <= music_ms <= PACING.look_ms
        now_ms += spoke_ms + music_ms
    assert words_ms[0] == ENTERED + PACING.first_ms
    gaps = [later - earlier for earlier, later in pairwise(words_ms)]
    assert all(PACING.quiet_ms <= gap <= PACING.repeat_ms + PACING.clip_ms for gap in gaps)


def test_music_fills_the_time_until_the_next_word():
    assert next_look_ms(PACING, None, ENTERED, at(0)) == 20_000
    assert next_look_ms(PACING, None, ENTERED, at(12)) == 10_000
    said = Said(at(20), 4, 1)
    assert next_look_ms(PACING, said, ENTERED, at(26)) == 20_000
    assert next_look_ms(PACING, said, ENTERED, at(57)) == 10_000
    assert next_look_ms(PACING, said, ENTERED, at(66)) == 20_000
    assert next_look_ms(PACING, said, ENTERED, at(105)) == 10_000
    assert next_look_ms(PACING, said, ENTERED, at(500)) == 10_000


@given(st.builds(Said, st.integers(0, 10**14), st.integers(0, 11), st.integers(1, 1000)))
def test_the_memory_survives_the_wait_url(said: Said):
    assert Said.from_query(said.to_query()) == said


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"said_at": "", "said_pos": ""},
        {"said_at": "x", "said_pos": "3"},
        {"said_at": "-5", "said_pos": "3"},
        {"said_at": "1" * 5000, "said_pos": "3"},
        {"said_at": "١٢٣", "said_pos": "3"},
        {"said_at": "12"},
    ],
)
def test_a_memory_that_cannot_be_read_is_none(query: dict[str, str]):
    assert Said.from_query(query) is None


@given(st.dictionaries(st.sampled_from(["said_at", "said_pos", "n"]), st.text()))
def test_no_query_breaks_the_line(query: dict[str, str]):
    decide(PACING, Said.from_query(query), place(3), at(100))
