"""The simulated merchants: who rings when, and what is asked of the phone network."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from itertools import islice, pairwise, takewhile
from pathlib import Path
from typing import Any

import httpx2
import pytest

from drill.callers import Callers, directory_in
from drill.crowd import OPENING_S, TOPICS, Habits, Merchant, Visit, again, visits
from drill.network.people import Script
from foundation.clock import ManualClock

SHOPS = [Merchant(f"+1415555{number:04}", "es" if number % 4 == 0 else "en") for number in range(100, 180)]
QUIET = Habits(opening=0)


def crowd(seed: int = 1, habits: Habits = QUIET, count: int = 4000) -> list[Visit]:
    return list(islice(visits(seed, SHOPS, habits), count))


def test_the_same_seed_rehearses_the_same_crowd() -> None:
    assert crowd(7, count=200) == crowd(7, count=200)
    assert crowd(7, count=200) != crowd(8, count=200)


def test_they_ring_in_order_about_as_often_as_asked() -> None:
    rang = crowd()
    assert all(first.at_s <= second.at_s for first, second in pairwise(rang))
    assert len(rang) / (rang[-1].at_s / 60) == pytest.approx(6.0, rel=0.06)


def test_a_line_is_there_to_look_at_from_the_start() -> None:
    rang = crowd(habits=Habits(opening=14), count=100)
    assert len(list(takewhile(lambda visit: visit.at_s <= OPENING_S, rang))) >= 14


def test_patience_is_about_six_minutes_and_a_few_have_little() -> None:
    patience = sorted(visit.script["patience_s"] for visit in crowd())
    assert sum(patience) / len(patience) == pytest.approx(360, rel=0.1)
    assert patience[len(patience) // 10] < 120


def test_some_numbers_are_unknown_and_some_withheld() -> None:
    rang = crowd()
    known = {shop.number for shop in SHOPS}
    withheld = sum(visit.number == "" for visit in rang) / len(rang)
    unknown = sum(visit.number not in known and visit.number != "" for visit in rang) / len(rang)
    assert withheld == pytest.approx(QUIET.withheld, abs=0.015)
    assert unknown == pytest.approx(QUIET.unknown, abs=0.02)


def test_every_topic_is_asked_for_by_key_and_in_words() -> None:
    rang = crowd(count=600)
    pressed = {press["digits"] for visit in rang for press in visit.script["presses"]}
    said = [words["text"] for visit in rang for words in visit.script.get("speaks", [])]
    assert {str(key) for key in range(1, len(TOPICS) + 1)} <= pressed
    assert said


def test_the_phone_network_understands_every_script() -> None:
    for visit in crowd(count=500):
        Script.of(visit.script)


def test_who_rings_again_has_more_patience_and_rings_once() -> None:
    visit = Visit(10, "+14155550100", "en", {"patience_s": 100.0}, 30)
    second = again(visit, 140, seed=1)
    assert second.redials_after_s is None
    assert second.script["patience_s"] >= 80


def test_nobody_rings_when_there_is_nobody() -> None:
    with pytest.raises(ValueError, match="merchants"):
        next(visits(1, [], QUIET))


# --- on the wire --------------------------------------------------------------------------------------


class Network:
    """Stands for the phone network: notes who rang, and tells how a call ended."""

    def __init__(self) -> None:
        self.rang: list[dict[str, Any]] = []
        self.call: dict[str, Any] = {"ended_ms": None, "stage": "queue", "transcript": []}
        self.client = httpx2.AsyncClient(
            base_url="http://network", transport=httpx2.MockTransport(self._answer)
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            self.rang.append(json.loads(request.content))
            return httpx2.Response(201, json={"sid": f"CA{len(self.rang)}"})
        return httpx2.Response(200, json=self.call)


VISIT = Visit(0, "+14155550100", "en", {"patience_s": 60.0, "presses": []}, None)


async def test_a_caller_rings_the_number_with_a_script(clock: ManualClock) -> None:
    network = Network()
    callers = Callers(network.client, "+14155550199", clock, seed=1)
    assert await callers.ring(VISIT) == "CA1"
    assert network.rang == [{"from": "+14155550100", "to": "+14155550199", "script": VISIT.script}]
    assert callers.sids == ["CA1"]


async def test_a_withheld_number_is_anonymous(clock: ManualClock) -> None:
    network = Network()
    await Callers(network.client, "+14155550199", clock, seed=1).ring(Visit(0, "", "en", {}, None))
    assert network.rang[0]["from"] == "anonymous"


def test_the_merchants_file_says_who_may_ring(tmp_path: Path) -> None:
    path = tmp_path / "merchants.csv"
    path.write_text("name,tier,numbers,language\nCorner Bakery,gold,415 555 0100; 415 555 0101,es\n")
    directory = directory_in(path)
    assert directory.merchants == [Merchant("+14155550100", "es"), Merchant("+14155550101", "es")]
    assert directory.entries == [{"number": "+14155550100", "name": "Corner Bakery", "note": "gold, es"}]


class Watched(ManualClock):
    """A clock that passes a nap as soon as somebody takes it, and says how long it was."""

    def __init__(self) -> None:
        super().__init__()
        self.naps: asyncio.Queue[float] = asyncio.Queue()

    async def sleep(self, ms: float) -> None:
        self.naps.put_nowait(ms)
        self.advance(ms=ms)
        await asyncio.sleep(0)


async def test_some_who_gave_up_waiting_ring_again() -> None:
    network, clock = Network(), Watched()
    callers = Callers(network.client, "+14155550199", clock, seed=1)
    await callers.ring(dataclasses.replace(VISIT, redials_after_s=30.0))
    await clock.naps.get()
    await clock.naps.get()  # it has looked once, and the call was not over
    network.call |= {"ended_ms": 1, "transcript": [{"kind": "note", "text": "you hang up"}]}
    while await clock.naps.get() != 30_000:
        pass
    await asyncio.gather(*callers.following)
    assert len(network.rang) == 2
    assert callers.counts["rang again"] == 1


async def test_when_the_crowd_is_sent_home_no_call_is_watched_any_more(clock: ManualClock) -> None:
    network = Network()
    callers = Callers(network.client, "+14155550199", clock, seed=1)
    await callers.ring(dataclasses.replace(VISIT, redials_after_s=30.0))
    (watching,) = callers.following
    ringing = asyncio.create_task(callers.ring_in(iter([dataclasses.replace(VISIT, at_s=600)])))
    await asyncio.sleep(0)
    ringing.cancel()
    await asyncio.gather(ringing, return_exceptions=True)
    assert watching.cancelled()
    assert callers.following == set()


async def test_how_the_telephone_behaves_is_known_before_the_call(clock: ManualClock) -> None:
    network = Network()
    visit = dataclasses.replace(VISIT, telephone={"answers": "machine"})
    await Callers(network.client, "+14155550199", clock, seed=1).ring(visit)
    assert [each.get("answers", "a call") for each in network.rang] == ["machine", "a call"]


async def test_some_who_were_promised_a_callback_ring_in_all_the_same() -> None:
    network, clock = Network(), Watched()
    told = {"kind": "say", "text": "You may hang up now. Goodbye."}
    network.call |= {"ended_ms": 1, "transcript": [told]}
    callers = Callers(network.client, "+14155550199", clock, seed=1)
    await callers.ring(dataclasses.replace(VISIT, redials_after_s=5.0, returns_after_s=30.0))
    while await clock.naps.get() != 30_000:
        pass
    await asyncio.gather(*callers.following)
    assert len(network.rang) == 2
    assert callers.counts == {"rang": 2, "promised": 1, "came back": 1}


async def test_who_was_answered_does_not_ring_again() -> None:
    network, clock = Network(), Watched()
    network.call |= {"stage": "talking"}
    callers = Callers(network.client, "+14155550199", clock, seed=1)
    await callers.ring(dataclasses.replace(VISIT, redials_after_s=30.0))
    await clock.naps.get()
    network.call |= {"ended_ms": 1, "transcript": [{"kind": "note", "text": "you hang up"}]}
    await asyncio.gather(*callers.following)
    assert len(network.rang) == 1
