"""What the JSON API answers, as the OpenAPI document tells it. Times are epoch milliseconds, UTC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dashboard.auth import Who
from queueing.figures import Figures, Stretch
from queueing.records import AgentNow, ContactNow, QueueNow


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProblemAnswer(BaseModel):
    """RFC 9457 problem details. ``mend`` says what you can do about it."""

    type: str = Field(examples=["/api/docs#problem-lost-race"])
    title: str
    status: int
    detail: str
    mend: str
    instance: str = ""


class ContactAnswer(Answer):
    """A contact. ``caller`` is masked unless your role is supervisor or above."""

    id: str
    state: str
    queue: str
    band: str
    position: int | None = Field(description="Place in its queue, from 1; null when it does not wait.")
    agent: str
    fence: int = Field(description="The number of its present reservation.")
    accepted: bool
    deadline_ms: int
    entered_ms: int
    answered_ms: int
    disposition: str
    caller: str
    merchant_id: int | None
    merchant: str
    location: str
    tier: str
    product: str
    language: str
    topic: str
    note: str

    @classmethod
    def of(cls, now: ContactNow, number: Callable[[str], str]) -> ContactAnswer:
        """``number`` hides what the reader need not see of a phone number."""
        card = now.card
        return cls(
            id=now.contact,
            state=now.state.value,
            queue=now.queue,
            band=now.band,
            position=now.position,
            agent=now.agent,
            fence=now.fence,
            accepted=now.accepted,
            deadline_ms=now.deadline_ms,
            entered_ms=now.entered_ms,
            answered_ms=now.answered_ms,
            disposition=now.disposition,
            caller=number(card.caller) if card.caller else "",
            merchant_id=card.merchant_id,
            merchant=card.merchant,
            location=card.location,
            tier=card.tier,
            product=card.product,
            language=card.language,
            topic=card.topic,
            note=card.note,
        )


class MeAnswer(Answer):
    """You, as the line sees you. Send ``csrf`` as X-CSRF-Token with every POST."""

    agent: str
    name: str
    role: str
    csrf: str
    presence: str
    since_ms: int
    reason: str = Field(description="Why you are away.")
    after: str = Field(description='What you asked for while talking: "away", "off" or "".')
    line: str = Field(description='Where you are rung: "softphone", "phone", or "" before you came to work.')
    skills: dict[str, int] = Field(description="Queue to handicap in ms.")
    contact: ContactAnswer | None = Field(
        description="Whom you are asked for, talk with, or wrap up; null when nobody."
    )
    fence: int = Field(description="The number of the reservation; send it back with every move.")
    deadline_ms: int = Field(description="When the ringing, joining or wrap-up ends; 0 when nothing does.")
    held: bool

    @classmethod
    def of(cls, who: Who, agent: AgentNow | None, contact: ContactAnswer | None, *, held: bool) -> MeAnswer:
        return cls(
            agent=who.agent,
            name=who.name,
            role=who.role,
            csrf=who.csrf,
            presence=agent.presence.value if agent else "off",
            since_ms=agent.since_ms if agent else 0,
            reason=agent.reason if agent else "",
            after=agent.after if agent else "",
            line=line_kind(agent.line) if agent else "",
            skills=dict(agent.skills if agent else who.account.skills),
            contact=contact,
            fence=agent.fence if agent else 0,
            deadline_ms=agent.deadline_ms if agent else 0,
            held=held,
        )


def line_kind(line: str) -> str:
    """ "softphone", "phone" or "": an agent's private number is nobody's business."""
    return "phone" if line.startswith("+") else line


class QueueAnswer(Answer):
    queue: str
    waiting: int = Field(description="Callers and callbacks.")
    promises: int = Field(description="The callbacks among the waiting.")
    oldest_entered_ms: int | None = Field(description="Of the callers.")
    longest_wait_ms: int
    agents: int = Field(description="At work (neither off nor away) and serving it.")
    ready: int

    @classmethod
    def of(cls, now: QueueNow) -> QueueAnswer:
        return cls(
            queue=now.queue,
            waiting=now.waiting,
            promises=now.promises,
            oldest_entered_ms=now.oldest_entered_ms,
            longest_wait_ms=now.longest_wait_ms,
            agents=now.agents,
            ready=now.ready,
        )


class QueuesAnswer(Answer):
    at_ms: int
    age_ms: int = Field(description="How old this is: more than a second only while Redis does not answer.")
    queues: list[QueueAnswer]


class AgentAnswer(Answer):
    agent: str
    name: str
    presence: str
    since_ms: int
    reason: str
    queue: str = Field(description="The queue of the contact in hand.")
    contact: str
    line: str
    skills: dict[str, int]

    @classmethod
    def of(cls, now: AgentNow) -> AgentAnswer:
        return cls(
            agent=now.agent,
            name=now.name,
            presence=now.presence.value,
            since_ms=now.since_ms,
            reason=now.reason,
            queue=now.queue,
            contact=now.contact,
            line=line_kind(now.line),
            skills=now.skills,
        )


class AgentsAnswer(Answer):
    at_ms: int
    agents: list[AgentAnswer]


class RecordAnswer(Answer):
    """A contact of the record."""

    id: str
    queue: str
    band: str
    merchant: str
    tier: str
    topic: str
    language: str
    caller: str
    entered_ms: int
    answered_ms: int | None
    ended_ms: int | None
    disposition: str
    agent: str
    outcome: str
    note: str


class ContactsAnswer(Answer):
    """A page of contacts: those waiting now (``waiting``), or those of a day (``record``)."""

    total: int
    start: int
    next: int | None = Field(description="``start`` of the next page; null on the last.")
    waiting: list[ContactAnswer] = []
    record: list[RecordAnswer] = []


class FiguresAnswer(Answer):
    """Definitions are in the glossary. Shares are 0 to 1; null where there is nothing to divide by."""

    offered: int
    answered: int
    abandoned: int
    short_abandoned: int
    other: int
    waiting: int
    in_time: int
    service_level: float | None
    service_level_without_short: float | None
    abandonment: float | None
    asa_ms: float | None
    aht_ms: float | None
    longest_wait_ms: int | None
    occupancy: float | None = Field(
        description="0 to 1. Null for one queue: an agent's idle time belongs to no one queue."
    )

    @classmethod
    def of(cls, told: Figures) -> FiguresAnswer:
        return cls(**{name: getattr(told, name) for name in cls.model_fields})


class StretchAnswer(Answer):
    starts: str = Field(description="ISO 8601, in the centre's time zone.")
    from_ms: int
    to_ms: int
    figures: FiguresAnswer

    @classmethod
    def of(cls, stretch: Stretch) -> StretchAnswer:
        return cls(
            starts=stretch.starts.isoformat(),
            from_ms=stretch.from_ms,
            to_ms=stretch.to_ms,
            figures=FiguresAnswer.of(stretch.figures),
        )


class DayAnswer(Answer):
    day: str
    time_zone: str
    queue: str
    total: FiguresAnswer
    hours: list[StretchAnswer]


class SoftphoneAnswer(Answer):
    kind: str = Field(description='"twilio", "double" or "none".')
    token: str = Field(description="An access token for the Voice SDK; short-lived.")
    url: str = Field(description='Where the double is reached; "" for Twilio.')


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": words,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}},
    }
    for status, words in {
        401: "You are not signed in.",
        403: "Your role does not reach here, or the token is missing.",
        404: "There is no such thing.",
        409: "The contact or promise has moved on, or it cannot be done from where things stand.",
        413: "That is too much at once.",
        422: "The request is not understood.",
        429: "Too many attempts.",
        503: "A store does not answer.",
    }.items()
}
