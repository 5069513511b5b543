"""The merchant's leg of a callback: we rang, and somebody picked up.

Nobody is connected who has not pressed 1, so that no agent talks to a machine. Two legs may ring by a mishap,
and the merchant may have rung in meanwhile: whoever takes the promise first has the conversation, and the
other leg is told so and hangs up. A merchant who is on the line while the agent is not waits there, first.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from announcements import catalog, spoken
from announcements.catalog import Utterance
from callbacks import dialing, promises, telling
from callbacks.cards import card_of
from callbacks.office import Office
from callbacks.states import Mode, Result
from callbacks.tables import Attempt, Promise
from foundation.connections import answering
from ivr import endings, entering, slips, standing, twiml
from ivr.callers import Caller, fingerprint
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import Away, Visit
from queueing.records import ContactNow, Entry
from queueing.states import ContactState

T = TypeVar("T")

CONNECT_KEY, LATER_KEY, CANCEL_KEY = "1", "2", "3"
LATER_MIN = 30
ASKED = 3
"""So often the merchant is asked for a key; then a message is left, once."""
PAUSE_S = 5

RESULTS = {"busy": Result.BUSY, "no-answer": Result.NO_ANSWER, "failed": Result.FAILED}
"""How a leg that nobody picked up ended, in Twilio's words and in ours; any other was hung up."""


async def answered(desk: Desk, visit: Visit) -> str:
    """``POST /voice/called``: somebody, or something, picked up."""
    found = await _find(desk, visit)
    if found is None:
        return _sorry(desk)
    office, attempt, promise = found
    ours = await visit.enrich(_ask(desk, dialing.answered(office, attempt.id, visit.contact, visit.now_ms)))
    if ours is not True:
        return _too_late(desk, promise)
    return _ask_for_key(desk, promise, attempt, 1)


async def key(desk: Desk, visit: Visit) -> str:
    """``POST /voice/called/key``: a key, or silence."""
    found = await _find(desk, visit)
    if found is None:
        return _sorry(desk)
    office, attempt, promise = found
    asked = slips.whole(visit.query.get("asked", "")) or 1
    match visit.form.get("Digits", ""):
        case "1":
            taken = await visit.enrich(
                _ask(desk, dialing.take(office, attempt.id, visit.contact, visit.now_ms))
            )
            # Two must never talk with one merchant: without SQL nobody can say that this leg is the one.
            return await _join(desk, visit, office, promise, attempt) if taken is True else _already(promise)
        case "2":
            changed = await visit.enrich(
                _ask(desk, telling.put_off(office, attempt.id, LATER_MIN, visit.now_ms))
            )
            return _done(desk, promise, "promise_changed_turn" if changed is True else "promise_trouble")
        case "3":
            ended = await visit.enrich(_ask(desk, telling.call_no_more(office, attempt.id, visit.now_ms)))
            return _done(desk, promise, "promise_cancelled" if ended is True else "promise_trouble")
    if asked < ASKED:
        return _ask_for_key(desk, promise, attempt, asked + 1)
    return await _leave_message(desk, visit, office, promise, attempt)


async def connect(desk: Desk, visit: Visit) -> str:
    """``POST /voice/called/connect``: an agent has come for the merchant who waits on the line."""
    found = await _find(desk, visit)
    if found is None:
        return _sorry(desk)
    _, attempt, promise = found
    fence = slips.whole(visit.query.get("fence", ""))
    return twiml.answer(_conference(desk, promise, attempt, fence))


async def after(desk: Desk, visit: Visit) -> str:
    """``POST /voice/called/after``: the conference is over, or the agent is lost, or it is a transfer."""
    found = await _find(desk, visit)
    if found is None or visit.over:
        return twiml.answer(twiml.hang_up())
    office, attempt, promise = found
    now = await visit.enrich(_settle(desk, visit, attempt))
    slip = _slip(desk, promise)
    if visit.query.get("why") == "transfer" or (isinstance(now, ContactNow) and _waits_again(now)):
        return _hold(desk, promise, attempt, *_why_held(slip, visit, now))
    if isinstance(now, ContactNow) and now.answered_ms:
        return entering.goodbye(desk, slip)
    return await _wait_first(desk, visit, office, promise, "called_agent_gone")


