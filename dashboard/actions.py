"""What an agent can do, for the desk's buttons and the API alike. Each verb is one move of the line."""

from __future__ import annotations

from callbacks.turns import promise_of
from dashboard.auth import Who
from dashboard.problems import Problem
from dashboard.promise_views import CALLBACK_OUTCOMES
from dashboard.rooms import Rooms
from dashboard.scene import mark_held
from foundation.errors import Mendable
from queueing import journal
from queueing.presence import Presence
from queueing.records import AgentNow, ContactNow, Outcome
from queueing.states import ContactState

LONGEST_NOTE = 2_000
LONGEST_REASON = 80


def settle(outcome: Outcome) -> None:
    """Nothing when it was done, now or before. Raises Problem when it was not."""
    if outcome in (Outcome.DONE, Outcome.ALREADY):
        return
    if outcome is Outcome.GONE:
        raise Problem("not-found", "Nobody of that name is known to the line.")
    if outcome is Outcome.STALE:
        raise Problem("lost-race", "The contact has moved on since: it is not yours now.")
    raise Problem("not-now", "From where things stand, that cannot be done.")


# -- the agent's own state -------------------------------------------------------------------------------


async def go_ready(rooms: Rooms, who: Who, line: str = "") -> None:
    """Take contacts: on the ``line`` asked for ("softphone" or "phone"), else on the one that there is.

    Raises Mendable when the account has no queue, or there is nothing to ring.
    """
    account = who.account
    if not any(queue.name in account.skills for queue in rooms.policy.queues):
        raise Mendable("You serve no queue yet. An administrator gives you one on the admin page.")
    now_ms = rooms.clock.now_ms()
    agent = await rooms.roster.agent(who.agent)
    busy = agent is not None and agent.presence in (Presence.RESERVED, Presence.TALKING)
    where = agent.line if agent and busy else _line(rooms, who, line)
    await rooms.roster.sign_in(who.agent, name=who.name, skills=account.skills, line=where, now_ms=now_ms)
    settle(await rooms.roster.ready(who.agent, now_ms))


def _line(rooms: Rooms, who: Who, asked: str) -> str:
    if asked not in ("", "softphone", "phone"):
        raise Mendable("A line is 'softphone' or 'phone'.")
    softphone = rooms.softphone.kind != "none"
    if softphone and asked in ("", "softphone"):
        return "softphone"
    if who.account.phone and asked != "softphone":
        return who.account.phone
    raise Mendable("There is nothing to ring: no softphone is set up here, and you have no phone number.")


async def go_away(rooms: Rooms, who: Who, reason: str) -> None:
    """A break, at once or after the talk."""
    told = " ".join(reason.split())[:LONGEST_REASON] or rooms.reasons[0]
    settle(await rooms.roster.away(who.agent, told, rooms.clock.now_ms()))


async def go_off(rooms: Rooms, who: Who) -> None:
    """The end of work. Somebody who never began has ended already."""
    outcome = await rooms.roster.off(who.agent, rooms.clock.now_ms())
    if outcome is not Outcome.GONE:
        settle(outcome)


# -- the contact in hand -------------------------------------------------------------------------------


async def accept(rooms: Rooms, who: Who, contact: str, fence: int) -> None:
    """Yes to a caller, or to ringing back: then there is time until the merchant has picked up."""
    within_ms = rooms.office.policy.dial_ms if promise_of(contact) else None
    settle(await rooms.line.accept(contact, who.agent, fence, rooms.clock.now_ms(), within_ms))


async def decline(rooms: Rooms, who: Who, contact: str, fence: int) -> None:
    settle(await rooms.line.decline(contact, who.agent, fence, rooms.clock.now_ms()))


async def hold(rooms: Rooms, who: Who, contact: str, fence: int) -> None:
    """Music for the caller. The journal is asked; the call follows."""
    await _own(rooms, who, contact, fence, connected=True)
    await _ask(rooms, "held", who, contact, fence)
    await mark_held(rooms, contact, fence, on=True)


async def unhold(rooms: Rooms, who: Who, contact: str, fence: int) -> None:
    await _own(rooms, who, contact, fence, connected=True)
    await _ask(rooms, "unheld", who, contact, fence)
    await mark_held(rooms, contact, fence, on=False)


