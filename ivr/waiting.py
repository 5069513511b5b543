"""The hold loop: what a caller hears between the menu and an agent.

Twilio asks this door again whenever the music ends. Nothing is kept for it but the caller's place: what was
said last, and which clip comes next, ride in the URL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from announcements import catalog, pacing
from announcements.catalog import Utterance
from announcements.pacing import Announcement, Place
from ivr import callers, entering, glance, incident, memory, menus, offers, slips, twiml
from ivr.desk import Desk
from ivr.memory import Memory
from ivr.slips import Slip
from ivr.visits import AWAY, Away, Visit
from queueing import journal
from queueing.records import ContactNow, Hold
from queueing.states import ContactState


async def answer(desk: Desk, visit: Visit) -> str:
    """``POST /voice/wait``: music, and now and then where the caller stands."""
    slip = slips.read(desk.centre, visit.query)
    hold = await visit.enrich(_look(desk, visit, slip)) if visit.contact else AWAY
    if hold is None or (isinstance(hold, Hold) and _is_older(visit, hold)):
        # Redis was away when the call was enqueued, or has forgotten: the line makes up for it.
        caller = callers.identify(desk, visit)
        _, slip = await entering.enter(desk, visit, slip, caller, arrived_us=_arrived_us(visit))
        hold = AWAY
    if isinstance(hold, Away):
        return await _without_place(desk, visit, slip)
    if hold.state is ContactState.ENDED:
        return entering.goodbye(desk, slip)
    if (slip.queue, slip.band) != (hold.queue, hold.band):
        slip = replace(slip, queue=hold.queue, band=hold.band)
    if hold.state is not ContactState.WAITING:
        kept = replace(memory.read(visit.query), arrival_us=hold.arrival_us)
        return music(desk, slip, kept, clips=1)
    if hold.over_max_wait:
        return twiml.answer(twiml.say(catalog.voice(slip.language, "too_long")), twiml.leave())
    return await _with_place(desk, visit, slip, hold)


async def key(desk: Desk, visit: Visit) -> str:
    """``POST /voice/wait/key``: a key in the hold loop. Star leaves the line, 1 takes up the offer of a
    callback when there was one, any other is music.
    """
    slip, kept = slips.read(desk.centre, visit.query), memory.read(visit.query)
    again = twiml.answer(twiml.redirect(loop_url(desk, slip, kept)))
    pressed = visit.form.get("Digits", "")
    wants_callback = pressed == menus.CALLBACK_KEY and kept.offered
    if pressed == menus.LEAVE_KEY:
        return await step_out(desk, visit)
    if not wants_callback or await _is_being_asked(desk, visit):
        return again
    return twiml.answer(twiml.redirect(desk.url(f"/voice/callback?{slip.query()}{kept.query()}")))


async def step_out(desk: Desk, visit: Visit) -> str:
    """Star: out of the line, to record a message; unless an agent is being asked: no time to leave."""
    slip, kept = slips.read(desk.centre, visit.query), memory.read(visit.query)
    if await _is_being_asked(desk, visit):
        return twiml.answer(twiml.redirect(loop_url(desk, slip, kept)))
    return twiml.answer(twiml.say(catalog.voice(slip.language, "leaving_line")), twiml.leave())


async def _is_being_asked(desk: Desk, visit: Visit) -> bool:
    now = await visit.enrich(desk.line.contact(visit.contact))
    return isinstance(now, ContactNow) and now.state in (ContactState.RESERVED, ContactState.CONNECTED)


async def _look(desk: Desk, visit: Visit, slip: Slip) -> Hold | None:
    if desk.watch is not None:
        await desk.board.directive(visit.now_ms)
    facts = await desk.glance.facts(visit.now_ms, slip.queue)
    return await desk.line.hold(visit.contact, ask=visit.ask, facts=facts, now_ms=visit.now_ms)


async def _with_place(desk: Desk, visit: Visit, slip: Slip, hold: Hold) -> str:
    """All of it from the question's first asking, so that its repeat is answered alike."""
    kept = replace(memory.read(visit.query), arrival_us=hold.arrival_us)
    wait = glance.wait(hold.facts, hold.queue, hold.band, hold.position)
    place = Place(
        position=hold.position,
        entered_ms=hold.entered_ms,
        low_s=wait.p10 if wait else None,
        high_s=wait.p90 if wait else None,
    )
    announcement = pacing.decide(desk.pacing, kept.said, place, hold.asked_ms)
    if announcement is not None and not hold.repeat:
        await visit.enrich(_note(desk, visit, hold, announcement))
    offer = offers.now(desk, visit, slip, hold, kept, announcement, wait)
    news: Sequence[Utterance] = ()
    if incident.is_news(desk, slip):
        telling = await incident.news(desk, visit, slip, hold.asked_ms)
        slip, news = telling.slip, telling.words
    return tell(desk, slip, kept, announcement, hold.arrival_us, hold.asked_ms, offer=offer, news=news)


async def _without_place(desk: Desk, visit: Visit, slip: Slip) -> str:
    """The base answer: Twilio holds the call, so music and comfort are true; a position would not be."""
    kept = memory.read(visit.query)
    arrival_us = _arrived_us(visit)
    announcement = pacing.decide(desk.pacing, kept.said, Place(0, arrival_us // 1000), visit.now_ms)
    # What was reckoned from Twilio's word is not remembered: its next word is as good, and ours may be late.
    news: Sequence[Utterance] = ()
    if incident.is_news(desk, slip):
        telling = await incident.news(desk, visit, slip, visit.now_ms)
        slip, news = telling.slip, telling.words
    return tell(desk, slip, kept, announcement, arrival_us, visit.now_ms, news=news)


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
    arrival_us = memory.read(visit.query).arrival_us
    return arrival_us if 0 <= visit.now_ms - arrival_us // 1000 <= 86_400_000 else 0


def tell(
    desk: Desk,
    slip: Slip,
    kept: Memory,
    announcement: Announcement | None,
    arrival_us: int,
    now_ms: int,
    *,
    offer: tuple[Utterance, ...] = (),
    news: Sequence[Utterance] = (),
) -> str:
    """What is new of incidents, the announcement and the offer, if there are any, and music until the next
    may be due."""
    words = [*news]
    if announcement is not None:
        words.append(catalog.tell(slip.language, announcement))
        if kept.said is None:
            words.append(catalog.voice(slip.language, "keys_while_waiting"))
        kept = replace(kept, said=announcement.said)
    if offer:
        words += offer
        kept = replace(kept, offered=kept.said.count if kept.said else 1)
    music_ms = pacing.next_look_ms(desk.pacing, kept.said, arrival_us // 1000, now_ms)
    clips = max(1, music_ms // desk.pacing.clip_ms)
    return music(desk, slip, kept, clips=clips, words=twiml.say_all(words))


def music(desk: Desk, slip: Slip, kept: Memory, *, clips: int, words: str = "") -> str:
    """``words``, then so many clips; a key counts all the while; then the loop goes on."""
    first = kept.clip
    heard = words + "".join([twiml.play(desk.clip(first + i)) for i in range(clips)])
    loop = loop_url(desk, slip, replace(kept, clip=first + clips))
    pressed = loop.replace("/voice/wait?", "/voice/wait/key?", 1)
    return twiml.answer(twiml.gather_key(pressed, heard), twiml.redirect(loop))


def loop_url(desk: Desk, slip: Slip, kept: Memory) -> str:
    """Where the loop goes on, with its memory."""
    return desk.url(f"/voice/wait?{slip.query()}{kept.query()}")


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
