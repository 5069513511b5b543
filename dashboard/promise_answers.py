"""What the JSON API answers about promises to ring back. Times are epoch milliseconds, UTC."""

from __future__ import annotations

from pydantic import Field

from callbacks.lists import Happened
from callbacks.owed import Owed
from dashboard.answers import Answer
from dashboard.promise_views import OwedRow


class PromiseAnswer(Answer):
    """A callback owed. ``number`` is masked, always: the product dials, nobody else needs to."""

    id: str
    version: int = Field(description="Send it back with every change; an old one changes nothing.")
    state: str = Field(description="in line, later, asked, calling, talking, or how it ended.")
    agent: str = Field(description="The name of who is asked, calls or talks; empty for nobody.")
    given_to: str = Field(description="The login it was given to by a lead; empty for anybody.")
    number: str
    queue: str
    merchant: str
    location: str
    tier: str
    topic: str
    language: str
    tries: int = Field(description="Tries in vain so far.")
    late: bool
    due_ms: int = Field(description="Not rung before this.")
    by_ms: int = Field(description="The end of what was promised; 0 where no time was told.")
    texts: bool = Field(description="The merchant agreed to be texted about it.")


class HappenedAnswer(Answer):
    at_ms: int
    kind: str
    by: str
    words: str

    @classmethod
    def of(cls, told: Happened) -> HappenedAnswer:
        return cls(at_ms=told.at_ms, kind=told.kind, by=told.by, words=told.words)


class PromiseStoryAnswer(Answer):
    """A promise, open or ended, and what happened to it."""

    promise: PromiseAnswer
    happened: list[HappenedAnswer]


class PromisesAnswer(Answer):
    """A page of the open promises: the late ones first, then by place, then by due time."""

    total: int
    late: int
    start: int
    next: int | None = Field(description="``start`` of the next page; null on the last.")
    promises: list[PromiseAnswer]


def promise_answer(row: Owed, shown: OwedRow) -> PromiseAnswer:
    """From the record, with the state as lists show it."""
    return PromiseAnswer(
        id=row.id,
        version=row.version,
        state=shown.word,
        agent=shown.who,
        given_to=row.agent,
        number=shown.number,
        queue=row.queue,
        merchant=row.merchant,
        location=row.location,
        tier=row.tier,
        topic=row.topic,
        language=row.language,
        tries=row.tries,
        late=shown.late,
        due_ms=row.due_ms,
        by_ms=row.by_ms,
        texts=row.texts,
    )
