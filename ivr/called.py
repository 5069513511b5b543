"""The merchant's leg of a callback: we rang, and somebody picked up.

Nobody is connected who has not pressed 1, so that no agent talks to a machine. Two legs may ring by a mishap,
and the merchant may have rung in meanwhile: whoever takes the promise first has the conversation, and the
other leg is told so and hangs up. A merchant who is on the line while the agent is not waits there, first.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote, urlencode

from announcements import catalog, spoken
from announcements.catalog import Utterance
from callbacks import dialing, picking_up, promises, settling, wording
from callbacks.cards import card_of
from callbacks.office import Office
from callbacks.record import OPEN_WORDS
from callbacks.states import Mode, Result
from callbacks.tables import Attempt, Promise
from foundation.connections import answering
from ivr import connecting, endings, entering, slips, standing, twiml
from ivr.callers import Caller, fingerprint
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import Away, Visit, named_contact
from queueing.records import ContactNow, Entry
from queueing.states import ContactState, Disposition

T = TypeVar("T")

CONNECT_KEY, LATER_KEY, CANCEL_KEY = "1", "2", "3"
LATER_MIN = 30
PATIENCE = 3
"""So often a leg waits for SQL; then it hears that we are in trouble."""
ASKED = 3
"""So often the merchant is asked for a key; then a message is left, once."""
PAUSE_S = 5


async def answered(desk: Desk, visit: Visit) -> str:
    """``POST /voice/called``: somebody, or something, picked up."""
    found = await _find(desk, visit)
    if found is None:
        return await _again(desk, visit)
    office, attempt, promise = found
    ours = await visit.enrich(_ask(desk, dialing.answered(office, attempt.id, visit.contact, visit.now_ms)))
    if isinstance(ours, Away):
        return await _again(desk, visit)
    return _ask_for_key(desk, promise, attempt, 1) if ours else await _not_this_one(desk, visit, promise)


async def key(desk: Desk, visit: Visit) -> str:
    """``POST /voice/called/key``: a key, or silence."""
    found = await _find(desk, visit)
    if found is None:
        return await _again(desk, visit)
    office, attempt, promise = found
    asked = slips.whole(visit.query.get("asked", "")) or 1
    match visit.form.get("Digits", "") or visit.query.get("pressed", ""):
        case "1":
            return await _take(desk, visit, office, promise, attempt)
        case "2":
            due_ms = await visit.enrich(
                _ask(desk, picking_up.put_off(office, attempt.id, LATER_MIN, visit.now_ms))
            )
            return await _put_off(desk, visit, office, promise, due_ms)
        case "3":
            ended = await visit.enrich(_ask(desk, picking_up.call_no_more(office, attempt.id, visit.now_ms)))
            return await _cancelled(desk, visit, promise, ended)
    if asked < ASKED:
        return _ask_for_key(desk, promise, attempt, asked + 1)
    return await _leave_message(desk, visit, office, promise, attempt)


async def connect(desk: Desk, visit: Visit) -> str:
    """``POST /voice/called/connect``: an agent has come for the merchant who waits on the line."""
    slip, turn = slips.read(desk.centre, visit.query), named_contact(visit.query.get("turn", ""))
    if not turn:
        return _sorry(desk)
    return _meet(desk, visit, slip, turn, slips.whole(visit.query.get("fence", "")))


async def after(desk: Desk, visit: Visit) -> str:
    """``POST /voice/called/after``: the conference is over, or the agent is lost, or it is a transfer."""
    slip, turn = slips.read(desk.centre, visit.query), named_contact(visit.query.get("turn", ""))
    why = visit.query.get("why", "")
    now = await visit.enrich(desk.line.contact(turn) if why else _settle(desk, visit, turn))
    if visit.over:
        return twiml.answer(twiml.hang_up())
    if isinstance(now, Away):
        return _without_line(desk, visit, slip)
    if now is None or now.state is ContactState.ENDED:
        return await _turn_over(desk, visit, slip, now)
    if why == "transfer":
        slip = replace(slip, queue=now.queue, band=now.band)
        words = [
            catalog.voice(slip.language, "transfer", queue=catalog.name(slip.language, "queue", now.queue))
        ]
    else:  # once answered and in the line again, it was transferred: the redirect that follows says so
        words = [] if now.answered_ms and not why else _agent_gone(slip, now)
    return await _stay(desk, visit, slip, turn, now, words)


async def hold(desk: Desk, visit: Visit) -> str:
    """``POST /voice/called/hold``: music for a merchant who waits on the line for an agent."""
    slip, turn = slips.read(desk.centre, visit.query), named_contact(visit.query.get("turn", ""))
    now = await visit.enrich(desk.line.contact(turn))
    if not isinstance(now, Away) and (now is None or now.state is ContactState.ENDED):
        return await _turn_over(desk, visit, slip, now)
    clip = slips.whole(visit.query.get("clip", ""))
    return twiml.answer(twiml.play(desk.clip(clip)), twiml.redirect(_hold_url(desk, visit, slip, clip + 1)))


async def status(desk: Desk, visit: Visit) -> str:
    """``POST /voice/called/status``: the leg is over."""
    found = await _find(desk, visit) if visit.over else None
    if found is not None:
        await visit.enrich(_over(desk, visit, *found))
    return twiml.answer()


async def _over(desk: Desk, visit: Visit, office: Office, attempt: Attempt, promise: Promise) -> None:
    """Wherever the merchant stood, it is over: on the line like a caller, in a talk, or not reached."""
    live = await desk.line.contact(visit.contact)
    if live is not None:
        await endings.hang_up(desk, visit, Caller(promise.number, fingerprint(desk.secret, promise.number)))
    turn = await desk.line.contact(attempt.contact) if attempt.contact else None
    if attempt.call_sid == visit.contact and ((turn and turn.answered_ms) or (live and live.answered_ms)):
        await _talk_over(desk, visit, turn)
        # The journal may not be written down yet: nobody who was talked with counts as not reached.
        await _ask(desk, dialing.talked(office, attempt.id, visit.now_ms))
        return
    result = settling.RESULTS.get(visit.form.get("CallStatus", ""), Result.HUNG_UP)
    left_alone = turn is not None and not (turn.accepted and turn.fence == attempt.fence)
    if left_alone and promise.held_by == visit.contact:
        result = Result.AGENT_GONE
    await _ask(desk, dialing.over(office, attempt.id, result, visit.now_ms, visit.contact))
    if turn is not None and left_alone and turn.accepted and turn.state is ContactState.RESERVED:
        await desk.line.fail_join(turn.contact, visit.now_ms)  # who has come meanwhile, has come in vain


async def _talk_over(desk: Desk, visit: Visit, turn: ContactNow | None) -> None:
    if turn is not None and turn.state is ContactState.CONNECTED:
        await desk.line.finish(turn.contact, visit.now_ms)
    elif turn is not None and turn.state is not ContactState.ENDED:  # between two agents
        await desk.line.leave(turn.contact, Disposition.SET_ASIDE, visit.now_ms)


# --- onward -------------------------------------------------------------------------------------------------


async def _take(desk: Desk, visit: Visit, office: Office, promise: Promise, attempt: Attempt) -> str:
    """1 was pressed. Two must never talk with one merchant: without SQL nobody can say that this leg may."""
    taken = await visit.enrich(_ask(desk, picking_up.take(office, attempt.id, visit.contact, visit.now_ms)))
    if isinstance(taken, Away):
        return await _again(desk, visit)
    if not taken:
        return await _not_this_one(desk, visit, promise)
    return await _join(desk, visit, office, promise, attempt)


async def _join(desk: Desk, visit: Visit, office: Office, promise: Promise, attempt: Attempt) -> str:
    """To the agent who waits for the merchant; or, when there is none, first on the line."""
    slip = _slip(desk, promise)
    if attempt.mode == Mode.MERCHANT_FIRST:
        entry = await visit.enrich(dialing.join_line(office, attempt.id, visit.contact, visit.now_ms))
        if isinstance(entry, Entry) and entry.state is ContactState.ENDED:
            return entering.goodbye(desk, slip)
        return _enqueue(desk, visit, slip, "called_connecting")
    turn = await visit.enrich(desk.line.contact(attempt.contact))
    words = [catalog.voice(slip.language, "called_connecting")]
    if turn is None or isinstance(turn, Away):  # the agent may be in there, whatever the line can say
        return _meet(desk, visit, slip, attempt.contact, attempt.fence, *words)
    if turn.state is ContactState.ENDED:
        return await _turn_over(desk, visit, slip, turn)
    if turn.accepted and turn.fence == attempt.fence:
        return _meet(desk, visit, slip, turn.contact, turn.fence, *words)
    return await _stay(desk, visit, slip, turn.contact, turn, _agent_gone(slip, turn))


async def _stay(
    desk: Desk, visit: Visit, slip: Slip, turn: str, now: ContactNow, words: list[Utterance]
) -> str:
    """On the line, in the turn's place, until an agent comes; who may have come just now."""
    if now.accepted and now.state is ContactState.RESERVED:
        came = await visit.enrich(desk.legs.claim_bringing(turn, now.fence, "door"))
        if came is True:
            return _meet(desk, visit, slip, turn, now.fence, *words[:1])
    return twiml.answer(twiml.say_all(words), twiml.redirect(_hold_url(desk, visit, slip, 0, turn)))


