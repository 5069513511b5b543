"""The plain verbs: Say, Play, Pause, Redirect, Hangup, Reject, Leave."""

from __future__ import annotations

from drill.network.clips import clip_ms
from drill.network.interpreter import Ending, Interpreter, Step, absolute, performs
from drill.network.legs import CallStatus
from drill.network.strictness import Document, Element

FOREVER = 1000
"""``loop="0"`` is a thousand times."""


@performs("Say")
async def say(talk: Interpreter, verb: Element, document: Document) -> Step:
    language = verb.get("language") or _language_of(verb.get("voice")) or "en-US"
    for _ in range(verb.whole("loop", 1) or FOREVER):
        if await talk.say(verb.text, language):
            break
    return Ending.NEXT


@performs("Play")
async def play(talk: Interpreter, verb: Element, document: Document) -> Step:
    if verb.get("digits"):
        talk.hear("play", f"keys {verb.get('digits')}")
        await talk.pause(500 * len(verb.get("digits")))
        return Ending.NEXT
    url = absolute(document, verb.text)
    ms = await clip_ms(talk.exchange, talk.leg, url)
    for _ in range(verb.whole("loop", 1) or FOREVER):
        talk.hear("play", url, "", ms)
        if await talk.pause(ms):
            break
    return Ending.NEXT


@performs("Pause")
async def pause(talk: Interpreter, verb: Element, document: Document) -> Step:
    ms = verb.whole("length", 1) * 1000
    talk.hear("pause", "", "", ms)
    await talk.pause(ms)
    return Ending.NEXT


@performs("Redirect")
async def redirect(talk: Interpreter, verb: Element, document: Document) -> Step:
    return talk.course(document, verb.text, verb.get("method"))


@performs("Hangup")
async def hang_up(talk: Interpreter, verb: Element, document: Document) -> Step:
    talk.note("the other end hangs up")
    return Ending.HUNG_UP


@performs("Reject")
async def reject(talk: Interpreter, verb: Element, document: Document) -> Step:
    """Declined without being answered: the caller hears the busy tone, or that the number is not in use."""
    busy = verb.get("reason") == "busy"
    talk.note("busy tone" if busy else "the number is not in service")
    talk.exchange.end(talk.leg, CallStatus.BUSY if busy else CallStatus.NO_ANSWER)
    return Ending.HUNG_UP


@performs("Leave")
async def leave(talk: Interpreter, verb: Element, document: Document) -> Step:
    """Out of the queue. A call that is in none just goes on without the rest of its document."""
    return Ending.LEFT


def _language_of(voice: str) -> str:
    """``Google.es-US-Standard-A`` speaks es-US."""
    parts = voice.removeprefix("Google.").split("-")
    return "-".join(parts[:2]) if voice.startswith("Google.") else ""