async def hold(desk: Desk, visit: Visit) -> str:
    """``POST /voice/called/hold``: music for a merchant between two agents."""
    found = await _find(desk, visit)
    if found is None:
        return twiml.answer(twiml.play(desk.clip(0)), twiml.redirect(_here(desk, visit, 1)))
    _, attempt, promise = found
    now = await visit.enrich(desk.line.contact(attempt.contact))
    if isinstance(now, ContactNow) and now.state is ContactState.ENDED:
        return entering.goodbye(desk, _slip(desk, promise))
    clip = slips.whole(visit.query.get("clip", ""))
    return twiml.answer(twiml.play(desk.clip(clip)), twiml.redirect(_here(desk, visit, clip + 1)))


async def status(desk: Desk, visit: Visit) -> str:
    """``POST /voice/called/status``: the leg is over."""
    found = await _find(desk, visit) if visit.over else None
    if found is not None:
        await visit.enrich(_over(desk, visit, *found))
    return twiml.answer()


async def _over(desk: Desk, visit: Visit, office: Office, attempt: Attempt, promise: Promise) -> None:
    """Wherever the merchant's side stood, it is over: on the line like a caller, in a talk, or not reached."""
    if await desk.line.contact(visit.contact) is not None:
        await endings.hang_up(desk, visit, Caller(promise.number, fingerprint(desk.secret, promise.number)))
    turn = await desk.line.contact(attempt.contact) if attempt.contact else None
    if turn is not None and turn.state is ContactState.CONNECTED and attempt.call_sid == visit.contact:
        await desk.line.finish(attempt.contact, visit.now_ms)
    result = RESULTS.get(visit.form.get("CallStatus", ""), Result.HUNG_UP)
    await _ask(desk, dialing.over(office, attempt.id, result, visit.now_ms, visit.contact))


# --- onward -------------------------------------------------------------------------------------------------


async def _join(desk: Desk, visit: Visit, office: Office, promise: Promise, attempt: Attempt) -> str:
    """To the agent who waits for the merchant; or, when there is none, first on the line."""
    if attempt.mode == Mode.MERCHANT_FIRST:
        entry = await visit.enrich(dialing.join_line(office, attempt.id, visit.contact, visit.now_ms))
        if isinstance(entry, Entry) and entry.state is ContactState.ENDED:
            return entering.goodbye(desk, _slip(desk, promise))
        return _enqueue(desk, visit, promise, "called_connecting")
    turn = await visit.enrich(desk.line.contact(attempt.contact))
    if isinstance(turn, ContactNow) and turn.fence == attempt.fence and turn.accepted:
        words = catalog.voice(promise.language, "called_connecting")
        return twiml.answer(twiml.say(words), _conference(desk, promise, attempt, attempt.fence))
    return await _wait_first(desk, visit, office, promise, "called_agent_gone")


async def _wait_first(desk: Desk, visit: Visit, office: Office, promise: Promise, words: str) -> str:
    """Into the line with this call, at the ticket of the promise: whoever is free next takes it."""
    caller = Caller(promise.number, fingerprint(desk.secret, promise.number))
    await visit.enrich(
        promises.came_back(
            office,
            promise,
            visit.contact,
            queue=promise.queue,
            band=promise.band,
            card=card_of(promise),
            caller_key=caller.key,
            now_ms=visit.now_ms,
        )
    )
    return _enqueue(desk, visit, promise, words)


def _enqueue(desk: Desk, visit: Visit, promise: Promise, words: str) -> str:
    slip = _slip(desk, promise)
    return entering.enqueue(desk, slip, catalog.voice(slip.language, words), contact=visit.contact)


async def _settle(desk: Desk, visit: Visit, attempt: Attempt) -> ContactNow | None:
    """The conference is over for the merchant. They had met, and it was no transfer: the talk is over."""
    now = await desk.line.contact(attempt.contact)
    fence = slips.whole(visit.query.get("fence", "")) or attempt.fence
    if now is not None and now.state is ContactState.CONNECTED and now.fence == fence:
        await desk.line.finish(attempt.contact, visit.now_ms)
        return await desk.line.contact(attempt.contact)
    return now


