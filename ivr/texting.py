"""Texts: what somebody writes to us, and what becomes of what we wrote.

STOP is obeyed before anything else, and answered by Twilio itself: we answer nothing. If SQL does not answer,
it is noted in Redis, which whoever sends reads first; if neither does, the log names the message, and
Twilio's own block stands until its refusal (21610) has taught us.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from announcements import catalog, spoken
from carrier import texts
from carrier.optouts import Notes, came_in, take_turns
from carrier.tables import InboundText
from foundation.connections import answering
from foundation.errors import Unavailable
from ivr import callers, twiml
from ivr.desk import Desk
from ivr.visits import AWAY, Visit
from surge import replies

STOP = frozenset(["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"])
START = frozenset(["START", "YES", "UNSTOP"])
HELP = frozenset(["HELP", "INFO"])
"""Twilio's own words: it obeys and answers them, when they are the whole text."""
COMMANDS = ("status", "later", "nocall", "works", "still_down", "keep")
"""What merchants can write, under [heard.text] in the phrases."""
HOUR_MS = 3_600_000
ANSWERS_PER_H = 12
"""So many of our answers to one number an hour; what it writes on is carried out, and not answered. An answer
costs us, and whoever writes by machine may earn by it."""
EXPLAIN_AGAIN_MS = HOUR_MS
"""Who is not understood is told once in so long what can be written."""
KEEP_SHARE = 0.6
"""Of the whole answer's time, for SQL: the rest is for the note that is made when it does not answer."""

T = TypeVar("T")
_MESSAGE_SID = re.compile(r"(SM|MM)[0-9A-Za-z]{1,62}\Z")
_AROUND = " \t\r\n\u00a0.,;:!?'\"“”‘’()"


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody wrote one of ``COMMANDS``."""

    number: str
    message: str
    """The MessageSid: a repeat has the same. A command may be carried out twice, and must not mind."""
    language: str
    now_ms: int


Command = Callable[[Desk, Told], Awaitable[str]]
"""Carries out what was written; the whole text to be answered, "" for none. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class Meaning:
    meant: str
    """stop, start, help, one of ``COMMANDS``, or "": not understood."""
    language: str = ""
    """That of the word; "" when it does not tell: English words stand in every text of ours."""


def meaning(body: str, kind: str = "") -> Meaning:
    """What a whole text means. ``kind`` is Twilio's OptOutType, which knows words that were set up there."""
    word = body.strip(_AROUND).upper()
    for meant, own in (("stop", STOP), ("start", START), ("help", HELP)):
        if kind == meant.upper() or (not kind and word in own):
            return Meaning(meant)
    plain = " ".join(word.lower().split())
    for language in catalog.LANGUAGES:
        for command in COMMANDS:
            if plain in catalog.words(language, "text", command):
                return Meaning(command, language if language != catalog.LANGUAGES[0] else "")
    return Meaning("")


def incoming(commands: Mapping[str, Command]) -> Callable[[Desk, Visit], Awaitable[str]]:
    """The door ``POST /sms/incoming``, for these commands; a word without one is not understood."""

    async def answer(desk: Desk, visit: Visit) -> str:
        number, sid = callers.identify(desk, visit).number, visit.form.get("MessageSid", "")
        if not number or not _MESSAGE_SID.match(sid):
            return twiml.answer()
        told = Told(number, sid, "", visit.now_ms)
        means = meaning(visit.form.get("Body", ""), visit.form.get("OptOutType", "").upper())
        if means.meant in ("stop", "start"):
            await _obey(desk, visit, told, means.meant)
            return twiml.answer()
        if command := commands.get(means.meant):
            work = _carry_out(desk, visit, command, told, means)
        else:
            work = _explain(desk, visit, told, means, "help" if commands else "not_read")
        reply = await _in_time(desk, work, sid)
        return twiml.answer(twiml.message(reply)) if reply else twiml.answer()

    return answer


async def status(desk: Desk, visit: Visit) -> str:
    """``POST /sms/status``: what became of a text of ours. Late, twice, or in any order."""
    sid = visit.form.get("MessageSid", "")
    if desk.sql is not None and _MESSAGE_SID.match(sid):
        await _in_time(desk, _follow(desk, visit, sid), sid)
    return twiml.answer()


async def _follow(desk: Desk, visit: Visit, sid: str) -> None:
    assert desk.sql is not None
    word, error = visit.form.get("MessageStatus", ""), visit.form.get("ErrorCode", "")
    text_id = visit.query.get("text", "").replace("\x00", "")[:80]
    async with answering(desk.sql_breaker), desk.sql.session() as session:
        await texts.delivered(session, sid, word, error, visit.now_ms, text_id=text_id)


# --- STOP and START -------------------------------------------------------------------------------------


async def _obey(desk: Desk, visit: Visit, told: Told, meant: str) -> None:
    if await _in_time(desk, _write_down(desk, visit, told, meant), told.message):
        return
    try:
        await Notes(desk.redis, desk.policy.centre).keep(
            told.message, told.number, out=meant == "stop", why=_word(visit), now_ms=told.now_ms
        )
    except Exception as error:
        # Not the number: who looks the message up at Twilio finds it.
        why = type(error).__name__
        structlog.get_logger().error("opt_out_not_kept", message=told.message, meant=meant, why=why)


