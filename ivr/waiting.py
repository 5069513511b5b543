"""The hold loop: what a caller hears between the menu and an agent.

Twilio asks this door again whenever the music ends. Nothing is kept for it but the caller's place: what was
said last, and which clip comes next, ride in the URL.
"""

from __future__ import annotations

from dataclasses import replace

from announcements import catalog, pacing
from announcements.pacing import Announcement, Place, Said
from ivr import callers, entering, glance, menus, slips, twiml
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import AWAY, Away, Visit
from queueing import journal
from queueing.records import Hold
from queueing.states import ContactState


async def answer(desk: Desk, visit: Visit) -> str:
    """``POST /voice/wait``: music, and now and then where the caller stands."""
    slip = slips.read(desk.centre, visit.query)
    hold = await visit.enrich(_look(desk, visit)) if visit.contact else AWAY
    if hold is None or (isinstance(hold, Hold) and _is_older(visit, hold)):
        # Redis was away when the call was enqueued, or has forgotten: the line makes up for it.
        caller = callers.identify(desk, visit)
        _, slip = await entering.enter(desk, visit, slip, caller, arrived_us=_arrived_us(visit))
        hold = AWAY
    if isinstance(hold, Away):
        return _without_place(desk, visit, slip)
    if hold.state is ContactState.ENDED:
        return entering.goodbye(desk, slip)
    if (slip.queue, slip.band) != (hold.queue, hold.band):
        slip = replace(slip, queue=hold.queue, band=hold.band)
    if hold.state is not ContactState.WAITING:
        said = Said.from_query(visit.query)
        return music(desk, visit, slip, said, clips=1, arrival_us=hold.arrival_us)
    if hold.over_max_wait:
        return twiml.answer(twiml.say(catalog.voice(slip.language, "too_long")), twiml.leave())
    return await _with_place(desk, visit, slip, hold)


async def key(desk: Desk, visit: Visit) -> str:
    """``POST /voice/wait/key``: a key in the hold loop. Star leaves the line, any other is music."""
    slip = slips.read(desk.centre, visit.query)
    said, arrival_us = Said.from_query(visit.query), _remembered_us(visit)
    again = twiml.answer(twiml.redirect(_loop_url(desk, visit, slip, said, 0, arrival_us)))
    if visit.form.get("Digits", "") != menus.LEAVE_KEY:
        return again
    now = await visit.enrich(desk.line.contact(visit.contact))
    if not isinstance(now, Away) and now and now.state in (ContactState.RESERVED, ContactState.CONNECTED):
        return again  # an agent is being asked: no time to leave
    return twiml.answer(twiml.say(catalog.voice(slip.language, "leaving_line")), twiml.leave())


async def _look(desk: Desk, visit: Visit) -> Hold | None:
    facts = await desk.glance.facts(visit.now_ms)
    return await desk.line.hold(visit.contact, ask=visit.ask, facts=facts, now_ms=visit.now_ms)


async def _with_place(desk: Desk, visit: Visit, slip: Slip, hold: Hold) -> str:
    """All of it from the question's first asking, so that its repeat is answered alike."""
    said = Said.from_query(visit.query)
    wait = glance.wait(hold.facts, hold.queue, hold.position)
    place = Place(
        position=hold.position,
        entered_ms=hold.entered_ms,
        low_s=wait.p10 if wait else None,
        high_s=wait.p90 if wait else None,
    )
    announcement = pacing.decide(desk.pacing, said, place, hold.asked_ms)
    if announcement is not None and not hold.repeat:
        await visit.enrich(_note(desk, visit, hold, announcement))
    return tell(desk, visit, slip, said, announcement, hold.arrival_us, hold.asked_ms)


def _without_place(desk: Desk, visit: Visit, slip: Slip) -> str:
    """The base answer: Twilio holds the call, so music and comfort are true; a position would not be."""
    said = Said.from_query(visit.query)
    arrival_us = _arrived_us(visit)
    announcement = pacing.decide(desk.pacing, said, Place(0, arrival_us // 1000), visit.now_ms)
    return tell(desk, visit, slip, said, announcement, arrival_us, visit.now_ms)


def _is_older(visit: Visit, hold: Hold) -> bool:
    """The line was rebuilt by Twilio's word, to the second; the caller's own memory is exact."""
    return hold.state is ContactState.WAITING and 0 < _remembered_us(visit) < hold.arrival_us


def _arrived_us(visit: Visit) -> int:
    """Since when the caller is in the line, by the loop's memory; at its beginning, by Twilio's word."""
    if remembered_us := _remembered_us(visit):
        return remembered_us
    waited_s = min(slips.whole(visit.form.get("QueueTime", "")), 86_400)
    return (visit.now_ms - waited_s * 1000) * 1000


def _remembered_us(visit: Visit) -> int:
    """The place in the line that the loop remembers; 0 when there is no memory of the last day."""
    entered_ms = slips.whole(visit.query.get("in", ""))
    if not visit.now_ms - 86_400_000 <= entered_ms <= visit.now_ms:
        return 0
    return entered_ms * 1000 + min(slips.whole(visit.query.get("us", "")), 999)


def tell(
    desk: Desk,
    visit: Visit,
    slip: Slip,
    said: Said | None,
    announcement: Announcement | None,
    arrival_us: int,
    now_ms: int,
) -> str:
    """The announcement, if there is one, and music until the next may be due."""
    words = []
    if announcement is not None:
        words.append(catalog.tell(slip.language, announcement))
        if said is None:
            words.append(catalog.voice(slip.language, "keys_while_waiting"))
        said = announcement.said
    music_ms = pacing.next_look_ms(desk.pacing, said, arrival_us // 1000, now_ms)
    clips = max(1, music_ms // desk.pacing.clip_ms)
    return music(desk, visit, slip, said, clips=clips, arrival_us=arrival_us, words=twiml.say_all(words))


def music(
    desk: Desk, visit: Visit, slip: Slip, said: Said | None, *, clips: int, arrival_us: int, words: str = ""
) -> str:
    """``words``, then so many clips; a key counts all the while; then the loop goes on."""
    first = slips.whole(visit.query.get("clip", ""))
    heard = words + "".join([twiml.play(desk.clip(first + i)) for i in range(clips)])
    loop = _loop_url(desk, visit, slip, said, clips, arrival_us)
    pressed = loop.replace("/voice/wait?", "/voice/wait/key?", 1)
    return twiml.answer(twiml.gather_key(pressed, heard), twiml.redirect(loop))


def _loop_url(desk: Desk, visit: Visit, slip: Slip, said: Said | None, clips: int, arrival_us: int) -> str:
    """Where the loop goes on, with its memory: also since when the caller waits, should the line forget."""
    clip = slips.whole(visit.query.get("clip", "")) + clips
    memory = f"&in={arrival_us // 1000}" if arrival_us else ""
    memory += f"&us={arrival_us % 1000}" if arrival_us % 1000 else ""
    memory += f"&said_at={said.at_ms}&said_pos={said.position}&n={said.count}" if said else ""
    return desk.url(f"/voice/wait?{slip.query()}&clip={clip}{memory}")


async def _note(desk: Desk, visit: Visit, hold: Hold, announcement: Announcement) -> None:
    """Put on record what was told: the figures later say how true it was."""
    low, high = announcement.wait or (None, None)
    await journal.write(
        desk.redis,
        desk.keys,
        "told",
        at_ms=hold.asked_ms,
        contact=visit.contact,
        queue=hold.queue,
        band=hold.band,
        position=announcement.position,
        low_min="" if low is None else low,
        high_min="" if high is None else high,
    )
