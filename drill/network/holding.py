"""Enqueue: a call waits in a queue, hearing its wait document again and again, until it is taken."""

from __future__ import annotations

import asyncio

from drill.network.bridges import Bridge
from drill.network.interpreter import DocumentFailed, Ending, Interpreter, Step, performs
from drill.network.legs import Course, Stage
from drill.network.queues import CallQueue, Member
from drill.network.strictness import Document, Element

SHORTEST_LOOP_MS = 1_000
SILENCE_MS = 60_000
DEFAULT_MUSIC_MS = 30_000


@performs("Enqueue")
async def enqueue(talk: Interpreter, verb: Element, document: Document) -> Step:
    """Wait until taken, diverted, gone, or out by <Leave>; then the action is asked, or the next verb."""
    queue = talk.exchange.queue_named(verb.text)
    if len(queue) >= queue.max_size:
        talk.note("the queue is full")
        return _on(talk, verb, document, {"QueueResult": "queue-full"})
    member = queue.enter(talk.leg, talk.clock.now_ms())
    talk.hear("enqueue", queue.name)
    talk.leg.stand(Stage.QUEUE)
    waiting = asyncio.ensure_future(_wait(talk, verb, document, member, queue))
    try:
        await asyncio.wait({waiting, member.wanted}, return_when=asyncio.FIRST_COMPLETED)
        if member.wanted.done():
            waiting.cancel()
            result = await _bridged(talk, document, member, queue)
        else:
            result = waiting.result()
    except asyncio.CancelledError:
        result = "hangup" if talk.leg.ended else "redirected"
        talk.tell(document, verb.get("action"), verb.get("method"), _facts(talk, queue, member, result))
        raise
    finally:
        waiting.cancel()
        queue.remove(talk.leg)
    talk.leg.stand(Stage.MENU)
    if result == "hangup":
        talk.exchange.end(talk.leg)
        talk.tell(document, verb.get("action"), verb.get("method"), _facts(talk, queue, member, result))
        return Ending.HUNG_UP
    return _on(talk, verb, document, _facts(talk, queue, member, result))


def _facts(talk: Interpreter, queue: CallQueue, member: Member, result: str) -> dict[str, str]:
    waited_s = (talk.clock.now_ms() - member.entered_ms) // 1000
    return {"QueueResult": result, "QueueSid": queue.sid, "QueueTime": str(waited_s)}


def _on(talk: Interpreter, verb: Element, document: Document, facts: dict[str, str]) -> Step:
    """To the action if there is one, else to the next verb."""
    if not verb.get("action"):
        return Ending.NEXT
    return talk.course(document, verb.get("action"), verb.get("method"), facts)


async def _wait(
    talk: Interpreter, verb: Element, document: Document, member: Member, queue: CallQueue
) -> str:
    """The hold loop. Ends with leave, hangup or error."""
    if not verb.get("waitUrl"):
        while True:  # silence when waitUrl is empty, Twilio's own music when it is left out
            if "waitUrl" not in verb.attributes:
                talk.hear("play", "Twilio's hold music", "", DEFAULT_MUSIC_MS)
            await talk.pause(SILENCE_MS if "waitUrl" in verb.attributes else DEFAULT_MUSIC_MS)
    while True:
        began_ms = talk.clock.now_ms()
        course = talk.course(document, verb.get("waitUrl"), verb.get("waitUrlMethod"))
        params = place(queue, member, began_ms)
        try:
            ending = await talk.follow(Course(course.url, course.method, params, "enqueue.waitUrl"))
        except DocumentFailed:
            return "error"
        if ending is Ending.LEFT:
            return "leave"
        if ending is Ending.HUNG_UP:
            return "hangup"
        if talk.clock.now_ms() - began_ms < SHORTEST_LOOP_MS // 2:
            talk.exchange.breach("twiml", 0, "the wait document takes no time", course.url, talk.leg)
            await talk.pause(SHORTEST_LOOP_MS)


def place(queue: CallQueue, member: Member, now_ms: int) -> dict[str, str]:
    """The six parameters a wait document is asked with."""
    return {
        "QueuePosition": str(queue.position(member)),
        "QueueSid": queue.sid,
        "QueueTime": str((now_ms - member.entered_ms) // 1000),
        "AvgQueueTime": str(queue.average_wait_s(now_ms)),
        "CurrentQueueSize": str(len(queue)),
        "MaxQueueSize": str(queue.max_size),
    }


async def _bridged(talk: Interpreter, document: Document, member: Member, queue: CallQueue) -> str:
    """Taken by a ``<Dial><Queue>``: hear the noun's document if it has one, then talk until it is over."""
    bridge: Bridge = member.wanted.result()
    talk.leg.bridge = bridge
    if bridge.whisper is not None:
        params = {
            "QueueSid": queue.sid,
            "QueueTime": str((talk.clock.now_ms() - member.entered_ms) // 1000),
            "DequeingCallSid": bridge.by_sid,
        }
        course = Course(bridge.whisper.url, bridge.whisper.method, params, "dial.queue.url")
        try:
            await talk.follow(course)
        except DocumentFailed:
            talk.exchange.breach("twiml", 14211, "the queue's whisper failed", course.url, talk.leg)
    talk.leg.stand(Stage.TALKING)
    bridge.join()
    await asyncio.wait({bridge.over})
    talk.leg.bridge = None
    return "bridged"
