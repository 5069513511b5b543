"""Turning a caller to a text instead of the line: by their own key press, in SQL before it is spoken.

One deflection a call: row, text, subscription and follow-up are one transaction. Then what they tell us:
they call again, it works, it is still down.

"Still down" puts a wish on the follow-up (``wants_call_ms``): this package knows nothing of callbacks, so
``processes.watcher`` makes the promise, at the arrival they had; a door may do so sooner, in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, case
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from carrier import text_record
from carrier.numbers import why_not_dialled
from carrier.optouts import is_opted_out
from carrier.tables import Text
from foundation.sql import insert_once
from surge import board, followups, record, texted
from surge.directive import Told
from surge.office import Watch
from surge.states import FollowUpState, Level
from surge.tables import Deflection, FollowUp, Subscription

LANDLINE = "30006"
"""The carrier's word: this number takes no texts."""
HOUR_MS = 3_600_000
WITHHELD, OPTED_OUT, IS_LANDLINE, LIMITED, SHUT = "withheld", "opted_out", "landline", "limited", "shut"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True)
class Turned:
    """Who is turned away, and from what. ``incident``: as they were told of it. ``kind``: text, closed,
    message. ``texts``: they agreed to a text. ``arrival_us``: the place they would have had."""

    call: str
    number: str
    incident: Told
    level: Level
    kind: str = "text"
    texts: bool = True
    merchant_id: int | None = None
    merchant: str = ""
    tier: str = ""
    language: str = "en"
    queue: str = ""
    band: str = ""
    arrival_us: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """``done``: it stands in SQL, and may be spoken. ``texted``: a text is on its way. ``why``: no text, as
    ``untextable`` says. ``fresh``: made just now; else it is what was done in this call before."""

    done: bool
    texted: bool
    why: str = ""
    fresh: bool = True


async def deflect(watch: Watch, turned: Turned, now_ms: int) -> Outcome:
    """Write it all down. For ``kind`` "text" a number that no text reaches is not turned away: ``done`` is
    False and nothing was written. Raises Unavailable when SQL is away: then the caller joins the line.
    """
    owed = _owed(turned, now_ms)
    async with watch.sql.session() as session:
        await record.take_turns(session, owed.turns)
        connection = await session.connection()
        asked = {"call": turned.call, "text": text_id(turned.call)}
        before = (await connection.execute(_TURNED_BEFORE, asked)).first()
        if before is not None:
            return Outcome(True, before.texted, fresh=False)
        why = await untextable_now(watch, session, turned.number, now_ms) if turned.texts else ""
        if why and turned.kind == "text":
            return Outcome(False, False, why)
        texts = turned.texts and not why
        if not await insert_once(session, _row(turned, now_ms), "id"):
            return Outcome(True, texts, fresh=False)
        if texts:
            await text_record.write(session, _text(watch, turned, now_ms))
            await _subscribe(session, turned, now_ms)
        await followups.make(session, owed)
    return Outcome(True, texts, why)


_TURNED_BEFORE = select(
    select(Text.id).where(Text.id == bindparam("text")).exists().label("texted"),
).where(Deflection.id == bindparam("call"))


def text_id(call: str) -> str:
    return f"{call}.status"


async def untextable(watch: Watch, number: str, now_ms: int) -> str:
    """Why this number is not offered a text: withheld, opted_out, landline, limited, shut; "" when it is.

    Raises Unavailable.
    """
    async with watch.sql.reading() as session:
        return await untextable_now(watch, session, number, now_ms)


