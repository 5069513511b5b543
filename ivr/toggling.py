"""A lead switches the level by phone: known by the number before the greeting, then by the PIN.

Twilio signs every URL it asks for, so nobody comes to a door behind the PIN without it. Three wrong PINs lock
the number for a while; with Redis away three end the call, which leaves a stranger one guess in ten seconds.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import structlog
from sqlmodel import col, select

from announcements import catalog
from announcements.catalog import Utterance
from carrier.numbers import masked
from foundation.connections import answering
from foundation.errors import Unavailable
from foundation.passwords import fits
from ivr import callers, endings, slips, twiml
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.doorway import Answer
from ivr.visits import Away, Visit
from queueing.tables import AgentAccount
from surge import aside, wording
from surge.directive import Directive
from surge.states import LEVEL_MOVES, IllegalMove, Level

PIN = re.compile(r"[0-9]{6,12}")
TRIES = 3
"""PINs, and questions that may go unanswered."""
KEYS = {Level.CALM: "1", Level.WATCH: "2", Level.SURGE: "3", Level.CLOSED_TO_NEW: "4"}
LEVELS = {key: level for level, key in KEYS.items()}
YES, AGAIN = "1", "2"
PAUSE_S = 6
WITHIN_S = 1.0
"""For SQL; then the level is switched without it."""
CALLER = "as=caller"

log = structlog.get_logger(__name__)


def before(greet: Answer) -> Answer:
    """The door ``POST /voice/incoming``: who may switch is asked for the PIN; everybody else is greeted, and
    so is whoever keys in none."""

    async def answer(desk: Desk, visit: Visit) -> str:
        caller = callers.identify(desk, visit)
        if visit.query.get("as") == "caller" or not _may(desk, caller):
            return await greet(desk, visit)
        if await _tried(desk, visit, caller) >= TRIES:
            return _goodbye(desk, "toggle_locked")
        return _ask_pin(desk, 0)

    return answer


async def pin(desk: Desk, visit: Visit) -> str:
    """``POST /voice/toggle``: a PIN was keyed in."""
    caller, keyed = callers.identify(desk, visit), visit.form.get("Digits", "")
    if not _may(desk, caller) or not keyed:
        return twiml.answer(twiml.redirect(desk.url(f"/voice/incoming?{CALLER}")))
    # Counted before it is looked at: hashing takes its time, and guesses may come side by side.
    count = await _tried(desk, visit, caller, one_more=True)
    count = max(count, slips.whole(visit.query.get("n", "")) + 1)
    if count <= TRIES and await fits(keyed, desk.toggle_pin_hash):
        visit = _with_time(desk, visit)
        await visit.enrich(desk.redis.delete(_key(desk, caller)))
        await _no_caller(desk, visit)
        return await _ask_level(desk, visit)
    log.warning("toggle_pin_wrong", call=visit.contact, tries=count, locked=count >= TRIES)
    if count >= TRIES:
        return _goodbye(desk, "toggle_locked")
    return _ask_pin(desk, count, _voice(desk, "toggle_pin_wrong"))


async def level(desk: Desk, visit: Visit) -> str:
    """``POST /voice/toggle/level``: a level was chosen, or nothing."""
    chosen = LEVELS.get(visit.form.get("Digits", "")[:1])
    if not _may(desk, callers.identify(desk, visit)):
        return _goodbye(desk, "toggle_unchanged")
    if chosen is None:
        asked = slips.whole(visit.query.get("n", "")) + 1
        return _goodbye(desk, "toggle_unchanged") if asked >= TRIES else await _ask_level(desk, visit, asked)
    return _ask_sure(desk, slips.whole(visit.query.get("from", "")), chosen, 0)


async def confirm(desk: Desk, visit: Visit) -> str:
    """``POST /voice/toggle/confirm``: yes, another level, or nothing."""
    caller, pressed = callers.identify(desk, visit), visit.form.get("Digits", "")[:1]
    chosen = LEVELS.get(visit.query.get("to", ""))
    if not _may(desk, caller) or chosen is None:
        return _goodbye(desk, "toggle_unchanged")
    here, asked = slips.whole(visit.query.get("from", "")), slips.whole(visit.query.get("n", "")) + 1
    if pressed == YES:
        return await _switch(desk, visit, caller, here, chosen)
    if pressed == AGAIN:
        return await _ask_level(desk, visit)
    return _goodbye(desk, "toggle_unchanged") if asked >= TRIES else _ask_sure(desk, here, chosen, asked)


async def _switch(desk: Desk, visit: Visit, caller: Caller, seen: int, chosen: Level) -> str:
    """From the level that was ``seen``. The chosen one in force already is a repeat's: it is done."""
    assert desk.watch is not None
    now = await _directive(desk, visit)
    here = now.level_at(visit.now_ms)
    if here != seen:
        if here is chosen:
            return _done(desk, visit, now)
        return await _ask_level(desk, visit, 0, _voice(desk, "toggle_changed"))
    login = await _login(desk, visit, caller)
    if chosen is Level.CLOSED_TO_NEW and not login:  # two people must be two logins
        return await _ask_level(desk, visit, 0, _voice(desk, "toggle_not_allowed"))
    by = login or f"phone {masked(caller.number)}"
    try:
        given: dict[str, Any] = {"within_s": WITHIN_S, "reason": "by phone"}
        now, where = await aside.switch_anyhow(desk.watch, chosen, by, visit.now_ms, **given)
    except IllegalMove:
        return await _ask_level(desk, visit, 0, _voice(desk, "toggle_not_allowed"))
    except Unavailable:
        return _goodbye(desk, "toggle_trouble")
    log.info("level_switched_by_phone", call=visit.contact, switched_to=chosen.name.lower(), written=where)
    return (
        _done(desk, visit, now) if now.level_at(visit.now_ms) is chosen else _goodbye(desk, "toggle_second")
    )


