"""What merchants can write to us about their callback: STATUS, LATER, NOCALL: none is a carrier's word."""

from __future__ import annotations

from announcements import catalog, spoken
from callbacks import promises, telling
from callbacks.office import Conflict, Office
from callbacks.states import PromiseState
from callbacks.tables import Promise
from foundation.connections import answering
from foundation.errors import Mendable
from ivr.desk import Desk
from ivr.texting import Command, Told

LATER_MIN = 30


async def status(desk: Desk, told: Told) -> str:
    """``STATUS``: where the callback stands."""
    office = desk.office
    promise = await _owed(desk, told)
    if office is None or promise is None:
        return _nothing(desk, told)
    async with answering(desk.sql_breaker):
        where = await promises.place(office, promise)
    return telling.status(office, promise, where, told.now_ms)


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


COMMANDS: dict[str, Command] = {"status": status, "later": later, "nocall": nocall}


async def _owed(desk: Desk, told: Told) -> Promise | None:
    office: Office | None = desk.office
    if office is None:
        return None
    async with answering(desk.sql_breaker):
        return await promises.find(office, told.number)


def _nothing(desk: Desk, told: Told) -> str:
    ours = spoken.written(desk.office.ours[0]) if desk.office and desk.office.ours else ""
    return catalog.sms(told.language, "nothing_kept", centre=desk.centre.name, ours=ours)