async def hang_up(rooms: Rooms, who: Who, contact: str, fence: int) -> None:
    """End the call, joined or still being joined."""
    await _own(rooms, who, contact, fence, connected=False)
    await _ask(rooms, "hang_up_asked", who, contact, fence)


async def transfer(rooms: Rooms, who: Who, contact: str, fence: int, queue: str) -> None:
    """To another queue, as old as it is. Raises Mendable for an unknown queue."""
    rooms.policy.queue(queue)
    await _own(rooms, who, contact, fence, connected=True)
    now_ms = rooms.clock.now_ms()
    settle(await rooms.line.transfer(contact, queue, None, now_ms, fence=fence))
    await mark_held(rooms, contact, fence, on=False)


async def wrap_up(
    rooms: Rooms, who: Who, contact: str, fence: int, outcome: str, note: str, disposition: str = ""
) -> None:
    """Write down how it ended, and be ready for the next, or at rest. A late note is still written.

    After a callback ``outcome`` says how the callback went, and ``disposition`` what a call's outcome does.
    """
    _known(outcome, CALLBACK_OUTCOMES if promise_of(contact) else rooms.outcomes, "outcome")
    if disposition:
        _known(disposition, rooms.outcomes, "disposition")
    agent = await rooms.roster.agent(who.agent)
    in_hand = agent is not None and (agent.contact, agent.fence) == (contact, fence)
    wrapping = agent is not None and in_hand and agent.presence is Presence.WRAP_UP
    if not wrapping:
        if in_hand:
            raise Problem("not-now", "The contact is not over yet.")
        now = await _contact(rooms, contact)
        if now.state is not ContactState.ENDED or (now.agent, now.fence) != (who.agent, fence):
            raise Problem("lost-race", "The contact has moved on since: it is not yours now.")
    text = " ".join(note.split())[:LONGEST_NOTE]
    told = {"outcome": disposition or outcome, **({"result": outcome} if promise_of(contact) else {})}
    await _ask(rooms, "note", who, contact, fence, **told, text=text)
    if agent is not None and wrapping:
        settle(await _at_rest(rooms, who, agent))


async def _at_rest(rooms: Rooms, who: Who, agent: AgentNow) -> Outcome:
    """What they asked for while they talked comes first, as when the time for the wrap-up runs out."""
    now_ms = rooms.clock.now_ms()
    if agent.after == "off":
        return await rooms.roster.off(who.agent, now_ms)
    if agent.after == "away":
        return await rooms.roster.away(who.agent, agent.reason, now_ms)
    return await rooms.roster.ready(who.agent, now_ms)


def _known(code: str, known: tuple[tuple[str, str], ...], what: str) -> None:
    if code not in [one for one, _ in known]:
        raise Mendable(f"There is no {what} {code!r}; there are {', '.join(one for one, _ in known)}.")


async def _ask(rooms: Rooms, kind: str, who: Who, contact: str, fence: int, **fields: str) -> None:
    agent = await rooms.roster.agent(who.agent)
    await journal.write(
        rooms.redis,
        rooms.line.keys,
        kind,
        at_ms=rooms.clock.now_ms(),
        contact=contact,
        agent=who.agent,
        queue=agent.queue if agent else "",
        fence=fence,
        **fields,
    )


async def _contact(rooms: Rooms, contact: str) -> ContactNow:
    now = await rooms.line.contact(contact)
    if now is None:
        raise Problem("not-found", "The line knows no such contact.")
    return now


async def _own(rooms: Rooms, who: Who, contact: str, fence: int, *, connected: bool) -> ContactNow:
    """The contact, when this agent has it by this reservation. Raises Problem when not."""
    now = await _contact(rooms, contact)
    if (now.agent, now.fence) != (who.agent, fence) or now.state is ContactState.ENDED:
        raise Problem("lost-race", "The contact has moved on since: it is not yours now.")
    if now.state is ContactState.CONNECTED or (not connected and now.accepted):
        return now
    raise Problem("not-now", "You and the caller have not met yet.")
