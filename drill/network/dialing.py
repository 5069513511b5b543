"""Dial: a number, a softphone, a queue or a conference."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urljoin

from drill.network.bridges import Bridge
from drill.network.conferencing import dial_conference
from drill.network.exchange import callback
from drill.network.interpreter import DocumentFailed, Ending, Interpreter, Step, performs
from drill.network.legs import CallStatus, Course, Leg, Stage, Target, first_of
from drill.network.strictness import Document, Element
from drill.network.telephones import ring


@performs("Dial")
async def dial(talk: Interpreter, verb: Element, document: Document) -> Step:
    nouns = verb.children or (Element("Number", {}, (), verb.own, verb.own),)
    talk.hear("dial", f"{nouns[0].tag.lower()} {nouns[0].text}")
    if nouns[0].tag == "Conference":
        return await dial_conference(talk, verb, nouns[0], document)
    if nouns[0].tag == "Queue":
        facts = await _dial_queue(talk, verb, nouns[0], document)
    else:
        facts = await _dial_phones(talk, verb, nouns, document)
    talk.leg.stand(Stage.MENU)
    if not verb.get("action"):
        return Ending.NEXT
    return talk.course(document, verb.get("action"), verb.get("method"), facts)


async def _dial_queue(talk: Interpreter, verb: Element, noun: Element, document: Document) -> dict[str, str]:
    """The first in the queue, waiting for one as long as the Dial's timeout says."""
    queue = next((each for each in talk.exchange.queues.values() if each.name == noun.text), None)
    if queue is None:
        talk.note("there is no such queue")
        return {"DialCallStatus": "failed"}
    if not len(queue):
        arrival = asyncio.ensure_future(queue.arrived.wait())
        try:
            await first_of(talk.clock, verb.whole("timeout", 30) * 1000, arrival)
        finally:
            arrival.cancel()
    member = queue.member("Front")
    if member is None:
        return {"DialCallStatus": "no-answer"}
    queue.remove(member.leg)
    whisper = _target(document, noun)
    bridge = Bridge(talk.leg.sid, whisper)
    member.wanted.set_result(bridge)
    began_ms = await _talk_over(talk, bridge, verb)
    return _facts(talk, "completed", member.leg, began_ms)


async def _talk_over(talk: Interpreter, bridge: Bridge, verb: Element) -> int:
    """Talk until either side parts or the time limit comes. When the talk began, in ms."""
    talk.leg.bridge = bridge
    try:
        await asyncio.wait({bridge.joined, bridge.over}, return_when=asyncio.FIRST_COMPLETED)
        began_ms = talk.clock.now_ms()
        talk.leg.stand(Stage.TALKING)
        talk.note("you are connected")
        await first_of(talk.clock, verb.whole("timeLimit", 14_400) * 1000, bridge.over)
        return began_ms
    finally:
        bridge.part()
        talk.leg.bridge = None


def _facts(talk: Interpreter, status: str, other: Leg, began_ms: int | None) -> dict[str, str]:
    facts = {"DialCallStatus": status, "DialCallSid": other.sid, "DialBridged": "false"}
    if began_ms is not None:
        seconds = -(-(talk.clock.now_ms() - began_ms) // 1000)
        facts |= {"DialCallDuration": str(seconds), "DialBridged": "true"}
    return facts


def _target(document: Document, noun: Element) -> Target | None:
    url = noun.get("url")
    return Target(urljoin(document.url, url), noun.get("method") or "POST") if url else None


async def _dial_phones(
    talk: Interpreter, verb: Element, nouns: tuple[Element, ...], document: Document
) -> dict[str, str]:
    """Ring all at once; the first to pick up wins, the others stop ringing."""
    exchange = talk.exchange
    bridge = Bridge(talk.leg.sid)
    timeout_s = verb.whole("timeout", 30)
    ringing: dict[asyncio.Future[Any], Leg] = {}
    for noun in nouns:
        leg = _child(talk, verb, noun, document)
        other = Interpreter(exchange, leg)
        leg.run = asyncio.ensure_future(_ring_child(other, _target(document, noun), bridge, timeout_s))
        ringing[leg.run] = leg
    began_ms: int | None = None
    try:
        await _first_joined(bridge, set(ringing))
        winner = next((leg for leg in ringing.values() if leg.bridge is bridge), None)
        if winner is None:
            last = list(ringing.values())[-1]
            return _facts(talk, _outcome(last), last, None)
        for leg in ringing.values():
            if leg is not winner:
                exchange.end(leg, CallStatus.CANCELED)
        began_ms = await _talk_over(talk, bridge, verb)
        return _facts(talk, "completed", winner, began_ms)
    except asyncio.CancelledError:
        if talk.leg.ended:
            facts = {"DialCallStatus": "completed" if began_ms else "canceled"}
            talk.tell(document, verb.get("action"), verb.get("method"), facts)
        raise
    finally:
        bridge.part()
        for leg in ringing.values():
            exchange.end(leg, CallStatus.COMPLETED if leg.started_ms else CallStatus.CANCELED)


def _outcome(leg: Leg) -> str:
    return leg.status.value if leg.status in (CallStatus.BUSY, CallStatus.FAILED) else "no-answer"


async def _first_joined(bridge: Bridge, ringing: set[asyncio.Future[Any]]) -> None:
    """Until somebody has picked up, or nobody is left who might."""
    while not bridge.joined.done() and ringing:
        done, _ = await asyncio.wait({bridge.joined, *ringing}, return_when=asyncio.FIRST_COMPLETED)
        ringing -= done


def _child(talk: Interpreter, verb: Element, noun: Element, document: Document) -> Leg:
    to = f"client:{noun.text}" if noun.tag == "Client" else noun.text
    leg = talk.exchange.new_leg(
        verb.get("callerId") or talk.leg.from_,
        to,
        "outbound-dial",
        parent_sid=talk.leg.sid,
        status=CallStatus.QUEUED,
    )
    if noun.get("statusCallback"):
        url = urljoin(document.url, noun.get("statusCallback"))
        events = noun.words("statusCallbackEvent", "completed")
        leg.callback = callback(url, noun.get("statusCallbackMethod") or "POST", events)
    return leg


async def _ring_child(
    talk: Interpreter, whisper: Target | None, bridge: Bridge, timeout_s: int
) -> CallStatus:
    """The called side: ring, hear the whisper, talk."""
    exchange, leg = talk.exchange, talk.leg
    exchange.progress(leg, "initiated")
    leg.status = CallStatus.RINGING
    exchange.progress(leg, "ringing")
    outcome = await ring(exchange, leg, timeout_s)
    if outcome is not CallStatus.IN_PROGRESS:
        exchange.end(leg, outcome)
        return outcome
    exchange.answered(leg)
    exchange.progress(leg, "answered")
    if whisper is not None:
        try:
            ending = await talk.follow(Course(whisper.url, whisper.method, {}, "dial.number.url"))
        except DocumentFailed:
            ending = Ending.HUNG_UP
        if ending is Ending.HUNG_UP:
            exchange.end(leg)
            return leg.status
    if bridge.joined.done():
        exchange.end(leg)
        return leg.status
    leg.bridge = bridge
    leg.stand(Stage.TALKING)
    bridge.join()
    await asyncio.wait({bridge.over})
    exchange.end(leg)
    return leg.status
