"""The simulated agents: they know nothing of the product but what a desk knows."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from drill.staff import Agent, Identity, Unwelcome
from drill.temper import Answer, Manner, Talk, Temper
from foundation.clock import ManualClock

WHO = Identity("agent01", "http://product/sign-in/once", "a long password")
CONTACT = {"id": "CA1", "state": "reserved", "queue": "support"}


class Passing(ManualClock):
    """Time passes as soon as somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.start_ms = self.now_ms()

    async def sleep(self, ms: float) -> None:
        self.advance(ms=ms)
        await asyncio.sleep(0)

    @property
    def passed_s(self) -> float:
        return (self.now_ms() - self.start_ms) / 1000


class House:
    """Product and phone network as an agent meets them: it notes what is asked, and answers as told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.me: dict[str, Any] = {"csrf": "c", "presence": "ready", "contact": None, "fence": 0}
        self.link_works = True
        self.signed_in = False
        self.refuses: dict[str, int] = {}
        self.away: dict[str, int] = {}
        """How often a path will be answered with 503."""
        self.in_vain = 0
        """How often a hang-up is taken, and then comes to nothing at the network."""
        self.meanwhile: Callable[[str], None] = lambda verb: None
        """Happens when this is asked."""
        self.then: dict[str, dict[str, Any]] = {"hang-up": {"presence": "wrap_up"}}
        """How the agent stands after this was asked."""

    def client(self, name: str) -> httpx2.AsyncClient:
        transport = httpx2.MockTransport(self._answer)
        return httpx2.AsyncClient(base_url=f"http://{name}", transport=transport, follow_redirects=True)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        verb = path.rpartition("/")[2]
        if request.method == "POST":
            given = request.content.decode()
            self.asked.append((path, json.loads(given) if given.startswith("{") else {"form": given}))
        self.meanwhile(verb)
        if self.away.get(verb):
            self.away[verb] -= 1
            return httpx2.Response(503)
        if verb == "hang-up" and self.in_vain:
            self.in_vain -= 1
            return httpx2.Response(201)
        self.me |= self.then.get(verb, {})
        if request.method == "GET":
            return self._get(path)
        if path == "/sign-in":
            self.signed_in = True
        status = self.refuses.get(verb, 200)
        return httpx2.Response(201 if status == 200 else status, json={"sid": "CA9", "detail": "no"})

    def _get(self, path: str) -> httpx2.Response:
        if path == "/sign-in/once":
            self.signed_in = self.signed_in or self.link_works
            return httpx2.Response(200, headers={"set-cookie": "session=1"})
        if path == "/sign-in":
            return httpx2.Response(200, text='<input name="visit" value="v1">')
        if path == "/api/v1/me":
            return httpx2.Response(200 if self.signed_in else 401, json=self.me)
        told = {
            "/api/v1/softphone": {"kind": "double", "token": "jwt", "url": "http://network"},
            "/api/v1/queues": {"queues": [{"queue": "support"}, {"queue": "payments"}]},
        }
        return httpx2.Response(200, json=told[path])

    def verbs(self) -> list[str]:
        return [path.rpartition("/")[2] for path, _ in self.asked]


class Decided(Temper):
    """An agent who does what the test says."""

    def __init__(self, answer: Answer = Answer.ACCEPT, talk: Talk = Talk(60, 0, False)) -> None:
        super().__init__(1)
        self._answer, self._talk = answer, talk

    def answer(self) -> Answer:
        return self._answer

    def talk(self) -> Talk:
        return self._talk

    def break_s(self) -> float:
        return 0.0


def agent_in(house: House, temper: Temper, clock: ManualClock | None = None) -> Agent:
    house.signed_in = True
    return Agent(WHO, house.client("product"), house.client("network"), clock or Passing(), temper, Counter())


def asked_for(house: House) -> dict[str, Any]:
    """The agent is asked to take a contact; once accepted, the two meet."""
    house.me |= {"presence": "reserved", "contact": dict(CONTACT), "fence": 3}
    return house.me


async def met(house: House) -> None:
    house.me |= {"presence": "talking", "contact": {**CONTACT, "state": "connected"}}


async def test_a_contact_is_accepted_and_the_softphone_dials_in() -> None:
    house, clock = House(), Passing()
    agent = agent_in(house, Decided(), clock)
    me = dict(asked_for(house))
    await met(house)
    await agent._act(me)
    assert house.verbs() == ["accept", "connect", "hang-up"]
    assert house.asked[0][1] == {"fence": 3}
    assert house.asked[1][1] == {"token": "jwt", "params": {"contact": "CA1", "fence": "3"}}
    assert clock.passed_s >= 60


async def test_a_talk_that_ends_within_a_millisecond_is_over() -> None:
    house, looks = House(), Counter[str]()

    def count(verb: str) -> None:
        looks[verb] += 1
        assert looks["me"] < 100, "the clock, in whole milliseconds, never gets there"

    house.meanwhile = count
    agent = agent_in(house, Decided(talk=Talk(60.0004, 0, False)))
    me = dict(asked_for(house))
    await met(house)
    await agent._act(me)
    assert house.verbs() == ["accept", "connect", "hang-up"]


async def test_on_hold_and_back_before_the_end() -> None:
    house = House()
    agent = agent_in(house, Decided(talk=Talk(60, 20, False)))
    me = dict(asked_for(house))
    await met(house)
    await agent._act(me)
    assert house.verbs() == ["accept", "connect", "hold", "unhold", "hang-up"]


async def test_a_transfer_goes_to_another_queue() -> None:
    house = House()
    agent = agent_in(house, Decided(talk=Talk(10, 0, True)))
    me = dict(asked_for(house))
    await met(house)
    await agent._act(me)
    assert house.verbs() == ["accept", "connect", "transfer"]
    assert house.asked[-1][1] == {"fence": 3, "queue": "payments"}


async def test_when_the_caller_has_gone_nothing_more_is_said() -> None:
    house = House()
    agent = agent_in(house, Decided())
    me = dict(asked_for(house))
    house.me |= {"presence": "wrap_up"}
    await agent._act(me)
    assert house.verbs() == ["accept", "connect"]


@pytest.mark.parametrize(("answer", "verbs"), [(Answer.DECLINE, ["decline"]), (Answer.MISS, [])])
async def test_not_every_contact_is_taken(answer: Answer, verbs: list[str]) -> None:
    house = House()
    agent = agent_in(house, Decided(answer))
    await agent._act(dict(asked_for(house)))
    assert house.verbs() == verbs


@pytest.mark.parametrize(
    ("answered_ms", "outcomes"), [(0, {"no_answer"}), (5, {"reached", "machine", "wrong_number", "again"})]
)
async def test_after_a_callback_it_is_said_how_it_went(answered_ms: int, outcomes: set[str]) -> None:
    house = House()
    agent = agent_in(house, Decided())
    turn = {"id": "PR0123456789abcdef.1", "answered_ms": answered_ms}
    for _ in range(200):
        await agent._act({"presence": "wrap_up", "contact": turn, "fence": 3})
    assert {given["outcome"] for _, given in house.asked} == outcomes
    assert all(path == "/api/v1/contacts/PR0123456789abcdef.1/wrap-up" for path, _ in house.asked)


async def test_call_is_pressed_for_a_callback_as_a_call_is_accepted() -> None:
    house = House()
    agent = agent_in(house, Decided())
    me = dict(asked_for(house))
    me["contact"] = {**CONTACT, "id": "PR0123456789abcdef.1"}
    house.me |= {"presence": "talking", "contact": {**me["contact"], "state": "reserved"}}
    house.then = {"connect": {"presence": "wrap_up"}}  # the merchant did not pick up
    await agent._act(me)
    assert house.verbs() == ["accept", "connect"]
    assert agent.counts == {"called": 1}


async def test_one_reservation_is_answered_once() -> None:
    house = House()
    agent = agent_in(house, Decided(Answer.MISS))
    me = dict(asked_for(house))
    await agent._act(me)
    await agent._act(me)
    assert agent.counts["missed"] == 1


async def test_after_the_talk_it_is_written_down() -> None:
    house = House()
    agent = agent_in(house, Decided())
    await agent._act({"presence": "wrap_up", "contact": CONTACT, "fence": 3})
    ((path, given),) = house.asked
    assert path == "/api/v1/contacts/CA1/wrap-up"
    assert given["outcome"]
    assert given["note"]


@pytest.mark.parametrize(
    ("gone", "verbs"),
    [(None, ["wrap-up", "away", "ready"]), ("before", ["wrap-up"]), ("in it", ["wrap-up", "away"])],
)
async def test_who_has_gone_home_takes_no_break_and_does_not_come_back(
    gone: str | None, verbs: list[str]
) -> None:
    house = House()
    agent = agent_in(house, OnBreak())
    agent.resting = gone == "before"
    if gone == "in it":
        house.meanwhile = lambda verb: setattr(agent, "resting", agent.resting or verb == "away")
    house.me |= {"presence": "wrap_up", "contact": CONTACT, "fence": 1}
    await agent._act(house.me)
    assert house.verbs() == verbs


class OnBreak(Decided):
    def break_s(self) -> float:
        return 300.0


@pytest.mark.parametrize("silent", ["me", "hang-up"])
async def test_a_product_that_cannot_answer_now_does_not_end_a_talk_for_the_agent(silent: str) -> None:
    """Else agent and caller would stay together for ever."""
    house, clock = House(), Passing()
    agent = agent_in(house, Decided(), clock)
    me = dict(asked_for(house))
    await met(house)
    house.away = {silent: 2}
    await agent._act(me)
    asked_again = ["hang-up"] * 2 if silent == "hang-up" else []
    assert house.verbs() == ["accept", "connect", "hang-up", *asked_again]
    assert agent.counts["told to wait"] == 2


async def test_who_is_still_on_the_line_after_the_hang_up_is_hung_up_on_again() -> None:
    """Twilio was too busy for it, say. Else agent and caller would stay together for ever."""
    house = House()
    agent = agent_in(house, Decided())
    me = dict(asked_for(house))
    await met(house)
    house.in_vain = 2
    await agent._act(me)
    assert house.verbs() == ["accept", "connect", *["hang-up"] * 3]


async def test_a_lost_race_is_no_error_and_a_refusal_is() -> None:
    house = House()
    agent = agent_in(house, Decided())
    house.refuses = {"accept": 409}
    await agent._act(dict(asked_for(house)))
    assert agent.counts == {"too late": 1}
    house.refuses = {"wrap-up": 500}
    await agent._act({"presence": "wrap_up", "contact": CONTACT, "fence": 3})
    assert agent.counts["errors"] == 1


async def test_the_first_sign_in_is_by_link_and_later_ones_by_password() -> None:
    house = House()
    agent = agent_in(house, Decided())
    house.signed_in = False
    await agent.sign_in()
    assert house.asked == []
    house.signed_in = False
    await agent.sign_in()
    ((path, given),) = house.asked
    assert path == "/sign-in"
    assert given["form"] == "login=agent01&password=a+long+password&visit=v1"


async def test_a_session_that_is_over_is_noticed() -> None:
    house = House()
    agent = agent_in(house, Decided())
    house.signed_in = False
    with pytest.raises(Unwelcome):
        await agent._me()


# --- temper --------------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_agent() -> None:
    one, two = Temper(5), Temper(5)
    assert [one.talk() for _ in range(20)] == [two.talk() for _ in range(20)]


def test_talks_are_as_long_as_said_and_declines_are_few() -> None:
    temper = Temper(1, Manner(talk_mean_s=150))
    talks = [temper.talk() for _ in range(4000)]
    assert sum(talk.talk_s for talk in talks) / len(talks) == pytest.approx(150, rel=0.1)
    assert all(talk.hold_s <= talk.talk_s / 2 for talk in talks)
    answers = Counter(temper.answer() for _ in range(2000))
    assert answers[Answer.ACCEPT] > 1800
    assert answers[Answer.DECLINE] > 0
    assert answers[Answer.MISS] > 0
