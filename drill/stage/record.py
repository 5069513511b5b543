"""The record of a run, read from SQL and from the phone network, as the rows that a card is made from."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

from sqlmodel import col, func, select

from callbacks.figures import Row as PromiseRow
from callbacks.states import PromiseState
from callbacks.tables import Attempt, Promise
from carrier.tables import Text
from drill import laws
from drill.scorecard import Call, Facts, FollowUpRow
from drill.stage.play import Played
from queueing.journal import Event
from queueing.names import TURN_PREFIX
from queueing.story import order
from queueing.tables import Contact, ContactEvent
from surge.states import FOLLOW_UP_ENDS
from surge.tables import Deflection, FollowUp

READ_S = 60.0
OUTCOMES = ("ended", "turned_away")
"""The events that record what became of a call."""
ENDS = frozenset(state.value for state in FOLLOW_UP_ENDS)
VAIN = (PromiseState.UNREACHABLE, PromiseState.EXPIRED)


async def facts(played: Played) -> Facts:
    """All of it, of calls that callers made; those we made to them are promises' affair."""
    house = played.house
    ends_ms = played.scenario.ms(played.scenario.ends, played.centre.written.time_zone)
    async with house.loop.turn.held(), house.stores.sql.reading(statement_s=READ_S) as session:
        ours = select(Attempt.call_sid)
        calls = [
            _call(row)
            for row in await session.exec(
                select(Contact).where(
                    ~col(Contact.contact).startswith(TURN_PREFIX), col(Contact.contact).not_in(ours)
                )
            )
        ]
        counted = select(ContactEvent.contact, func.count()).where(col(ContactEvent.kind).in_(OUTCOMES))
        outcomes = {name: count for name, count in await session.exec(counted.group_by(ContactEvent.contact))}
        events = [_event(row) for row in await session.exec(select(ContactEvent))]
        promises = list(await session.exec(select(Promise)))
        deflections = list(await session.exec(select(Deflection.called_again_ms)))
        follow_ups = list(await session.exec(select(FollowUp)))
        texts = Counter(await session.exec(select(Text.state)))
    events.sort(key=lambda event: order(event.id))
    ledger = house.network.exchange.ledger
    return Facts(
        begins_ms=played.begins_ms,
        ends_ms=ends_ms,
        calls=sorted(calls, key=lambda call: (call.entered_ms, call.sid)),
        rang={rang.leg.sid for rang in played.callers.rang},
        outcomes=outcomes,
        promises=[_promise(row) for row in promises],
        kept_numbers={row.number for row in promises if row.state == PromiseState.KEPT},
        deflections=len(deflections),
        called_again=sum(at_ms is not None for at_ms in deflections),
        follow_ups=[FollowUpRow(row.id, row.why, row.state, row.state in ENDS) for row in follow_ups],
        unkept=[row.id for row in promises if row.state in VAIN],
        texts=dict(texts),
        agents=laws.at_work(events),
        broken=laws.broken(events),
        breaches=[f"{each.code} {each.message} ({urlsplit(each.url).path})" for each in ledger.violations],
        within_s=played.centre.within_s,
    )


def _call(row: Contact) -> Call:
    return Call(
        sid=row.contact,
        number=row.caller,
        entered_ms=row.entered_ms,
        outcome=row.disposition,
        queue=row.queue,
        answered_ms=row.answered_ms,
        ended_ms=row.ended_ms,
        told_ms=row.told_at_ms,
        told=(row.told_low_min, row.told_high_min),
    )


def _event(row: ContactEvent) -> Event:
    return Event(row.id, row.kind, row.at_ms, row.contact, row.agent, row.queue, row.band, row.fields)


def _promise(row: Promise) -> PromiseRow:
    starts = row.due_ms if row.windowed else row.made_ms
    return PromiseRow(
        PromiseState(row.state),
        row.queue,
        row.made_ms,
        starts,
        row.by_ms,
        row.first_rung_ms,
        row.met_ms,
        row.tries,
    )