async def _turn_over(desk: Desk, visit: Visit, slip: Slip, now: ContactNow | None) -> str:
    """The turn is over while the merchant is on the line. They talked: goodbye. Else, as long as we owe the
    call: into the line with this very call, at the ticket of the promise."""
    if now is not None and now.answered_ms:
        return entering.goodbye(desk, slip)
    found = await _find(desk, visit)
    if found is None or found[2].state not in OPEN_WORDS or found[2].held_by != visit.contact:
        return entering.goodbye(desk, slip)
    office, _, promise = found
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
    return _enqueue(desk, visit, slip, "called_agent_gone")


def _without_line(desk: Desk, visit: Visit, slip: Slip) -> str:
    """Redis is away. A long conference was a talk; after a short one the merchant is held, not lost."""
    if connecting.surely_talked(visit):
        return entering.goodbye(desk, slip)
    words = twiml.say(catalog.voice(slip.language, "holding"))
    return twiml.answer(words, twiml.redirect(_hold_url(desk, visit, slip, 0)))


def _enqueue(desk: Desk, visit: Visit, slip: Slip, words: str) -> str:
    return entering.enqueue(desk, slip, catalog.voice(slip.language, words), contact=visit.contact, owed=True)


async def _settle(desk: Desk, visit: Visit, turn: str) -> ContactNow | None:
    """The conference is over for the merchant, so the agent has gone. They had met: the talk is over. They
    had not: the turn is offered to somebody else, and the merchant hears it here."""
    now = await desk.line.contact(turn)
    fence = slips.whole(visit.query.get("fence", ""))
    if now is None or now.fence != fence:
        return now
    if now.state is ContactState.CONNECTED:
        await desk.line.finish(turn, visit.now_ms)
        return await desk.line.contact(turn)
    if visit.over or now.answered_ms:
        return now
    await desk.legs.note_back(turn, fence)
    if now.state is ContactState.RESERVED and now.accepted:
        await desk.line.fail_join(turn, visit.now_ms)
        return await desk.line.contact(turn)
    return now


