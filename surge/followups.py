"""The ledger of whom we did not serve: one row a call, and each comes to an end of its own.

Rows are made where the call's outcome is written down, in that transaction, or by who turns a caller away,
in theirs. Several calls of one merchant about one incident are one row to work on: the others are DUPLICATE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.errors import Mendable
from merchants.tables import Merchant
from queueing.figures import SHORT_ABANDON_MS
from queueing.journal import Event
from queueing.names import is_turn
from queueing.states import Disposition
from queueing.tables import Contact
from surge import record
from surge.directive import Told
from surge.matching import Caller, best
from surge.office import Watch
from surge.states import FOLLOW_UP_ENDS, FollowUpState, Match
from surge.tables import FollowUp, Incident

OPEN_WORDS = tuple(state.value for state in FollowUpState if state not in FOLLOW_UP_ENDS)
WANTED = {
    Disposition.DEFLECTED: "deflected",
    Disposition.ABANDONED: "abandoned",
    Disposition.FULL: "full",
    Disposition.CLOSED: "closed",
    Disposition.MESSAGE: "message",
}
"""The outcomes that are followed up, as the rows name them."""
CHANGING = frozenset({"ended", "turned_away", "full", "message", "entered", "connected"})
BEFORE_MS = 60 * 60_000
"""Who came so long before an incident was declared may have come because of it: nobody knew of it yet."""
AT_ONCE = 200
BY_MERCHANT, BY_LINE = "merchant", "line"


@dataclass(frozen=True, slots=True)
class Owed:
    """Whom a row is made for. ``id``: the call, or the promise. ``audience``: whom the incident hits."""

    id: str
    why: str
    at_ms: int
    number: str = ""
    merchant_id: int | None = None
    merchant: str = ""
    tier: str = ""
    language: str = "en"
    queue: str = ""
    band: str = ""
    arrival_us: int = 0
    incident: str = ""
    audience: str = "merchants"

    @property
    def turns(self) -> tuple[str, ...]:
        return (f"merchant {self.merchant_id}" if self.merchant_id else "", self.number)


class Promised(Protocol):
    """A promise, as far as it tells whose it is: this package knows no callbacks."""

    merchant_id: int | None
    product: str
    location: str
    topic: str


# --- from the journal ---------------------------------------------------------------------------------


async def follow(session: AsyncSession, events: Iterable[Event], watch: Watch) -> int:
    """Rows for the calls whose outcome these new events tell, and an end for those who were answered.

    Call it after ``ledger.record``, in its transaction, with the events that were new; how many rows changed.
    """
    names = {event.contact for event in events if event.kind in CHANGING and event.contact}
    calls = sorted(name for name in names if not is_turn(name))
    if not calls:
        return 0
    found = await session.exec(select(Contact).where(col(Contact.contact).in_(calls)))
    contacts = sorted(found, key=lambda each: (each.entered_ms, each.contact))
    owed = [(contact, _owed(contact)) for contact in contacts]
    await record.take_turns(session, {name for _, each in owed for name in each.turns})
    live = [as_told(row) for row in await record.live(session)]
    changed = 0
    for contact, each in owed:
        changed += await _follow_one(session, contact, each, live)
    return changed


async def _follow_one(session: AsyncSession, contact: Contact, owed: Owed, live: Sequence[Told]) -> int:
    if contact.answered_ms is None:
        return await _follow_up(session, contact, owed, live)
    # Who was sent on by the agent, waited again and gave up was met, and is owed something all the same.
    own = "" if owed.why else owed.id
    met = await served(session, owed.merchant_id, owed.number, contact.answered_ms, call=own)
    return met + (await _follow_up(session, contact, owed, live) if owed.why else 0)


async def _follow_up(session: AsyncSession, contact: Contact, owed: Owed, live: Sequence[Told]) -> int:
    before = (await record.locked_follow_ups(session, FollowUp.id == contact.contact))[:1]
    if not owed.why or _short(contact):
        return await _taken_back(before, contact)
    if before:
        changed = before[0].why != owed.why and "deflected" not in (before[0].why, owed.why)
        before[0].why = owed.why if changed else before[0].why
        return int(changed)
    told = await _incident_of(session, contact, live)
    if told is not None:
        owed = replace(owed, incident=told.id, audience=told.audience)
    return int(await make(session, owed))


def _owed(contact: Contact) -> Owed:
    """``why`` is "" while there is nothing to follow up."""
    known = contact.disposition in set(WANTED)
    return Owed(
        id=contact.contact,
        why=WANTED[Disposition(contact.disposition)] if known else "",
        at_ms=contact.ended_ms or contact.entered_ms,
        number=contact.caller,
        merchant_id=contact.merchant_id,
        merchant=contact.merchant,
        tier=contact.tier,
        language=contact.language or "en",
        queue=contact.last_queue or contact.queue,
        band=contact.band,
        arrival_us=contact.entered_ms * 1000,
    )


def _short(contact: Contact) -> bool:
    """Hung up so soon that they have not really asked for anything."""
    waited = (contact.ended_ms or contact.entered_ms) - contact.entered_ms
    return contact.disposition == Disposition.ABANDONED and waited < SHORT_ABANDON_MS


async def _taken_back(before: Sequence[FollowUp], contact: Contact) -> int:
    """The call went on after all: promised a callback, the promise is what is followed."""
    for row in before:
        if row.state in OPEN_WORDS and contact.disposition == Disposition.PROMISED:
            _end(row, FollowUpState.DUPLICATE, BY_LINE, contact.ended_ms or row.made_ms, "has a callback")
            return 1
    return 0


async def _incident_of(session: AsyncSession, contact: Contact, live: Sequence[Told]) -> Told | None:
    """The incident they most likely rang about. Only who surely is not touched belongs to none."""
    if not live:
        return None
    merchant = await session.get(Merchant, contact.merchant_id) if contact.merchant_id else None
    caller = known_of(contact, merchant)
    told, matched = best(live, caller)
    return told if matched.match is not Match.NONE else None


async def adopt(watch: Watch) -> int:
    """One round: who gave up in the hour before an incident was declared, rang about it, if it surely touches
    them and they asked for nothing else. How many rows have got an incident. Raises Unavailable."""
    async with watch.sql.reading() as session:
        live = await record.live(session)
        found = await _without_incident(session, live) if live else {}
    if not found:
        return 0
    async with watch.sql.session() as session:
        rows = await record.locked_follow_ups(
            session,
            col(FollowUp.id).in_(found),
            FollowUp.incident == "",
            FollowUp.state == FollowUpState.OPEN,
        )
        for row in rows:
            told = found[row.id]
            row.incident, row.audience = told.id, audience_of(told.audience, row.merchant_id)
    return len(rows)


async def _without_incident(session: AsyncSession, live: Sequence[Incident]) -> dict[str, Told]:
    """Row to the incident that it belongs to, for the oldest of those that have none."""
    declared = [row.declared_ms for row in live]
    wanted = (
        select(Contact, Merchant)
        .join(FollowUp, col(FollowUp.id) == col(Contact.contact))
        .outerjoin(Merchant, col(Merchant.id) == col(Contact.merchant_id))
        .where(
            FollowUp.incident == "",
            FollowUp.state == FollowUpState.OPEN,
            col(FollowUp.made_ms) >= min(declared) - BEFORE_MS,
            col(FollowUp.made_ms) < max(declared),
        )
    )
    found = {}
    for contact, merchant in await session.exec(wanted):
        at_ms = contact.ended_ms or contact.entered_ms
        told, matched = best(
            [as_told(row) for row in live if _came_before(row, contact.topic, at_ms)],
            known_of(contact, merchant),
        )
        if told is not None and matched.match is Match.MATCH:
            found[contact.contact] = told
    return dict(list(found.items())[:AT_ONCE])


def _came_before(row: Incident, topic: str, at_ms: int) -> bool:
    about = not row.topic or not topic or row.topic == topic
    return about and row.declared_ms - BEFORE_MS <= at_ms < row.declared_ms


def known_of(row: Contact | Promised, merchant: Merchant | None) -> Caller:
    """What a call, or a promise, and the directory tell of who it is of."""
    product = row.product or (merchant.product if merchant else "")
    return Caller(
        merchant_id=row.merchant_id,
        products=(product,) if product else (),
        region=merchant.region if merchant else "",
        rail=merchant.rail if merchant else "",
        devices=tuple(merchant.device.split(";")) if merchant and merchant.device else (),
        locations=(row.location,) if row.location else (),
        topic=row.topic,
    )


def as_told(row: Incident) -> Told:
    """The incident without its words: for matching."""
    return Told(
        row.id, row.severity, row.state, row.audience, row.scope, row.version, row.updated_ms, {},
        topic=row.topic,
    )  # fmt: skip


def audience_of(hit: str, merchant_id: int | None) -> str:
    """Of those whom an incident ``hit`` (merchants, customers, both), which a caller is: "merchants" or
    "customers". Who is in the directory is a merchant; a stranger is a customer where customers are hit."""
    return "customers" if hit in ("customers", "both") and merchant_id is None else "merchants"


# --- rows ---------------------------------------------------------------------------------------------


async def make(session: AsyncSession, owed: Owed, open_state: FollowUpState = FollowUpState.OPEN) -> bool:
    """One row by its ``id``; False when it is there already. Take the callers' turns (``Owed.turns``) first.

    ``open_state``: how it stands when none of these holds.

    Nobody to reach: NOT_WANTED. The same merchant has a row on this incident: DUPLICATE. Answered since they
    rang: SERVED.
    """
    state, note = open_state, ""
    if not owed.number and owed.merchant_id is None:
        state, note = FollowUpState.NOT_WANTED, "the number was withheld"
    elif await _answered_since(session, owed):
        state = FollowUpState.SERVED
    elif await _others(session, owed):
        state = FollowUpState.DUPLICATE
    ended = state in FOLLOW_UP_ENDS
    row = FollowUp(
        id=owed.id, incident=owed.incident, why=owed.why, state=state.value, number=owed.number,
        merchant_id=owed.merchant_id, merchant=owed.merchant, tier=owed.tier, language=owed.language,
        audience=audience_of(owed.audience, owed.merchant_id), queue=owed.queue, band=owed.band,
        arrival_us=owed.arrival_us, made_ms=owed.at_ms, ended_ms=owed.at_ms if ended else None,
        ended_by=BY_LINE if ended else "", told_ms=owed.at_ms if state is FollowUpState.TOLD else None,
        note=note,
    )  # fmt: skip
    return await record.insert_once(session, row, "id")


async def served(
    session: AsyncSession, merchant_id: int | None, number: str, at_ms: int, *, call: str = ""
) -> int:
    """An agent met this merchant: what was owed to them from before is done. ``call``: and of this call."""
    same = [_same(merchant_id, number)] if merchant_id is not None or number else []
    if not same and not call:
        return 0
    earlier = [each & (col(FollowUp.made_ms) <= at_ms) for each in same]
    rows = await record.locked_follow_ups(
        session, or_(*earlier, FollowUp.id == call), col(FollowUp.state).in_(OPEN_WORDS)
    )
    for row in rows:
        _end(row, FollowUpState.SERVED, BY_LINE, at_ms, row.note)
    return len(rows)


def _same(merchant_id: int | None, number: str) -> Any:
    """Of this merchant, or from this number."""
    wanted = []
    if merchant_id is not None:
        wanted.append(col(FollowUp.merchant_id) == merchant_id)
    if number:
        wanted.append(col(FollowUp.number) == number)
    return or_(*wanted)


async def _others(session: AsyncSession, owed: Owed) -> bool:
    wanted = select(FollowUp.id).where(
        _same(owed.merchant_id, owed.number),
        FollowUp.incident == owed.incident,
        FollowUp.id != owed.id,
        col(FollowUp.state).in_(OPEN_WORDS),
    )
    return (await session.exec(wanted)).first() is not None


async def _answered_since(session: AsyncSession, owed: Owed) -> bool:
    """A later call was answered, and its end was written down before this one's."""
    wanted = []
    if owed.merchant_id is not None:
        wanted.append(col(Contact.merchant_id) == owed.merchant_id)
    if owed.number:
        wanted.append(col(Contact.caller) == owed.number)
    later = select(Contact.contact).where(
        or_(*wanted), col(Contact.answered_ms) >= owed.at_ms, col(Contact.contact).not_like("PR%")
    )
    return (await session.exec(later)).first() is not None