# --- questions and answers --------------------------------------------------------------------------------


def _ask_pin(desk: Desk, tried: int, *words: Utterance) -> str:
    said = twiml.say_all([*words, _voice(desk, "toggle_pin")])
    return twiml.answer(
        twiml.gather_number(desk.url(f"/voice/toggle?n={tried}"), said),
        twiml.redirect(desk.url(f"/voice/incoming?{CALLER}")),
    )


async def _ask_level(desk: Desk, visit: Visit, asked: int = 0, *words: Utterance) -> str:
    """The level in force, and those that may follow it. To close the line is asked for by a login only."""
    now = await _directive(desk, visit)
    here = now.level_at(visit.now_ms)
    said = [*words, *_in_force(desk, visit, now)]
    login = await _login(desk, visit, callers.identify(desk, visit))
    for there, key in KEYS.items():
        renews = there is here is not Level.CALM
        may = renews or there in LEVEL_MOVES[here]
        if may and (login or there is not Level.CLOSED_TO_NEW):
            said.append(_voice(desk, "toggle_option", level=_name(desk, there), key=key))
    said.append(_voice(desk, "toggle_leave"))
    url = desk.url(f"/voice/toggle/level?from={int(here)}&n={asked}")
    return twiml.answer(twiml.gather_key(url, twiml.say_all(said), timeout_s=PAUSE_S), twiml.redirect(url))


def _ask_sure(desk: Desk, here: int, chosen: Level, asked: int) -> str:
    url = desk.url(f"/voice/toggle/confirm?from={here}&to={KEYS[chosen]}&n={asked}")
    said = twiml.say(_voice(desk, "toggle_confirm", level=_name(desk, chosen)))
    return twiml.answer(twiml.gather_key(url, said, timeout_s=PAUSE_S), twiml.redirect(url))


def _done(desk: Desk, visit: Visit, now: Directive) -> str:
    done = _voice(desk, "toggle_done", level=_name(desk, now.level_at(visit.now_ms)))
    said = [done, *_in_force(desk, visit, now)[1:], _voice(desk, "call_over", centre=desk.centre.name)]
    return twiml.answer(twiml.say_all(said), twiml.hang_up())


def _goodbye(desk: Desk, key: str) -> str:
    said = [_voice(desk, key)]
    if key != "toggle_locked":
        said.append(_voice(desk, "call_over", centre=desk.centre.name))
    return twiml.answer(twiml.say_all(said), twiml.hang_up())


def _in_force(desk: Desk, visit: Visit, now: Directive) -> list[Utterance]:
    assert desk.watch is not None
    here = now.level_at(visit.now_ms)
    said = [_voice(desk, "toggle_level", level=_name(desk, here))]
    if here is not Level.CALM and now.expires_ms is not None:
        when = wording.at(desk.centre.language, desk.watch.time_zone, now.expires_ms, visit.now_ms)
        said.append(_voice(desk, "toggle_until", when=when))
    return said


def _voice(desk: Desk, phrase: str, /, **values: str) -> Utterance:
    return catalog.voice(desk.centre.language, phrase, **values)


def _name(desk: Desk, which: Level) -> str:
    return wording.level(desk.centre.language, which)


# --- who it is --------------------------------------------------------------------------------------------


def _may(desk: Desk, caller: Caller) -> bool:
    watch = desk.watch
    return bool(watch and desk.toggle_pin_hash and caller.number in watch.policy.toggle_numbers)


async def _login(desk: Desk, visit: Visit, caller: Caller) -> str:
    """The account whose phone this is; "" when there is none, or SQL does not say."""

    async def look() -> str:
        assert desk.sql is not None
        wanted = select(AgentAccount.agent).where(
            AgentAccount.phone == caller.number, col(AgentAccount.active)
        )
        async with answering(desk.sql_breaker, enrichment=True), desk.sql.reading() as session:
            return (await session.exec(wanted.order_by(col(AgentAccount.agent)))).first() or ""

    found = await visit.enrich(look(), within_s=desk.budget.look_up_s) if desk.sql is not None else ""
    return "" if isinstance(found, Away) else found


def _with_time(desk: Desk, visit: Visit) -> Visit:
    """Hashing has used up the stores' time; the request has some left."""
    return replace(visit, enrich_until_s=asyncio.get_running_loop().time() + desk.budget.enrich_s)


async def _tried(desk: Desk, visit: Visit, caller: Caller, *, one_more: bool = False) -> int:
    """How many PINs came from this number lately and were not right, each webhook counted once; 0 when Redis
    is away."""
    key, lock_ms = _key(desk, caller), desk.watch.policy.toggle_lock_ms if desk.watch else 0

    async def count() -> int:
        async with answering(desk.redis_breaker, enrichment=True):
            if one_more:
                await desk.redis.zadd(key, {visit.ask: visit.now_ms}, nx=True)
                await desk.redis.pexpire(key, lock_ms)
            return int(await desk.redis.zcount(key, visit.now_ms - lock_ms, "+inf"))

    found = await visit.enrich(count())
    return 0 if isinstance(found, Away) else found


async def _no_caller(desk: Desk, visit: Visit) -> None:
    """A lead's call has its record on the watch's timeline: it is no call that came for help, and its end is
    nobody's hanging up."""
    if visit.contact:
        await endings.on_record(desk, visit)


async def _directive(desk: Desk, visit: Visit) -> Directive:
    return await desk.board.directive(visit.now_ms)


def _key(desk: Desk, caller: Caller) -> str:
    return f"surgeline:{{{desk.policy.centre}}}:toggle:{caller.key}"
