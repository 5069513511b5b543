"""What the journal asks of the carrier."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from carrier.twilio_rest import Ambiguous, Busy, Call, Dequeued, Refused
from foundation.errors import Unavailable
from ivr import bridging, jobs
from ivr.bridging import Tools, carry_out
from ivr.holding import hold_queue
from ivr.jobs import Bench
from ivr.legs import Legs
from queueing import journal
from queueing.journal import Event
from queueing.keys import Keys
from queueing.line import Card, Line, LinePolicy, Queue
from queueing.presence import Presence
from queueing.roster import Roster
from queueing.states import ContactState, Disposition

POLICY = LinePolicy(queues=(Queue("support"), Queue("payments")))
SHOP = "CA" + "1" * 32
LEG = "CA" + "2" * 32
PHONE = "+14155550150"


@dataclass
class Pretend:
    """A carrier that remembers what it was asked, and answers as told."""

    asked: list[tuple] = field(default_factory=list)
    answers: dict[str, object] = field(default_factory=dict)

    def __getattr__(self, verb: str):
        async def ask(*given, **named):
            self.asked.append((verb, *given))
            answer = self.answers.get(verb)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask

    @property
    def verbs(self) -> list[str]:
        return [verb for verb, *_ in self.asked]


@dataclass
class Floor:
    """A line with an agent, and the effects of its journal."""

    line: Line
    roster: Roster
    tools: Tools
    carrier: Pretend
    clock: object
    redis: object

    async def work(self, login: str = "ann", phone: str = "softphone") -> None:
        await self.roster.sign_in(
            login, name=login, skills={"support": 0}, line=phone, now_ms=self.clock.now_ms()
        )
        await self.roster.ready(login, self.clock.now_ms())

    async def ring_in(self) -> None:
        card = Card(merchant="Corner Bakery", merchant_id=7, language="es", topic="payments")
        await self.line.enter(SHOP, queue="support", band="p1", card=card, now_ms=self.clock.now_ms())

    async def events(self) -> list[Event]:
        keys = Keys.of(POLICY)
        await journal.ensure_group(self.redis, keys, "effects")
        return await journal.read(self.redis, keys, "effects", "test")

    async def carry_out(self) -> list[Event]:
        """Every new line of the journal; then each a second time, which must not be heard."""
        events = await self.events()
        for event in [*events, *events]:
            await carry_out(event, self.tools)
        return events

    async def now(self):
        return await self.line.contact(SHOP)

    async def accept(self) -> None:
        await self.line.accept(SHOP, "ann", (await self.now()).fence, self.clock.now_ms())


@pytest.fixture
def floor(redis, clock) -> Floor:
    line, carrier = Line(redis, POLICY), Pretend()
    tools = Tools(
        carrier, line, Legs(redis, POLICY.centre), clock, "https://voice.example.com", "+14155550100"
    )
    return Floor(line, Roster(redis, POLICY), tools, carrier, clock, redis)


@pytest.fixture
def real_numbers(monkeypatch):
    """Numbers of the tests are fictitious; for once they may be rung."""
    monkeypatch.setattr(bridging, "dialable", lambda *_, **__: None)


async def test_an_agent_on_a_phone_is_rung_once(floor, real_numbers):
    floor.carrier.answers["dial"] = LEG
    await floor.work(phone=PHONE)
    await floor.ring_in()
    await floor.carry_out()
    ((verb, to, from_, url),) = floor.carrier.asked
    assert (verb, to, from_) == ("dial", PHONE, "+14155550100")
    assert url == f"https://voice.example.com/voice/agent/answer?contact={SHOP}&agent=ann&fence=1"
    assert await floor.tools.legs.agent(SHOP, 1) == LEG


async def test_a_softphone_is_not_rung(floor):
    await floor.work()
    await floor.ring_in()
    await floor.carry_out()
    assert floor.carrier.asked == []


async def test_a_reservation_that_is_nearly_over_rings_nobody(floor, real_numbers):
    await floor.work(phone=PHONE)
    await floor.ring_in()
    floor.clock.advance(s=18)
    await floor.carry_out()
    assert floor.carrier.asked == []


async def test_a_number_we_would_not_dial_puts_its_agent_away(floor):
    await floor.work(phone="+19005550150")
    await floor.ring_in()
    await floor.carry_out()
    assert floor.carrier.asked == []
    assert (await floor.roster.agent("ann")).presence is Presence.AWAY
    assert (await floor.now()).state is ContactState.WAITING


@pytest.mark.parametrize("failure", [Busy(), Ambiguous("no answer")])
async def test_a_dial_that_may_have_happened_is_left_to_the_deadline(floor, real_numbers, failure):
    floor.carrier.answers["dial"] = failure
    await floor.work(phone=PHONE)
    await floor.ring_in()
    await floor.carry_out()
    assert floor.carrier.verbs == ["dial"]
    assert (await floor.now()).state is ContactState.RESERVED


async def accepted(floor: Floor) -> None:
    await floor.work()
    await floor.ring_in()
    await floor.accept()


async def test_the_caller_is_taken_out_of_the_queue(floor):
    floor.carrier.answers["dequeue"] = Dequeued.TOOK
    await accepted(floor)
    await floor.carry_out()
    ((verb, queue, call, url),) = floor.carrier.asked
    assert (verb, queue, call) == ("dequeue", "support.p1", SHOP)
    assert url == (
        "https://voice.example.com/voice/connect?lang=es&m=7&topic=payments&q=support&b=p1"
        f"&fence=1&since={floor.clock.now_ms()}"
    )


async def test_where_there_are_several_the_caller_is_taken_out_of_the_right_one(floor):
    floor.carrier.answers["dequeue"] = Dequeued.TOOK
    floor.line.policy = replace(POLICY, queues=(Queue("support", max_waiting=12_000), Queue("payments")))
    await accepted(floor)
    await floor.carry_out()
    ((verb, queue, call, _),) = floor.carrier.asked
    assert (verb, queue, call) == ("dequeue", hold_queue(floor.line.policy, "support", "p1", SHOP), SHOP)
    assert queue in ("support.p1.1", "support.p1.2", "support.p1.3")


async def test_a_caller_who_is_no_member_is_redirected(floor):
    floor.carrier.answers["dequeue"] = Dequeued.LOST
    await accepted(floor)
    await floor.carry_out()
    assert floor.carrier.verbs == ["dequeue", "redirect"]
    assert (await floor.now()).accepted


async def test_a_caller_who_has_gone_has_gone(floor):
    floor.carrier.answers |= {
        "dequeue": Dequeued.LOST,
        "redirect": Refused(21220, 400, "not in progress"),
        "call": None,
    }
    await accepted(floor)
    await floor.carry_out()
    now = await floor.now()
    assert (now.state, now.disposition) == (ContactState.ENDED, Disposition.ABANDONED)
    assert (await floor.roster.agent("ann")).presence is Presence.READY


async def test_a_caller_who_is_there_but_cannot_be_moved_is_put_back(floor):
    alive = Call(SHOP, "+14155550100", "+14155550001", "in-progress", "inbound", None)
    floor.carrier.answers |= {"dequeue": Refused(20003, 401, "no"), "call": alive}
    await accepted(floor)
    await floor.carry_out()
    now = await floor.now()
    assert (now.state, now.passed) == (ContactState.WAITING, ("ann",))


@pytest.mark.parametrize("failure", [Busy(), Unavailable("no answer")])
async def test_a_fetch_that_surely_failed_is_undone(floor, failure):
    floor.carrier.answers["dequeue"] = failure
    await accepted(floor)
    await floor.carry_out()
    assert (await floor.now()).state is ContactState.WAITING


async def test_a_fetch_that_may_have_happened_is_left_to_the_deadline(floor):
    floor.carrier.answers["dequeue"] = Ambiguous("no answer")
    await accepted(floor)
    await floor.carry_out()
    assert (await floor.now()).accepted


async def test_an_old_acceptance_fetches_nobody(floor):
    await accepted(floor)
    events = await floor.events()
    await floor.line.fail_join(SHOP, floor.clock.now_ms())
    for event in events:
        await carry_out(event, floor.tools)
    assert floor.carrier.asked == []


async def test_a_caller_whose_agent_was_lost_is_fetched_back_and_the_leg_ended(floor):
    await accepted(floor)
    await floor.tools.legs.note_agent(SHOP, 1, LEG)
    await floor.events()
    floor.clock.advance(s=31)
    await floor.line.expire(floor.clock.now_ms())
    await floor.carry_out()
    (hang_up, redirect) = floor.carrier.asked
    assert hang_up == ("hang_up", LEG)
    assert redirect[:2] == ("redirect", SHOP)
    assert "/voice/requeue?" in redirect[2]
    assert redirect[2].endswith("&why=lost")


async def test_unless_the_callers_own_leg_noticed_first(floor):
    await accepted(floor)
    await floor.events()
    await floor.tools.legs.note_back(SHOP, 1)
    await floor.line.fail_join(SHOP, floor.clock.now_ms())
    await floor.carry_out()
    assert floor.carrier.asked == []


async def test_a_transfer_fetches_the_caller_out_of_the_talk(floor):
    await accepted(floor)
    await floor.line.connect(SHOP, floor.clock.now_ms())
    await floor.events()
    await floor.line.transfer(SHOP, "payments", None, floor.clock.now_ms())
    await floor.carry_out()
    ((verb, call, url),) = floor.carrier.asked
    assert (verb, call) == ("redirect", SHOP)
    assert "q=payments" in url
    assert url.endswith("&why=transfer")


async def test_a_transfer_of_a_waiting_caller_disturbs_nobody(floor):
    await floor.ring_in()
    await floor.line.transfer(SHOP, "payments", None, floor.clock.now_ms())
    await floor.carry_out()
    assert floor.carrier.asked == []


async def test_an_agent_left_alone_by_the_caller_is_told(floor):
    await accepted(floor)
    await floor.tools.legs.note_agent(SHOP, 1, LEG)
    await floor.events()
    await floor.line.leave(SHOP, Disposition.ABANDONED, floor.clock.now_ms())
    await floor.carry_out()
    ((verb, leg, url),) = floor.carrier.asked
    assert (verb, leg) == ("redirect", LEG)
    assert "/voice/agent/after?" in url


async def test_a_phone_that_still_rings_for_a_gone_caller_stops(floor, real_numbers):
    floor.carrier.answers |= {"dial": LEG, "redirect": Refused(21220, 400, "not in progress")}
    await floor.work(phone=PHONE)
    await floor.ring_in()
    await floor.carry_out()
    await floor.line.leave(SHOP, Disposition.ABANDONED, floor.clock.now_ms())
    await floor.carry_out()
    assert floor.carrier.verbs == ["dial", "redirect", "cancel"]


async def test_a_missed_ring_stops(floor, real_numbers):
    floor.carrier.answers["dial"] = LEG
    await floor.work(phone=PHONE)
    await floor.ring_in()
    await floor.carry_out()
    floor.clock.advance(s=21)
    await floor.line.expire(floor.clock.now_ms())
    await floor.carry_out()
    assert floor.carrier.verbs == ["dial", "cancel"]


async def talking(floor: Floor) -> Event:
    await accepted(floor)
    await floor.line.connect(SHOP, floor.clock.now_ms())
    await floor.events()
    return Event("1-0", "", floor.clock.now_ms(), SHOP, "ann", "support", "p1", {"fence": "1"})


async def test_hold_and_back(floor):
    asked = await talking(floor)
    for kind in ("held", "unheld"):
        await carry_out(replace(asked, id=kind, kind=kind), floor.tools)
    held, unheld = floor.carrier.asked
    assert held[:4] == ("hold", f"{SHOP}-1", SHOP, True)
    assert held[4].endswith("/voice/connecting?lang=es&held=1")
    assert unheld[:4] == ("hold", f"{SHOP}-1", SHOP, False)


async def test_the_agent_ends_the_talk_and_the_caller_hears_goodbye(floor):
    asked = await talking(floor)
    await carry_out(replace(asked, kind="hang_up_asked"), floor.tools)
    ((verb, call, url),) = floor.carrier.asked
    assert (verb, call) == ("redirect", SHOP)
    assert "/voice/after?" in url
    assert url.endswith("&fence=1&met=1")


async def test_an_agent_who_hangs_up_before_they_met_gives_the_caller_back(floor):
    await accepted(floor)
    await floor.events()
    asked = Event("1-0", "hang_up_asked", 0, SHOP, "ann", "support", "p1", {"fence": "1"})
    await carry_out(asked, floor.tools)
    assert floor.carrier.asked == []
    assert (await floor.now()).state is ContactState.WAITING


async def test_a_job_carries_out_the_event_it_was_given(floor):
    floor.carrier.answers["dequeue"] = Dequeued.TOOK
    await accepted(floor)
    (event,) = [event for event in await floor.events() if event.kind == "accepted"]
    jobs.equip(Bench(floor.tools, floor.redis, Keys.of(POLICY)))
    await jobs.carry_out(event.id)
    await jobs.carry_out("1-1")  # trimmed away long ago
    assert floor.carrier.verbs == ["dequeue"]
    assert jobs.has_effect(event)
    assert not any(jobs.has_effect(each) for each in await floor.events() if each.kind == "entered")


@pytest.mark.parametrize(("how", "asks"), [("not_reached", True), ("answered", False), ("abandoned", False)])
def test_only_the_end_of_a_callback_in_vain_asks_anything(how, asks):
    event = Event("1-1", "ended", 1, "PR0123456789abcdef.1", "ann", "support", "p2", {"disposition": how})
    assert jobs.has_effect(event) is asks
