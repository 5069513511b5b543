"""What a merchant who agreed to it is texted about a callback: that it is promised, tried, changed or over.

The texts follow the promise's history: the last line of it that is worth a text gets one row in the outbox,
under a name made of both, so it is written once however often this round runs.
"""

from __future__ import annotations

from sqlalchemy import bindparam, literal
from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select

from announcements import catalog, spoken
from callbacks import links, record, wording
from callbacks.office import Office
from callbacks.promises import Place, place
from callbacks.states import PromiseState
from callbacks.tables import Promise, PromiseEvent
from carrier import text_record
from carrier.tables import Text

NEWS = ("not_reached", "unreachable", "later", "rescheduled", "cancelled", "expired", "resolved")
FRESH_MS = 6 * 3_600_000
"""Older news are told no more: whoever was to tell them was away too long."""
AT_ONCE = 100

_IS_NEWS = [literal(kind) for kind in NEWS]
_after = aliased(PromiseEvent)
_text_id = col(Promise.id) + "." + col(PromiseEvent.id).cast(Text.__table__.c.id.type)  # type: ignore[attr-defined]
# In the order of time, and the rest asked of the promise: SQLite then reads no more than the last hours, and
# looks for texts of those alone who agreed to them.
_UNTOLD = (
    select(PromiseEvent, Promise)
    .join(Promise, col(Promise.id) == col(PromiseEvent.promise))
    .where(
        col(PromiseEvent.kind).in_(_IS_NEWS),
        # What merchants asked for themselves, they were told where they asked.
        PromiseEvent.by != "merchant",
        PromiseEvent.at_ms > bindparam("since_ms"),
        col(Promise.texts),
        or_(PromiseEvent.kind != "not_reached", Promise.state == PromiseState.DUE_LATER),
        ~select(Text.id).where(col(Text.id) == _text_id).exists(),
        ~select(_after.id)
        .where(
            _after.promise == Promise.id,
            col(_after.id) > col(PromiseEvent.id),
            col(_after.kind).in_(_IS_NEWS),
        )
        .exists(),
    )
    .order_by(col(PromiseEvent.at_ms), col(PromiseEvent.id))
    .limit(AT_ONCE)
)


async def agree(cb: Office, promise_id: str, now_ms: int) -> bool:
    """The merchant agreed to be texted about this promise, and is sent what was promised. False when there is
    no such open promise. Raises Unavailable.
    """
    async with cb.sql.session() as session:
        promise = await record.locked_if_any(session, promise_id)
        if promise is None or not record.is_open(promise):
            return False
        if not promise.texts:
            await record.change(
                session, promise, None, "texts_agreed", by="merchant", now_ms=now_ms, texts=True
            )
    where = await place(cb, promise)
    async with cb.sql.session() as session:
        row = _row(promise, "promised", "promised", promised(cb, promise, where, now_ms), now_ms)
        await text_record.write(session, row, cb.policy.text_pause_ms)
    return True


async def tell_news(cb: Office, now_ms: int) -> int:
    """One round: a text for the last news of each promise, if it has none; how many were written. What has
    been overtaken (the next try is due, or nobody will call any more) is told no more. Raises Unavailable.
    """
    async with cb.sql.session() as session:
        news = list(await session.exec(_UNTOLD, params={"since_ms": now_ms - FRESH_MS}))
        for event, promise in news:
            row = _row(promise, str(event.id), event.kind, _news(cb, promise, event), now_ms)
            await text_record.write(session, row)
    return len(news)


def promised(cb: Office, promise: Promise, where: Place, now_ms: int) -> str:
    """The text that says what was promised."""
    given = {"centre": cb.centre_name, "link": link(cb, promise)}
    if promise.windowed:
        when = _window(cb, promise, now_ms)
        return catalog.sms(promise.language, "promised_window", when=when, **given)
    if not where.position:
        return catalog.sms(promise.language, "promised_kept", **given)
    if promise.by_ms:
        when = _window(cb, promise, now_ms)
        return catalog.sms(promise.language, "promised_when", when=when, position=where.position, **given)
    return catalog.sms(promise.language, "promised_turn", position=where.position, **given)


def status(cb: Office, promise: Promise, where: Place, now_ms: int) -> str:
    """The text that says how a promise stands."""
    given = {"centre": cb.centre_name}
    state = where.state
    if state in (PromiseState.DIALING, PromiseState.CONNECTED):
        return catalog.sms(promise.language, "status_calling", **given)
    if promise.live_contact:
        return catalog.sms(promise.language, "status_on_the_line", **given)
    where_to = link(cb, promise)
    if state is PromiseState.DUE_LATER or promise.windowed:
        when = _window(cb, promise, now_ms)
        return catalog.sms(promise.language, "status_window", when=when, link=where_to, **given)
    position = where.position
    if not position:
        return catalog.sms(promise.language, "status_kept", link=where_to, **given)
    if promise.by_ms > now_ms:
        when = _window(cb, promise, now_ms)
        return catalog.sms(
            promise.language, "status_when", when=when, position=position, link=where_to, **given
        )
    return catalog.sms(promise.language, "status_turn", position=position, link=where_to, **given)


def _news(cb: Office, promise: Promise, event: PromiseEvent) -> str:
    language, zone = promise.language, promise.time_zone or cb.time_zone
    given = {"centre": cb.centre_name}
    ours = spoken.written(cb.ours[0]) if cb.ours else ""
    if event.kind == "unreachable":
        tried = wording.at(language, zone, event.at_ms, event.at_ms)
        return catalog.sms(language, "last_try", tried=tried, ours=ours, **given)
    if event.kind == "cancelled":
        return catalog.sms(language, "cancelled", **given)
    if event.kind in ("expired", "resolved"):
        return catalog.sms(language, event.kind, ours=ours, **given)
    if event.kind == "not_reached":
        tried = wording.at(language, zone, event.at_ms, event.at_ms)
        following = wording.at(language, zone, promise.due_ms, event.at_ms)
        return catalog.sms(
            language, "not_reached", tried=tried, next=following, link=link(cb, promise), **given
        )
    return put_off(cb, promise, event.at_ms)


def put_off(cb: Office, promise: Promise, now_ms: int) -> str:
    """The text that says when a callback will be, now that it was changed."""
    given = {"centre": cb.centre_name, "link": link(cb, promise)}
    if promise.state != PromiseState.DUE_LATER and not promise.windowed:
        return catalog.sms(promise.language, "status_kept", **given)  # as soon as it is its turn
    return catalog.sms(promise.language, "later", when=_window(cb, promise, now_ms), **given)


def _window(cb: Office, promise: Promise, now_ms: int) -> str:
    """Between when and when: the window, or from when it is due to when it was told to be kept by."""
    zone = promise.time_zone or cb.time_zone
    start_ms = max(promise.due_ms, promise.made_ms)
    if promise.by_ms <= start_ms:
        return wording.at(promise.language, zone, start_ms, now_ms)
    return wording.when(promise.language, zone, start_ms, promise.by_ms, now_ms)


def link(cb: Office, promise: Promise) -> str:
    """Where its merchant can see and change it."""
    return links.link(cb.secret, cb.public_url, promise.id)


def _row(promise: Promise, name: str, kind: str, body: str, now_ms: int) -> Text:
    return Text(
        id=f"{promise.id}.{name}",
        number=promise.number,
        kind=kind,
        promise=promise.id,
        body=body,
        made_ms=now_ms,
        not_before_ms=now_ms,
    )
