"""The ledger of whom we did not serve: one row a call, and each comes to an end of its own.

Rows are made where the call's outcome is written down, in that transaction, or by who turns a caller away,
in theirs. Several calls of one merchant about one incident are one row to work on: the others are DUPLICATE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import bindparam
from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.errors import Mendable
from foundation.sql import insert_once
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
    contacts = list(await session.exec(_CALLS, params={"calls": calls}))
    owed = [_owed(contact) for contact in contacts]
    await record.take_turns(session, {name for each in owed for name in each.turns})
    known = await _known(session, contacts, [each for each in owed if each.why])
    changed = 0
    for contact, each in zip(contacts, owed, strict=True):
        changed += await _follow_one(session, contact, each, known)
    return changed


_CALLS = (
    select(Contact)
    .where(col(Contact.contact).in_(bindparam("calls", expanding=True)))
    .order_by(col(Contact.entered_ms), col(Contact.contact))
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is asked once for several calls: the rows that they have already, and what they may be about."""

    rows: dict[str, FollowUp]
    live: Sequence[Told]
    merchants: dict[int | None, Merchant]


async def _known(session: AsyncSession, contacts: Sequence[Contact], owed: Sequence[Owed]) -> _Known:
    """``owed``: those of the calls that are to be followed up."""
    rows = await record.locked_by_id(session, [contact.contact for contact in contacts])
    live = [as_told(row) for row in await record.live(session)] if owed else []
    ids = sorted({each.merchant_id for each in owed if each.merchant_id}) if live else []
    merchants = await session.exec(_MERCHANTS, params={"ids": ids}) if ids else ()
    return _Known({row.id: row for row in rows}, live, {each.id: each for each in merchants})


_MERCHANTS = select(Merchant).where(col(Merchant.id).in_(bindparam("ids", expanding=True)))


async def _follow_one(session: AsyncSession, contact: Contact, owed: Owed, known: _Known) -> int:
    if contact.answered_ms is None:
        return await _follow_up(session, contact, owed, known)
    # Who was sent on by the agent, waited again and gave up was met, and is owed something all the same.
    own = "" if owed.why else owed.id
    met = await served(session, owed.merchant_id, owed.number, contact.answered_ms, call=own)
    return met + (await _follow_up(session, contact, owed, known) if owed.why else 0)


async def _follow_up(session: AsyncSession, contact: Contact, owed: Owed, known: _Known) -> int:
    before = known.rows.get(contact.contact)
    if not owed.why or _short(contact):
        return _taken_back(before, contact)
    if before is not None:
        changed = before.why != owed.why and "deflected" not in (before.why, owed.why)
        before.why = owed.why if changed else before.why
        return int(changed)
    told = _incident_of(contact, known)
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


def _taken_back(row: FollowUp | None, contact: Contact) -> int:
    """The call went on after all: promised a callback, the promise is what is followed."""
    if row is None or row.state not in OPEN_WORDS or contact.disposition != Disposition.PROMISED:
        return 0
    _end(row, FollowUpState.DUPLICATE, BY_LINE, contact.ended_ms or row.made_ms, "has a callback")
    return 1


def _incident_of(contact: Contact, known: _Known) -> Told | None:
    """The incident they most likely rang about. Only who surely is not touched belongs to none."""
    if not known.live:
        return None
    told, matched = best(known.live, known_of(contact, known.merchants.get(contact.merchant_id)))
    return told if matched.match is not Match.NONE else None


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
    else:
        answered_since, has_another = await _besides(session, owed)
        if answered_since:
            state = FollowUpState.SERVED
        elif has_another:
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
    return await insert_once(session, row, "id")


async def served(
    session: AsyncSession, merchant_id: int | None, number: str, at_ms: int, *, call: str = ""
) -> int:
    """An agent met this merchant: what was owed to them from before is done. ``call``: and of this call."""
    # Most are owed nothing: to ask is cheap, to lock is not.
    asked = {"merchant_id": merchant_id, "number": number or None, "call": call}
    owed = await session.exec(_OWED_TO, params=asked)
    ids = [name for name, made_ms in owed if made_ms <= at_ms or name == call]
    found = await record.locked_by_id(session, ids) if ids else []
    rows = [row for row in found if row.state in OPEN_WORDS]
    for row in rows:
        _end(row, FollowUpState.SERVED, BY_LINE, at_ms, row.note)
    return len(rows)


# A stranger is of no merchant, and a withheld number nobody's: what is NULL is equal to nothing.
_OF_MERCHANT = col(FollowUp.merchant_id) == bindparam("merchant_id")
_OF_NUMBER = col(FollowUp.number) == bindparam("number")
# Not when they were made: SQLite would go by the index of that, through all that are open.
_OWED_TO = select(FollowUp.id, FollowUp.made_ms).where(
    or_(_OF_MERCHANT, _OF_NUMBER, col(FollowUp.id) == bindparam("call")), col(FollowUp.state).in_(OPEN_WORDS)
)
_ANSWERED_SINCE = select(Contact.contact).where(
    or_(col(Contact.merchant_id) == bindparam("merchant_id"), col(Contact.caller) == bindparam("number")),
    col(Contact.answered_ms) >= bindparam("at_ms"),
    col(Contact.contact).not_like("PR%"),
)
_ANOTHER = select(FollowUp.id).where(
    FollowUp.incident == bindparam("incident"),
    FollowUp.id != bindparam("id"),
    col(FollowUp.state).in_(OPEN_WORDS),
)
# Each with an index of its own: as one question it would go through all of the incident.
_BESIDES = select(
    _ANSWERED_SINCE.exists(), or_(_ANOTHER.where(_OF_MERCHANT).exists(), _ANOTHER.where(_OF_NUMBER).exists())
)


async def _besides(session: AsyncSession, owed: Owed) -> tuple[bool, bool]:
    """Whether a later call of theirs was answered, and its end written down before this one's; and whether
    they have another row on this incident."""
    asked = {
        "merchant_id": owed.merchant_id,
        "number": owed.number or None,
        "at_ms": owed.at_ms,
        "incident": owed.incident,
        "id": owed.id,
    }
    return (await session.exec(_BESIDES, params=asked)).one()


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