async def _write_down(desk: Desk, visit: Visit, told: Told, meant: str) -> bool:
    """Into SQL, after what was noted before. A repeat changes nothing: the message is known."""
    if desk.sql is None:
        return False
    with contextlib.suppress(Unavailable):  # what is noted waits
        await Notes(desk.redis, desk.policy.centre).bring_in(desk.sql)
    async with answering(desk.sql_breaker), desk.sql.session() as session:
        if await came_in(session, _row(visit, told, meant)):
            if meant == "stop":
                await texts.opt_out(session, told.number, _word(visit), told.now_ms)
            else:
                await texts.opt_in(session, told.number)
    return True


# --- everything else ------------------------------------------------------------------------------------


async def _carry_out(desk: Desk, visit: Visit, command: Command, told: Told, means: Meaning) -> str:
    """One of the commands. Carried out again only when the first time came to no answer."""
    if desk.sql is None:
        return ""
    async with answering(desk.sql_breaker), desk.sql.session() as session:
        await came_in(session, _row(visit, told, means.meant))
        row = await session.get(InboundText, told.message)
        stopped = await texts.is_opted_out(session, told.number)
    if row is not None and row.answer:
        return "" if stopped else row.answer
    language = means.language or await _language(desk, visit)
    reply = await command(desk, replace(told, language=language))
    if stopped or not reply:
        return ""
    async with answering(desk.sql_breaker), desk.sql.session() as session:
        row = await session.get(InboundText, told.message, with_for_update=True)
        if await _answers(session, told) >= ANSWERS_PER_H:
            return ""
        if row is None:
            return reply
        row.answer = row.answer or reply
        return row.answer


async def _explain(desk: Desk, visit: Visit, told: Told, means: Meaning, key: str) -> str:
    """Not understood: what can be written, at most once an hour a number. HELP is answered by Twilio."""
    if desk.sql is None:
        return ""
    language = await _language(desk, visit)
    if key == "help" and desk.watch is not None:
        async with answering(desk.sql_breaker):
            about = await replies.concerned(desk.watch, told.number, told.now_ms)
        key = "help_incident" if about else key
    async with answering(desk.sql_breaker), desk.sql.session() as session:
        await take_turns(session, told.number)
        stopped = await texts.is_opted_out(session, told.number)
        row = _row(visit, told, means.meant)
        if not (stopped or means.meant == "help" or await _explained(session, told)):
            ours = spoken.written(visit.form.get("To", ""))
            row.answer = catalog.sms(language, key, centre=desk.centre.name, ours=ours)
        if await came_in(session, row):
            return row.answer
        before = await session.get(InboundText, told.message)
        return before.answer if before is not None and not stopped else ""


def _row(visit: Visit, told: Told, meant: str) -> InboundText:
    body = visit.form.get("Body", "").replace("\x00", "")[: twiml.MAX_TEXT]
    return InboundText(id=told.message, number=told.number, at_ms=told.now_ms, body=body, meant=meant)


def _word(visit: Visit) -> str:
    return visit.form.get("Body", "").strip(_AROUND).upper().replace("\x00", "")


async def _answers(session: AsyncSession, told: Told) -> int:
    """How many other texts of this number were answered within the hour."""
    wanted = select(func.count()).where(
        InboundText.number == told.number,
        InboundText.answer != "",
        InboundText.id != told.message,
        InboundText.at_ms > told.now_ms - HOUR_MS,
    )
    return (await session.exec(wanted)).one()


async def _explained(session: AsyncSession, told: Told) -> bool:
    """Whether this number was told lately what can be written, in answer to another text."""
    found = await session.exec(
        select(InboundText.id).where(
            col(InboundText.number) == told.number,
            col(InboundText.meant) == "",
            col(InboundText.answer) != "",
            col(InboundText.id) != told.message,
            col(InboundText.at_ms) > told.now_ms - EXPLAIN_AGAIN_MS,
        )
    )
    return found.first() is not None


async def _language(desk: Desk, visit: Visit) -> str:
    """The merchant's, where we speak it; else the centre's."""
    found = await callers.recognise(desk, visit, callers.identify(desk, visit))
    merchant = None if found is AWAY else found.merchant
    theirs = merchant.language if merchant is not None else ""
    return theirs if theirs in desk.centre.languages else desk.centre.language


async def _in_time(desk: Desk, work: Awaitable[T], sid: str) -> T | None:
    """What a store made of it; None when it did not answer in time, or something of ours is broken."""
    try:
        async with asyncio.timeout(desk.budget.whole_s * KEEP_SHARE):
            return await work
    except (Unavailable, TimeoutError) as away:
        structlog.get_logger().warning("text_not_kept", message=sid, why=str(away))
    except Exception:
        structlog.get_logger().exception("text_broken", message=sid)
    return None