async def untextable_now(watch: Watch, session: AsyncSession, number: str, now_ms: int) -> str:
    if not _E164.fullmatch(number) or number in watch.ours:
        return WITHHELD
    if await is_opted_out(session, number):
        return OPTED_OUT
    connection = await session.connection()
    last_error = (await connection.execute(_LAST_ERROR, {"number": number})).scalar()
    if last_error is not None and last_error.startswith(LANDLINE):
        return IS_LANDLINE
    if why_not_dialled(number, watch.policy.regions, watch.ours, fictional=watch.policy.rehearsal):
        return LIMITED
    asked = {"number": number, "from": f"{number[:-4]}0000", "to": f"{number[:-4]}9999"}
    lately = await connection.execute(_LATELY, {**asked, "since_ms": now_ms - HOUR_MS})
    theirs, near = lately.one()
    if theirs >= watch.policy.number_cap_per_h or near >= watch.policy.prefix_cap_per_h:
        return LIMITED
    return "" if await board.texts_open(watch, session, now_ms) else SHUT


_LAST_ERROR = (
    select(Text.error)
    .where(Text.number == bindparam("number"), col(Text.done_ms).is_not(None))
    .order_by(col(Text.made_ms).desc(), col(Text.id))
    .limit(1)
)
# Texts lately to this number, and to it and its neighbours.
_LATELY = (
    select(func.count(case((col(Text.number) == bindparam("number"), 1))), func.count())
    .select_from(Text)
    .where(
        col(Text.number).between(bindparam("from"), bindparam("to")),
        Text.kind == board.TEXT_KIND,
        col(Text.made_ms) > bindparam("since_ms"),
    )
)


async def called_again(watch: Watch, number: str, call: str, now_ms: int) -> Deflection | None:
    """They ring again: their deflection, when it was within ``repeat_ms``; noted down. Raises Unavailable."""
    if not number:
        return None
    asked = {"number": number, "since_ms": now_ms - watch.policy.repeat_ms, "call": call}
    async with watch.sql.reading() as session:
        found = (await session.exec(_TURNED_LATELY, params=asked)).first()
    if found is None or found.called_again_ms is not None:
        return found
    async with watch.sql.session() as session:
        row = (await session.exec(_TURNED_LATELY_HELD, params=asked)).first()
        if row is not None and row.called_again_ms is None:
            row.called_again_ms = now_ms
            record.note(session, "called_again", "line", now_ms, incident=row.incident, call=call)
        return row


_TURNED_LATELY = (
    select(Deflection)
    .where(
        Deflection.number == bindparam("number"),
        Deflection.at_ms > bindparam("since_ms"),
        Deflection.id != bindparam("call"),
    )
    .order_by(col(Deflection.at_ms).desc())
    .limit(1)
)
_TURNED_LATELY_HELD = _TURNED_LATELY.with_for_update()


async def works(watch: Watch, number: str, now_ms: int, by: str = followups.BY_MERCHANT) -> FollowUp | None:
    """They say that it works: their follow-up has its end. None when there is none. Raises Unavailable."""
    async with watch.sql.session() as session:
        row = await _theirs(session, number, followups.OPEN_WORDS)
        if row is None:
            return await _theirs(session, number, (FollowUpState.WORKS.value,))
        row.state, row.ended_ms, row.ended_by = FollowUpState.WORKS.value, now_ms, by
        row.wants_call_ms = None
        record.note(session, "works", by, now_ms, incident=row.incident, call=row.id, cohort=row.cohort)
        return row


async def still_down(watch: Watch, number: str, now_ms: int) -> FollowUp | None:
    """They say that it does not work: open again, and they are to be called at the place they had, at the
    number they wrote from.

    None when nothing of theirs is being followed up. A repeat changes nothing. Raises Unavailable.
    """
    async with watch.sql.session() as session:
        row = await _theirs(session, number, (*followups.OPEN_WORDS, FollowUpState.WORKS.value))
        if row is not None and row.wants_call_ms is None:
            row.number = number
            wish(session, row, now_ms)
        return row


