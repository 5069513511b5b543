"""Into the line: the move in Redis, and the Enqueue by which Twilio holds the call.

The move comes with the Enqueue. When Redis is away the caller is enqueued all the same, and the hold loop
makes up for the move: Twilio keeps the caller, we keep the order.
"""

from __future__ import annotations

from dataclasses import replace

from announcements import catalog
from announcements.catalog import Utterance
from ivr import callers, concern, endings, heard, message, twiml
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.holding import hold_queue
from ivr.memory import Memory
from ivr.menus import Centre
from ivr.slips import Slip
from ivr.visits import AWAY, Away, Visit
from merchants.recognition import Recognised
from queueing.bands import band_for
from queueing.policy import LinePolicy
from queueing.records import Card, Entry, EntryOutcome
from surge import deflection

NOBODY = Recognised()


async def join(
    desk: Desk,
    visit: Visit,
    slip: Slip,
    *words: Utterance,
    caller: Caller | None = None,
    who: Recognised | Away | None = None,
    callback: bool = False,
) -> str:
    """Put the caller in the line for what the slip says, say ``words``, and hold the call.

    ``who``: when that has been looked up already. ``callback``: they want to be called back, and are asked
    for the number in their place in line, unless an agent is free for them.
    """
    caller = caller or callers.identify(desk, visit)
    entry, slip = await enter(desk, visit, slip, caller, who=who)
    if isinstance(entry, Entry):
        if entry.outcome is EntryOutcome.FULL:
            await endings.on_record(desk, visit)
            return message.offer(desk, slip, catalog.voice(slip.language, "queue_full"))
        if entry.outcome is EntryOutcome.ENDED:
            return goodbye(desk, slip)
        callback = callback and entry.outcome is not EntryOutcome.RESERVED
    return enqueue(desk, slip, *words, contact=visit.contact, callback=callback)


async def enter(
    desk: Desk,
    visit: Visit,
    slip: Slip,
    caller: Caller,
    *,
    arrived_us: int = 0,
    who: Recognised | Away | None = None,
) -> tuple[Entry | Away, Slip]:
    """The move alone, and the slip as it then is: with the queue and band the caller stands in.

    ``arrived_us``: since when the caller has been waiting already; 0 for now.
    """
    known = who if who is not None else await callers.recognise(desk, visit, caller)
    who = known.chosen(slip.location) if isinstance(known, Recognised) else NOBODY
    slip = placed(desk.centre, desk.policy, slip, who)
    if not visit.contact:
        return AWAY, slip
    arrived_us = arrived_us or await _came_before(desk, visit, slip, caller)
    entry = await visit.enrich(
        desk.line.enter(
            visit.contact,
            queue=slip.queue,
            band=slip.band,
            card=noted_card(desk, slip, who, caller),
            caller_key=caller.key,
            now_ms=visit.now_ms,
            arrived_ms=arrived_us // 1000 or visit.now_ms,
            after_us=arrived_us % 1000,
        )
    )
    if isinstance(entry, Entry):
        slip = replace(slip, queue=entry.queue, band=entry.band)
    return entry, slip


def placed(centre: Centre, policy: LinePolicy, slip: Slip, who: Recognised = NOBODY) -> Slip:
    """The slip with a queue and a band that the centre has: by topic, and by the merchant's tier.

    A topic's own band counts only when its head start is the greater one.
    """
    topic = centre.topic(slip.topic)
    queue = slip.queue or (topic.queue if topic else centre.default_queue)
    heads = {band.name: band.head_start_ms for band in policy.bands}
    by_tier = band_for(who.merchant.tier, centre.tiers, centre.default_band) if who.merchant else ""
    wanted = [slip.band, by_tier, topic.band if topic else "", centre.default_band]
    known = [band for band in wanted if band in heads]
    return replace(
        slip,
        queue=queue if queue in {each.name for each in policy.queues} else policy.queues[0].name,
        band=max(known, key=heads.__getitem__) if known else policy.bands[-1].name,
        merchant=who.merchant.id if who.merchant else slip.merchant,
    )


def card(slip: Slip, who: Recognised, caller: Caller) -> Card:
    """What the agent's desk will show."""
    merchant, location = who.merchant, who.location
    return Card(
        caller=caller.number,
        merchant_id=merchant.id if merchant else slip.merchant or None,
        merchant=merchant.name if merchant else "",
        location=location.name if location else "",
        tier=merchant.tier if merchant else "",
        product=merchant.product if merchant else "",
        language=slip.language,
        topic=slip.topic,
        region=merchant.region if merchant else "",
        rail=merchant.rail if merchant else "",
        devices=merchant.devices if merchant else (),
    )


def noted_card(desk: Desk, slip: Slip, who: Recognised, caller: Caller) -> Card:
    """The card, with the incident that the call is most likely about."""
    return concern.noted(card(slip, who, caller), desk.board.known.incidents, slip, who)


async def _came_before(desk: Desk, visit: Visit, slip: Slip, caller: Caller) -> int:
    """Whom a text has not helped, and who calls again, has the place of the first call; 0: a new one."""
    if desk.watch is None or not any(each.has(heard.AGAIN) for each in heard.read(slip.heard).values()):
        return 0
    look = deflection.called_again(desk.watch, caller.number, visit.contact, visit.now_ms)
    found = await visit.enrich(look, within_s=desk.budget.look_up_s)
    return 0 if found is None or isinstance(found, Away) else found.arrival_us


def enqueue(
    desk: Desk, slip: Slip, *words: Utterance, contact: str, owed: bool = False, callback: bool = False
) -> str:
    """Say ``words``, then hold the call. The queue's name at Twilio tells queue and band: from it alone the
    order can be rebuilt. ``owed``: the caller has a callback, and is offered none. ``callback``: they want
    one, and are asked for the number first."""
    carried = slip.query()
    memory = Memory(owed=True).query() if owed else Memory(offered=1).query() if callback else ""
    first = "/voice/callback" if callback else "/voice/wait"
    return twiml.answer(
        twiml.say_all(words),
        twiml.enqueue(
            hold_queue(desk.policy, slip.queue, slip.band, contact),
            wait_url=desk.url(f"{first}?{carried}{memory}"),
            action=desk.url(f"/voice/left?{carried}"),
        ),
    )


def goodbye(desk: Desk, slip: Slip) -> str:
    """The call is over, on our side too."""
    words = catalog.voice(slip.language, "call_over", centre=desk.centre.name)
    return twiml.answer(twiml.say(words), twiml.hang_up())