def _end(row: FollowUp, state: FollowUpState, by: str, now_ms: int, note: str = "") -> None:
    row.state, row.ended_ms, row.ended_by = state.value, now_ms, by
    row.note = note or row.note


# --- arithmetic ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """The calls offered in a stretch of time, each under exactly one heading."""

    offered: int
    answered: int
    promised: int
    short: int
    """Hung up within the short abandon time."""
    under_way: int
    followed_up: int
    """Those with a row of their own in the ledger."""
    states: dict[str, int]
    """How the rows of those stand."""
    missing: int
    """Neither served, nor followed up: 0, or a fault of ours."""


async def tally(session: AsyncSession, since_ms: int, until_ms: int) -> Tally:
    """Count the calls that came in [since, until), by what became of each."""
    inside = (col(Contact.entered_ms) >= since_ms) & (col(Contact.entered_ms) < until_ms)
    calls = inside & col(Contact.contact).not_like("PR%")
    rows = await session.exec(
        select(Contact, FollowUp).outerjoin(FollowUp, col(FollowUp.id) == col(Contact.contact)).where(calls)
    )
    heads: dict[str, int] = {}
    states: dict[str, int] = {}
    for contact, row in rows:
        head = _head(contact, row)
        heads[head] = heads.get(head, 0) + 1
        if head == "followed_up":
            states[row.state] = states.get(row.state, 0) + 1
    names = ("answered", "promised", "short", "under_way", "followed_up", "missing")
    return Tally(offered=sum(heads.values()), states=states, **{name: heads.get(name, 0) for name in names})


def _head(contact: Contact, row: FollowUp | None) -> str:
    met = contact.answered_ms is not None or contact.disposition == Disposition.ANSWERED
    if met and not _owed(contact).why:
        return "answered"
    if contact.disposition == Disposition.PROMISED:
        return "promised"
    if row is not None:
        return "followed_up"
    if not contact.disposition:
        return "under_way"
    return "short" if _short(contact) else "missing"


async def counts(session: AsyncSession, incident: str) -> dict[str, int]:
    """The incident's rows by state; "" is those of no incident."""
    wanted = select(FollowUp.state, func.count()).where(FollowUp.incident == incident)
    return dict((await session.exec(wanted.group_by(col(FollowUp.state)))).all())


async def must_be_closed(session: AsyncSession, incident: str) -> None:
    """Raises Mendable while a row is open."""
    still = sum(n for state, n in (await counts(session, incident)).items() if state in OPEN_WORDS)
    if still:
        raise Mendable(f"{still} follow-ups are still open; each needs an end before the list is closed.")
