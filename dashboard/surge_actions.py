"""What leads do to levels and incidents, for the console and the API alike."""

from __future__ import annotations

from dashboard.auth import Who
from dashboard.drafts import Typed, checked_kind, checked_scope, checked_state
from dashboard.floor import Floor
from dashboard.problems import Problem
from dashboard.surge_views import LEVEL_WORDS
from foundation.errors import Mendable
from surge import incidents, suggestions, switch
from surge.incidents import NewIncident, Post
from surge.matching import Scope
from surge.office import Conflict
from surge.states import Level, Match
from surge.suggestions import Suggestion
from surge.tables import Incident

LONGEST_REASON = 160


async def set_level(floor: Floor, who: Who, level: int, seen: int | None, reason: str = "") -> None:
    """``seen``: the level that the page showed. Raises Conflict when another person has changed it since."""
    rooms = floor.rooms
    now_ms = rooms.clock.now_ms()
    there = level_of(level)
    if seen is not None:
        state = await switch.state(rooms.surge)
        here = switch.in_force(state, now_ms)
        if here is not level_of(seen) and here is not there:
            what = LEVEL_WORDS[here].lower()
            raise Conflict(f"{state.set_by} has set the level to {what}.", state.set_by, what)
        if here is there and here is Level.CALM:
            return
    told = " ".join(reason.split())[:LONGEST_REASON]
    await switch.set_level(rooms.surge, there, who.agent, now_ms, reason=told)


def level_of(number: int) -> Level:
    """Raises Mendable for a level that there is not."""
    try:
        return Level(number)
    except ValueError:
        raise Mendable(f"A level is 0 to {max(Level).value}.") from None


async def second(floor: Floor, who: Who, *, agree: bool) -> None:
    """The second person's yes or no to closing the line."""
    rooms = floor.rooms
    now_ms = rooms.clock.now_ms()
    if agree:
        await switch.confirm_second(rooms.surge, who.agent, now_ms)
    else:  # the level in force is renewed, and the question is gone
        await switch.set_level(rooms.surge, Level.SURGE, who.agent, now_ms, reason="not closed")


async def undo(floor: Floor, who: Who) -> None:
    await switch.undo(floor.rooms.surge, who.agent, floor.rooms.clock.now_ms())


async def renew(floor: Floor, who: Who) -> None:
    await switch.renew(floor.rooms.surge, who.agent, floor.rooms.clock.now_ms())


async def set_mode(floor: Floor, who: Who, mode: str) -> None:
    await switch.set_mode(floor.rooms.surge, mode, who.agent, floor.rooms.clock.now_ms())


# -- incidents -------------------------------------------------------------------------------------------


async def declare(floor: Floor, who: Who, told: Typed) -> Incident:
    """Raises Mendable for what does not fit, a scope that touches nobody we know among it."""
    rooms = floor.rooms
    now_ms = rooms.clock.now_ms()
    checked_kind(told)
    scope = await checked_scope(floor, told)
    await reaches_somebody(floor, scope)
    suggested = ""
    if told.suggestion:
        found = [each for each in await suggestions.open_now(rooms.sql, now_ms) if each.id == told.suggestion]
        suggested = found[0].source if found else ""
    new = NewIncident(
        title=told.title,
        words=told.kept_words(),
        severity=told.severity,
        scope=scope.packed(),
        audience=told.audience,
        do=told.do,
        dont=told.dont,
        topic=" ".join(told.topic.split())[:64],
        next_update_ms=told.next_update_ms(now_ms),
        eta_ms=told.eta_ms(now_ms),
        eta_source=told.source(),
        suggested_by=suggested,
    )
    row = await incidents.declare(rooms.surge, new, who.agent, now_ms)
    if suggested:
        await suggestions.answer(rooms.sql, told.suggestion, who.agent, now_ms, accepted=True)
    return row


async def reaches_somebody(floor: Floor, scope: Scope) -> None:
    """Raises Mendable when there are merchants, and it touches none of them and may touch none."""
    counts = await floor.directory.reach(scope)
    if sum(counts.values()) and not counts[Match.MATCH] + counts[Match.MAYBE]:
        raise Mendable("The scope touches none of the merchants we know. Look at its words, or widen it.")


async def post_update(floor: Floor, who: Who, told: Typed) -> Incident:
    """Raises Mendable, Conflict (who, and what they said), IllegalMove."""
    rooms = floor.rooms
    now_ms = rooms.clock.now_ms()
    post = Post(
        words=told.kept_words(),
        state=checked_state(told),
        do=told.do,
        dont=told.dont,
        next_update_ms=told.next_update_ms(now_ms),
        eta_ms=told.eta_ms(now_ms),
        eta_source=told.source() or None,
        no_news=told.no_news,
    )
    await known(floor, told.incident)
    return await incidents.post_update(rooms.surge, told.incident, post, told.version, who.agent, now_ms)


async def edit_scope(floor: Floor, who: Who, told: Typed) -> Incident:
    await known(floor, told.incident)
    scope = await checked_scope(floor, told)
    await reaches_somebody(floor, scope)
    rooms = floor.rooms
    now_ms = rooms.clock.now_ms()
    return await incidents.edit_scope(
        rooms.surge, told.incident, scope.packed(), told.version, who.agent, now_ms
    )


async def reopen(floor: Floor, who: Who, incident: str, version: int) -> Incident:
    await known(floor, incident)
    return await incidents.reopen(floor.rooms.surge, incident, version, who.agent, floor.rooms.clock.now_ms())


async def known(floor: Floor, incident: str) -> Incident:
    """Raises Problem when there is none of that name."""
    row = await incidents.get(floor.rooms.surge, incident)
    if row is None:
        raise Problem("not-found", "There is no such incident.")
    return row


async def answer(floor: Floor, who: Who, suggestion: int, *, accepted: bool) -> Suggestion:
    """A level that is suggested is set with its yes, or renewed; an incident is declared by a person, in
    words of theirs.

    Raises Mendable, Conflict when somebody has answered it.
    """
    rooms = floor.rooms
    now_ms = rooms.clock.now_ms()
    found = await suggestions.answer(rooms.sql, suggestion, who.agent, now_ms, accepted=accepted)
    if accepted and found.level is not None:
        await switch.set_level(rooms.surge, found.level, who.agent, now_ms, reason=found.why[:LONGEST_REASON])
    return found