def wish(session: AsyncSession, row: FollowUp, now_ms: int) -> None:
    """A locked row that has not been wished for yet: its merchant is to be called."""
    if row.state in (FollowUpState.TOLD, FollowUpState.WORKS):
        row.state, row.ended_ms, row.ended_by = FollowUpState.OPEN.value, None, ""
    row.wants_call_ms, row.note = now_ms, "still down"
    record.note(
        session, "still_down", followups.BY_MERCHANT, now_ms, incident=row.incident, call=row.id,
        cohort=row.cohort,
    )  # fmt: skip


async def failed_for(watch: Watch, number: str) -> bool:
    """Whether they told us "still down", and nothing has come of it yet. Raises Unavailable."""
    if not number:
        return False
    async with watch.sql.reading() as session:
        connection = await session.connection()
        return (await connection.execute(_STILL_DOWN, {"number": number})).first() is not None


_STILL_DOWN = (
    select(FollowUp.id)
    .where(
        FollowUp.number == bindparam("number"),
        col(FollowUp.wants_call_ms).is_not(None),
        col(FollowUp.state).in_(followups.OPEN_WORDS),
    )
    .limit(1)
)


async def _theirs(session: AsyncSession, number: str, states: Iterable[str]) -> FollowUp | None:
    """The newest of this number, or of the merchant whose row stands for this number's."""
    if not number:
        return None
    connection = await session.connection()
    mine = (await connection.execute(_MERCHANTS, {"number": number})).scalars()
    merchants = {each for each in mine if each is not None}
    which = (col(FollowUp.number) == number) | col(FollowUp.merchant_id).in_(sorted(merchants))
    rows = await record.locked_follow_ups(session, which, col(FollowUp.state).in_(list(states)))
    return rows[-1] if rows else None


_MERCHANTS = (
    select(FollowUp.merchant_id)
    .where(FollowUp.number == bindparam("number"))
    .order_by(col(FollowUp.made_ms).desc())
    .limit(20)
)


async def _subscribe(session: AsyncSession, turned: Turned, now_ms: int) -> None:
    row = Subscription(
        incident=turned.incident.id,
        number=turned.number,
        language=turned.language,
        consent=f"key in call {turned.call}",
        made_ms=now_ms,
    )
    if await insert_once(session, row, "incident", "number"):
        return
    for each in await session.exec(_SUBSCRIBED, params={"incident": row.incident, "number": row.number}):
        if each.ended_ms is not None:
            each.ended_ms, each.made_ms, each.consent = None, now_ms, row.consent


_SUBSCRIBED = select(Subscription).where(
    Subscription.incident == bindparam("incident"), Subscription.number == bindparam("number")
)


def _row(turned: Turned, now_ms: int) -> Deflection:
    return Deflection(
        id=turned.call,
        number=turned.number,
        merchant_id=turned.merchant_id,
        merchant=turned.merchant,
        language=turned.language,
        incident=turned.incident.id,
        version=turned.incident.version,
        level=int(turned.level),
        kind=turned.kind,
        arrival_us=turned.arrival_us or now_ms * 1000,
        at_ms=now_ms,
    )


def _text(watch: Watch, turned: Turned, now_ms: int) -> Text:
    return Text(
        id=text_id(turned.call),
        number=turned.number,
        kind=board.TEXT_KIND,
        incident=turned.incident.id,
        body=texted.status(watch, turned.incident, turned.language, now_ms),
        made_ms=now_ms,
        not_before_ms=now_ms,
    )


def _owed(turned: Turned, now_ms: int) -> followups.Owed:
    return followups.Owed(
        id=turned.call,
        why="deflected" if turned.kind == "text" else turned.kind,
        at_ms=now_ms,
        number=turned.number if _E164.fullmatch(turned.number) else "",
        merchant_id=turned.merchant_id,
        merchant=turned.merchant,
        tier=turned.tier,
        language=turned.language,
        queue=turned.queue,
        band=turned.band,
        arrival_us=turned.arrival_us or now_ms * 1000,
        incident=turned.incident.id,
        audience=turned.incident.audience,
    )
