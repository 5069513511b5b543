"""An agent's records into what the desk shows. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dashboard.promise_views import CallbackCard, PromiseFacts, callback_card
from dashboard.views import LANGUAGE_WORDS, sentence
from queueing.names import is_turn
from queueing.policy import LinePolicy
from queueing.presence import Presence
from queueing.records import AgentNow, Card, ContactNow

Masked = Callable[[str], str]
"""Hides a phone number's middle: agents do not dial, so they do not need it."""


@dataclass(frozen=True, slots=True)
class PastContact:
    """One earlier thing with the same merchant. ``kind``: "call", "promise" or "text"."""

    when: str
    topic: str
    end: str
    note: str = ""
    kind: str = "call"


@dataclass(frozen=True, slots=True)
class DeskFacts:
    """All that the desk is made from. ``agent`` is None for somebody who never came to work."""

    policy: LinePolicy
    agent: AgentNow | None
    contact: ContactNow | None
    held: bool
    phone: str
    softphone: bool
    skills: Sequence[str]
    reasons: tuple[str, ...]
    outcomes: tuple[tuple[str, str], ...]
    history: list[PastContact] = field(default_factory=list)
    promise: PromiseFacts | None = None
    now_ms: int = 0
    quiet: tuple[str, str] = ("21:00", "08:00")


@dataclass(frozen=True, slots=True)
class CardView:
    """Who rings and why. ``waited_ms`` is None while the wait goes on; it began at ``entered_ms``."""

    merchant: str
    tier: str
    chips: list[str]
    facts: list[tuple[str, str]]
    entered_ms: int
    waited_ms: int | None


@dataclass(frozen=True, slots=True)
class Controls:
    """The buttons of the agent's own state; a word that is "" is a button that is not there."""

    ready: str
    away: str
    off: str
    lines: list[tuple[str, str]]
    line_chosen: str
    reasons: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class DeskView:
    """What an agent's desk shows."""

    presence: str
    word: str
    mark: str
    say: str
    title: str
    spoken: str
    since_ms: int
    rest: tuple[str, str]
    contact: str
    fence: int
    deadline_ms: int
    joining: bool
    joined_ms: int
    held: bool
    line: str
    line_word: str
    phone: str
    skills: list[str]
    controls: Controls
    card: CardView | None
    history: list[PastContact]
    transfer_to: list[str]
    outcomes: tuple[tuple[str, str], ...]
    ring_ms: int
    wrap_up_ms: int
    callback: CallbackCard | None = None


_NOBODY = AgentNow(
    agent="",
    name="",
    presence=Presence.OFF,
    since_ms=0,
    contact="",
    queue="",
    fence=0,
    deadline_ms=0,
    misses=0,
    after="",
    reason="",
    line="",
    idle_ms=0,
    skills={},
)
_WORDS = {
    Presence.OFF: ("Not on the line", "quiet"),
    Presence.AWAY: ("Away", "quiet"),
    Presence.READY: ("Ready", "live-mark"),
    Presence.RESERVED: ("Being asked", "busy"),
    Presence.TALKING: ("In contact", "live-mark"),
    Presence.WRAP_UP: ("Wrapping up", "busy"),
}
_REST = {
    Presence.OFF: ("Welcome", "Go available when your headset is on. The first contact comes by itself."),
    Presence.AWAY: ("On a break", "No contact is offered to you. Go available when you are back."),
    Presence.READY: ("Ready", "The next contact comes by itself. You may stretch."),
}
_WITHOUT_CLOCK = (Presence.OFF, Presence.RESERVED, Presence.TALKING, Presence.WRAP_UP)
"""Where there is no clock beside the presence: there is none to show, or a larger one below."""


def desk_view(facts: DeskFacts, masked: Masked) -> DeskView:
    """The desk of one agent."""
    agent, contact = facts.agent or _NOBODY, facts.contact
    presence = agent.presence
    word, mark = _WORDS[presence]
    on_phone = agent.line.startswith("+")
    card = card_view(contact, masked) if contact else None
    joining = presence is Presence.TALKING and agent.deadline_ms != 0
    if joining and facts.promise is not None:
        word, mark = "Calling", "ring"
    return DeskView(
        presence=presence.value,
        word=word,
        mark=mark,
        say=_say(agent),
        title=f"● {word}" if presence is Presence.RESERVED else word,
        spoken=_spoken(presence, word, card, facts.promise is not None),
        since_ms=0 if presence in _WITHOUT_CLOCK else agent.since_ms,
        rest=_REST.get(presence, ("", "")),
        contact=agent.contact,
        fence=agent.fence,
        deadline_ms=agent.deadline_ms,
        joining=joining,
        joined_ms=agent.since_ms if joining or not contact else contact.answered_ms,
        held=facts.held,
        line="phone" if on_phone else "softphone",
        line_word=_line_word(agent, facts, masked),
        phone=masked(agent.line) if on_phone else "",
        skills=list(facts.skills),
        controls=_controls(agent, facts, masked),
        card=card,
        history=facts.history,
        transfer_to=[queue.name for queue in facts.policy.queues if queue.name != agent.queue],
        outcomes=facts.outcomes,
        ring_ms=_asked_for_ms(agent) or facts.policy.ring_ms,
        wrap_up_ms=facts.policy.wrap_up_ms,
        callback=_callback(facts, masked),
    )


