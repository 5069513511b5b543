from __future__ import annotations

from dataclasses import replace

from carrier.numbers import masked
from dashboard.desk_view import DeskFacts, DeskView, caller_name, desk_view
from dashboard.promise_views import PromiseFacts
from queueing.policy import LinePolicy, Queue
from queueing.presence import Presence
from queueing.records import AgentNow, Card, ContactNow
from queueing.states import ContactState

POLICY = LinePolicy(queues=(Queue("support"), Queue("billing")))
AGENT = AgentNow(
    agent="agent1",
    name="Agent 1",
    presence=Presence.READY,
    since_ms=1_000,
    contact="",
    queue="",
    fence=0,
    deadline_ms=0,
    misses=0,
    after="",
    reason="",
    line="softphone",
    idle_ms=1_000,
    skills={"support": 0},
)
CONTACT = ContactNow(
    contact="CA1",
    state=ContactState.RESERVED,
    queue="support",
    band="p2",
    agent="agent1",
    fence=3,
    deadline_ms=21_000,
    accepted=False,
    passed=(),
    score=1,
    arrival_us=1,
    entered_ms=500,
    answered_ms=0,
    disposition="",
    caller_key="",
    card=Card(caller="+14155554471", merchant="Corner Bakery", tier="gold", language="es", topic="till"),
)
FACTS = DeskFacts(
    policy=POLICY,
    agent=AGENT,
    contact=None,
    held=False,
    phone="",
    softphone=True,
    skills=["support"],
    reasons=("Break", "Lunch"),
    outcomes=(("resolved", "Resolved"),),
)


def desk(**changes: object) -> DeskView:
    return desk_view(replace(FACTS, **changes), masked)  # type: ignore[arg-type]


def agent(**changes: object) -> AgentNow:
    return replace(AGENT, **changes)  # type: ignore[arg-type]


def test_somebody_who_never_came_to_work_is_welcomed() -> None:
    told = desk(agent=None)
    assert told.presence == "off"
    assert (told.controls.ready, told.controls.away, told.controls.off) == ("Go available", "", "")


def test_a_ready_agent_may_leave_or_rest() -> None:
    told = desk()
    assert (told.word, told.controls.ready, told.controls.off) == ("Ready", "", "Leave the line")


def test_an_agent_being_asked_sees_who_it_is_and_never_the_whole_number() -> None:
    told = desk(
        agent=agent(presence=Presence.RESERVED, contact="CA1", fence=3, deadline_ms=21_000), contact=CONTACT
    )
    assert told.card is not None
    assert (told.card.merchant, told.card.tier) == ("Corner Bakery", "Gold")
    assert told.card.chips == ["Spanish", "+1 415 ••• 4471"]
    assert told.spoken == "A contact for you: Corner Bakery."
    assert "5554471" not in repr(told)


def test_a_desk_with_a_phone_shows_which_one_rings() -> None:
    told = desk(agent=agent(presence=Presence.RESERVED, line="+14155550177"), phone="+14155550177")
    assert (told.line, told.phone) == ("phone", "+1 415 ••• 0177")


def test_talking_begins_when_the_two_have_met() -> None:
    joining = agent(presence=Presence.TALKING, contact="CA1", deadline_ms=9_000)
    assert desk(agent=joining, contact=CONTACT).joining
    assert not desk(
        agent=replace(joining, deadline_ms=0), contact=replace(CONTACT, answered_ms=4_000)
    ).joining


def test_an_agent_put_away_for_missing_contacts_is_told_why() -> None:
    assert "missed" in desk(agent=agent(presence=Presence.AWAY, reason="missed")).say


def test_one_can_transfer_to_any_other_queue() -> None:
    assert desk(agent=agent(presence=Presence.TALKING, queue="support")).transfer_to == ["billing"]


def test_an_unknown_caller_has_a_name_all_the_same() -> None:
    assert caller_name(Card(), masked) == "Unknown caller"
    assert caller_name(Card(caller="+14155554471"), masked) == "Caller +1 415 ••• 4471"


PROMISE = PromiseFacts("PR1", 0, "+14155554471", 1, 60_000, False, 0, 3, "UTC", True)


def test_while_the_merchants_phone_rings_nobody_is_in_contact_yet() -> None:
    talking = replace(AGENT, presence=Presence.TALKING, contact="CA1", deadline_ms=75_000)
    view = desk(agent=talking, contact=CONTACT, promise=PROMISE)
    assert (view.word, view.mark, view.spoken) == ("Calling", "ring", "Calling.")
    assert view.callback is not None
    met = desk(agent=replace(talking, deadline_ms=0), contact=CONTACT, promise=PROMISE)
    assert (met.word, met.mark) == ("In contact", "live-mark")


def test_a_claimed_promise_is_held_for_longer_than_a_ring() -> None:
    asked = replace(AGENT, presence=Presence.RESERVED, contact="CA1", since_ms=1_000, deadline_ms=121_000)
    view = desk(agent=asked, contact=CONTACT, promise=PROMISE)
    assert view.ring_ms == 120_000
    assert view.spoken == "A callback for you: Corner Bakery."


def test_somebody_who_is_owed_a_callback_and_rings_in_is_known_as_such() -> None:
    asked = replace(AGENT, presence=Presence.RESERVED, contact="CA1", deadline_ms=21_000)
    owed = replace(CONTACT, card=replace(CONTACT.card, promise="PR00000000000000aa"))
    told = ("Callback", "owed to them: this call keeps it")
    view, turn = (
        desk(agent=asked, contact=one) for one in (owed, replace(owed, contact="PR00000000000000aa.1"))
    )
    assert view.card is not None
    assert turn.card is not None
    assert told in view.card.facts
    assert told not in turn.card.facts