def _agent_gone(slip: Slip, now: ContactNow) -> list[Utterance]:
    words = [catalog.voice(slip.language, "called_agent_gone")]
    if now.position == 1:
        words.append(catalog.voice(slip.language, "called_first"))
    return words


async def _leave_message(desk: Desk, visit: Visit, office: Office, promise: Promise, attempt: Attempt) -> str:
    """Nobody pressed a key: it is taken for a machine. A message is left once a promise."""
    first = await visit.enrich(_ask(desk, picking_up.unattended(office, attempt.id, visit.now_ms)))
    said = []
    if isinstance(first, str) and first and office.ours:
        language = _slip(desk, promise).language
        ours = spoken.in_pairs(office.ours[0], language)
        said = [catalog.voice(language, first, centre=desk.centre.name, ours=ours)]
    return twiml.answer(twiml.say_all(said), twiml.hang_up())


# --- words and parts ----------------------------------------------------------------------------------------


def _ask_for_key(desk: Desk, promise: Promise, attempt: Attempt, asked: int) -> str:
    here = desk.url(f"/voice/called/key?attempt={attempt.id}&asked={asked}")
    keys = ["called_press_one"] if asked == 1 else ["called_press_one", "called_later", "called_cancel"]
    language = _slip(desk, promise).language
    words = [catalog.voice(language, each) for each in keys]
    words.insert(0, catalog.voice(language, "called_greeting", centre=desk.centre.name))
    return twiml.answer(twiml.gather_key(here, twiml.say_all(words), timeout_s=PAUSE_S), twiml.redirect(here))


def carried(slip: Slip, attempt: str, turn: str) -> str:
    """What the URLs of a merchant's leg bring along, so that its doors need not ask SQL."""
    return f"{slip.query()}&attempt={quote(attempt, safe='')}&turn={turn}"