def _waits_again(now: ContactNow) -> bool:
    """Once answered and in the line again, it was transferred."""
    return bool(now.answered_ms) and now.state in (ContactState.WAITING, ContactState.RESERVED)


def _why_held(slip: Slip, visit: Visit, now: ContactNow | Away | None) -> list[Utterance]:
    queue = now.queue if isinstance(now, ContactNow) else slip.queue
    return [catalog.voice(slip.language, "transfer", queue=catalog.name(slip.language, "queue", queue))]


def _hold(desk: Desk, promise: Promise, attempt: Attempt, *words: Utterance) -> str:
    onward = desk.url(f"/voice/called/hold?attempt={attempt.id}")
    return twiml.answer(twiml.say_all(words), twiml.redirect(onward))


def _here(desk: Desk, visit: Visit, clip: int) -> str:
    return desk.url(f"/voice/called/hold?attempt={visit.query.get('attempt', '')[:40]}&clip={clip}")


async def _leave_message(desk: Desk, visit: Visit, office: Office, promise: Promise, attempt: Attempt) -> str:
    """Nobody pressed a key: it is taken for a machine. A message is left once a promise."""
    first = await visit.enrich(_ask(desk, telling.unattended(office, attempt.id, visit.now_ms)))
    said = []
    if isinstance(first, str) and first and office.ours:
        ours = spoken.in_pairs(office.ours[0], promise.language)
        said = [catalog.voice(promise.language, first, centre=desk.centre.name, ours=ours)]
    return twiml.answer(twiml.say_all(said), twiml.hang_up())


# --- words and parts ----------------------------------------------------------------------------------------


def _ask_for_key(desk: Desk, promise: Promise, attempt: Attempt, asked: int) -> str:
    here = desk.url(f"/voice/called/key?attempt={attempt.id}&asked={asked}")
    keys = ["called_press_one"] if asked == 1 else ["called_press_one", "called_later", "called_cancel"]
    words = [catalog.voice(promise.language, each) for each in keys]
    words.insert(0, catalog.voice(promise.language, "called_greeting", centre=desk.centre.name))
    return twiml.answer(
        twiml.gather_key(here, twiml.say_all(words), timeout_s=PAUSE_S), twiml.redirect(here)
    )


def _conference(desk: Desk, promise: Promise, attempt: Attempt, fence: int) -> str:
    over = desk.url(f"/voice/called/after?attempt={attempt.id}&fence={fence}")
    return standing.into_conference(desk, attempt.contact, fence, promise.language, over)


def _slip(desk: Desk, promise: Promise) -> Slip:
    known = promise.language in desk.centre.languages
    return Slip(
        promise.language if known else desk.centre.language,
        merchant=promise.merchant_id or 0,
        topic=promise.topic,
        queue=promise.queue,
        band=promise.band,
    )


def _already(promise: Promise) -> str:
    return twiml.answer(twiml.say(catalog.voice(promise.language, "called_already")), twiml.hang_up())


def _too_late(desk: Desk, promise: Promise) -> str:
    return _done(desk, promise, "called_too_late")


def _done(desk: Desk, promise: Promise, words: str) -> str:
    said = [catalog.voice(promise.language, words)]
    if words != "called_too_late":
        said.append(catalog.voice(promise.language, "call_over", centre=desk.centre.name))
    return twiml.answer(twiml.say_all(said), twiml.hang_up())


def _sorry(desk: Desk) -> str:
    return twiml.answer(twiml.say(catalog.voice(desk.centre.language, "trouble_goodbye")), twiml.hang_up())


async def _find(desk: Desk, visit: Visit) -> tuple[Office, Attempt, Promise] | None:
    """The attempt this leg belongs to, by the URL that Twilio has signed; None when SQL does not say."""
    office, named = desk.office, visit.query.get("attempt", "")
    if office is None or not named or not visit.contact:
        return None
    found = await visit.enrich(_ask(desk, dialing.look_up(office, named)))
    if isinstance(found, Away) or found is None:
        return None
    return office, *found


async def _ask(desk: Desk, work: Awaitable[T]) -> T:
    """One question to SQL behind its breaker. Raises Unavailable."""
    async with answering(desk.sql_breaker):
        return await work