def _asked_for_ms(agent: AgentNow) -> int:
    """How long the agent is asked in all: longer for a promise that was claimed. 0 when it is not asked."""
    return agent.deadline_ms - agent.since_ms if agent.presence is Presence.RESERVED else 0


def _callback(facts: DeskFacts, masked: Masked) -> CallbackCard | None:
    """The promise that the contact in hand is a turn of."""
    if facts.promise is None or facts.contact is None:
        return None
    talked = facts.contact.answered_ms > 0
    return callback_card(facts.promise, masked, now_ms=facts.now_ms, talked=talked, quiet=facts.quiet)


def _controls(agent: AgentNow, facts: DeskFacts, masked: Masked) -> Controls:
    presence, talking = agent.presence, agent.presence is Presence.TALKING
    at_work = presence is not Presence.OFF
    ready = "Go available" if presence in (Presence.OFF, Presence.AWAY) else ""
    away = {Presence.AWAY: "Change reason", Presence.TALKING: "Away after this"}.get(presence, "Away")
    off = "Leave after this" if talking else "Leave the line"
    lines = [("softphone", "Softphone")] if facts.softphone else []
    if facts.phone:
        lines.append(("phone", f"Phone {masked(facts.phone)}"))
    return Controls(
        ready="Stay available" if talking and agent.after else ready,
        away=away if at_work else "",
        off=off if at_work and agent.after != "off" else "",
        lines=lines,
        line_chosen="phone" if agent.line.startswith("+") or not facts.softphone else "softphone",
        reasons=facts.reasons,
        reason=agent.reason,
    )


def _say(agent: AgentNow) -> str:
    if agent.presence is Presence.OFF:
        return "You are signed in here; callers cannot reach you yet."
    if agent.presence is Presence.AWAY and agent.reason == "missed":
        return "You missed contacts in a row, so you are not asked any more. Go available when you are back."
    if agent.presence is Presence.AWAY:
        return agent.reason
    return {"away": "Then away.", "off": "Then you leave the line."}.get(agent.after, "")


def _spoken(presence: Presence, word: str, card: CardView | None, callback: bool) -> str:
    """What a screen reader is told when things change."""
    if presence is Presence.RESERVED:
        kind = "callback" if callback else "contact"
        return f"A {kind} for you: {card.merchant}." if card else f"A {kind} for you."
    return f"{word}."


def _line_word(agent: AgentNow, facts: DeskFacts, masked: Masked) -> str:
    if agent.line.startswith("+"):
        return f"your phone {masked(agent.line)}"
    if facts.softphone:
        return "the softphone here"
    return f"your phone {masked(facts.phone)}" if facts.phone else "nothing yet: you have no phone number"


def card_view(contact: ContactNow, masked: Masked) -> CardView:
    """The contact's card as the desk shows it."""
    card = contact.card
    language = LANGUAGE_WORDS.get(card.language, card.language)
    facts = [
        ("Topic", sentence(card.topic)),
        ("Product", card.product),
        ("Note", card.note),
        (
            "Callback",
            "owed to them: this call keeps it" if card.promise and not is_turn(contact.contact) else "",
        ),
        ("Queue", contact.queue),
    ]
    chips = [card.location, language, masked(card.caller) if card.caller else "number withheld"]
    return CardView(
        merchant=caller_name(card, masked),
        tier=card.tier.capitalize(),
        chips=[chip for chip in chips if chip],
        facts=[(term, value) for term, value in facts if value],
        entered_ms=contact.entered_ms,
        waited_ms=contact.answered_ms - contact.entered_ms if contact.answered_ms else None,
    )


def caller_name(card: Card, masked: Masked) -> str:
    """The merchant, or the best name an unknown caller has."""
    return card.merchant or ("Unknown caller" if not card.caller else f"Caller {masked(card.caller)}")
