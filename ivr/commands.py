"""What merchants can write to us: STATUS, LATER, NOCALL and KEEP about their callback, 1 (it works) and 2
(still down) about an incident. None is a carrier's word.
"""

from __future__ import annotations

from announcements import catalog, spoken
from callbacks import needed, promises, telling, wording
from callbacks.office import Conflict, Office
from callbacks.states import PromiseState
from callbacks.tables import Promise
from foundation.connections import answering
from foundation.errors import Mendable
from ivr import wishes
from ivr.desk import Desk
from ivr.texting import Command, Told
from surge import deflection, replies
from surge.tables import FollowUp

LATER_MIN = 30


async def status(desk: Desk, told: Told) -> str:
    """``STATUS``: where the callback stands, else the incident they are told of."""
    promise = await _owed(desk, told)
    if desk.office is not None and promise is not None:
        return await _stands(desk, desk.office, told, promise)
    if desk.watch is not None:
        async with answering(desk.sql_breaker):
            if known := await replies.status(desk.watch, told.number, told.language, told.now_ms):
                return known
    return _nothing(desk, told)


async def later(desk: Desk, told: Told) -> str:
    """``LATER``: half an hour later, or at the first time after it when the merchant may be rung."""
    office = desk.office
    promise = await _owed(desk, told)
    if office is None or promise is None:
        return _nothing(desk, told)
    try:
        async with answering(desk.sql_breaker):
            put_off = await promises.later(office, promise.id, LATER_MIN, "merchant", told.now_ms)
    except Conflict:  # it is being rung, or they talk
        return await status(desk, told)
    except Mendable:
        given = {"centre": desk.centre.name, "link": telling.link(office, promise)}
        return catalog.sms(promise.language, "not_later", **given)
    return telling.put_off(office, put_off, told.now_ms)


async def nocall(desk: Desk, told: Told) -> str:
    """``NOCALL``: the callback is not needed any more."""
    office = desk.office
    promise = await _owed(desk, told)
    if office is None or promise is None:
        return _nothing(desk, told)
    if promise.state == PromiseState.CONNECTED:  # they talk: it is being kept
        return await status(desk, told)
    try:
        async with answering(desk.sql_breaker):
            await promises.cancel(office, promise.id, "NOCALL by text", "merchant", told.now_ms)
    except (Conflict, Mendable):
        return await status(desk, told)
    return catalog.sms(promise.language, "cancelled", centre=desk.centre.name)


async def works(desk: Desk, told: Told) -> str:
    """``1``: it works; their follow-up has its end, and a callback about the incident is not needed."""
    row: FollowUp | None = None
    if desk.watch is not None:
        async with answering(desk.sql_breaker):
            row = await deflection.works(desk.watch, told.number, told.now_ms)
    office, promise = desk.office, await _owed(desk, told)
    about_it = promise is not None and (promise.incident or (row is not None and row.promise == promise.id))
    if office is not None and promise is not None and about_it:
        if promise.state == PromiseState.CONNECTED:
            return await _stands(desk, office, told, promise)
        async with answering(desk.sql_breaker):
            await promises.resolve(office, [promise.id], "merchant", "they say that it works", told.now_ms)
    elif row is None:
        return _nothing(desk, told)
    return _say(desk, told, "incident_works")


async def still_down(desk: Desk, told: Told) -> str:
    """``2``: back in line as of the arrival they had. Who only subscribed is called as of now."""
    watch, office, row = desk.watch, desk.office, None
    if watch is not None:
        asked = replies.Asked(told.message, told.number, told.language)
        async with answering(desk.sql_breaker):
            row = await deflection.still_down(watch, told.number, told.now_ms)
            row = row or await replies.asks_for_a_call(watch, asked, told.now_ms)
    promise = await _owed(desk, told)
    if office is None or (row is None and promise is None):
        return _say(desk, told, "incident_still_down_call") if row is not None else _nothing(desk, told)
    async with answering(desk.sql_breaker):
        if watch is not None and row is not None:
            promise = await wishes.carry_out(watch, office, row, told.now_ms)
        elif promise is not None and promise.incident:
            await needed.keep(office, promise.id, "still down", told.now_ms)
    if promise is None:
        return _say(desk, told, "incident_still_down_call")
    return await _back_in_line(desk, office, told, promise)


async def keep(desk: Desk, told: Told) -> str:
    """``KEEP``: call me all the same. Too late, they come back to the place they had."""
    office, promise = desk.office, await _owed(desk, told)
    if office is None:
        return _nothing(desk, told)
    async with answering(desk.sql_breaker):
        if promise is not None:
            kept = await needed.keep(office, promise.id, "KEEP by text", told.now_ms) is not None
        else:
            watch = desk.watch
            row = await deflection.still_down(watch, told.number, told.now_ms) if watch else None
            if watch is None or row is None:
                return _nothing(desk, told)
            kept = await wishes.carry_out(watch, office, row, told.now_ms) is not None
    return _say(desk, told, "incident_kept" if kept else "incident_still_down_call")


COMMANDS: dict[str, Command] = {
    "status": status,
    "later": later,
    "nocall": nocall,
    "works": works,
    "still_down": still_down,
    "keep": keep,
}


async def _stands(desk: Desk, office: Office, told: Told, promise: Promise) -> str:
    async with answering(desk.sql_breaker):
        where = await promises.place(office, promise)
    return telling.status(office, promise, where, told.now_ms)


async def _back_in_line(desk: Desk, office: Office, told: Told, promise: Promise) -> str:
    async with answering(desk.sql_breaker):
        where = await promises.place(office, promise)
    if where.state is PromiseState.DUE_LATER:
        zone = promise.time_zone or office.time_zone
        when = wording.at(told.language, zone, promise.due_ms, told.now_ms)
        return _say(desk, told, "incident_still_down_later", when=when)
    if where.position:
        return _say(desk, told, "incident_still_down", position=where.position)
    return telling.status(office, promise, where, told.now_ms)


async def _owed(desk: Desk, told: Told) -> Promise | None:
    office: Office | None = desk.office
    if office is None:
        return None
    async with answering(desk.sql_breaker):
        return await promises.find(office, told.number)


def _nothing(desk: Desk, told: Told) -> str:
    return _say(desk, told, "nothing_kept")


def _say(desk: Desk, told: Told, key: str, **values: int | str) -> str:
    known = desk.office or desk.watch
    ours = spoken.written(known.ours[0]) if known and known.ours else ""
    return catalog.sms(told.language, key, centre=desk.centre.name, ours=ours, **values)