def _carried(visit: Visit, slip: Slip, turn: str = "") -> str:
    turn = turn or named_contact(visit.query.get("turn", ""))
    return carried(slip, visit.query.get("attempt", "")[:40], turn)


def _hold_url(desk: Desk, visit: Visit, slip: Slip, clip: int, turn: str = "") -> str:
    return desk.url(f"/voice/called/hold?{_carried(visit, slip, turn)}&clip={clip}")


def _meet(desk: Desk, visit: Visit, slip: Slip, turn: str, fence: int, *words: Utterance) -> str:
    over = desk.url(f"/voice/called/after?{_carried(visit, slip, turn)}&fence={fence}&since={visit.now_ms}")
    meeting = standing.into_conference(desk, turn, fence, slip.language, over)
    return twiml.answer(twiml.say_all(words), meeting)


def _slip(desk: Desk, promise: Promise) -> Slip:
    known = promise.language in desk.centre.languages
    return Slip(
        promise.language if known else desk.centre.language,
        merchant=promise.merchant_id or 0,
        topic=promise.topic,
        queue=promise.queue,
        band=promise.band,
    )


async def _not_this_one(desk: Desk, visit: Visit, promise: Promise) -> str:
    """Another call has the conversation; or nobody is to be called any more; or another call will come."""
    if found := await _find(desk, visit):
        promise = found[2]
    if promise.state not in OPEN_WORDS:
        return _done(desk, promise, "called_too_late")
    helped = promise.held_by or promise.live_contact
    return _done(desk, promise, "called_already" if helped else "already_kept")


async def _put_off(desk: Desk, visit: Visit, office: Office, promise: Promise, due_ms: int | Away) -> str:
    if isinstance(due_ms, Away):
        return await _again(desk, visit)
    if not due_ms:
        return await _not_this_one(desk, visit, promise)
    when = wording.at(promise.language, promise.time_zone or office.time_zone, due_ms, visit.now_ms)
    return _done(desk, promise, "promise_changed_window", when=when)


async def _cancelled(desk: Desk, visit: Visit, promise: Promise, ended: bool | Away) -> str:
    if isinstance(ended, Away):
        return await _again(desk, visit)
    if not ended:
        return await _not_this_one(desk, visit, promise)
    return _done(desk, promise, "promise_cancelled")


async def _again(desk: Desk, visit: Visit) -> str:
    """SQL does not say whose leg this is: asked again a few times, since somebody has picked up. However that
    ends, it is no try of theirs."""
    tried, named = slips.whole(visit.query.get("again", "")) + 1, visit.query.get("attempt", "")[:40]
    if desk.office and named:
        await visit.enrich(settling.note_trouble(desk.office, named))
    if tried > PATIENCE or not named:
        return _sorry(desk)
    pressed = visit.form.get("Digits", "") or visit.query.get("pressed", "")
    parts = {"attempt": named, "again": str(tried)}
    parts |= {"asked": visit.query["asked"][:2]} if "asked" in visit.query else {}
    parts |= {"pressed": pressed} if pressed in (CONNECT_KEY, LATER_KEY, CANCEL_KEY) else {}
    here = desk.url(f"{visit.path}?{urlencode(parts)}")
    words = twiml.say(catalog.voice(desk.centre.language, "trouble"))
    return twiml.answer(words, twiml.pause(2), twiml.redirect(here))


def _done(desk: Desk, promise: Promise, words: str, **values: str) -> str:
    said = [catalog.voice(_slip(desk, promise).language, words, **values)]
    if not words.startswith("called_"):
        said.append(catalog.voice(promise.language, "call_over", centre=desk.centre.name))
    return twiml.answer(twiml.say_all(said), twiml.hang_up())


def _sorry(desk: Desk) -> str:
    return twiml.answer(twiml.say(catalog.voice(desk.centre.language, "trouble_goodbye")), twiml.hang_up())


async def _find(desk: Desk, visit: Visit) -> tuple[Office, Attempt, Promise] | None:
    """The attempt this leg belongs to, by the URL that Twilio has signed; None when SQL does not say."""
    office, named = desk.office, visit.query.get("attempt", "")
    if office is None or not named or not visit.contact:
        return None
    found = await visit.enrich(_ask(desk, picking_up.look_up(office, named)))
    if isinstance(found, Away) or found is None:
        return None
    return office, *found


async def _ask(desk: Desk, work: Awaitable[T]) -> T:
    """One question to SQL behind its breaker. Raises Unavailable."""
    async with answering(desk.sql_breaker):
        return await work
