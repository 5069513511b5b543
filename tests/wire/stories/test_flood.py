"""Ten times as many calls as the agents can take, for ten minutes: everybody comes to an end on record.

The real doors and scripts, over HTTP, on a clock that moves when told. Most ring about an outage, which is
declared a minute after it began; the others ring as on any day, almost as many as the agents can take.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from drill.network.exchange import Phone
from drill.network.legs import Leg
from drill.network.timekeeping import pass_time
from queueing.names import is_turn
from queueing.presence import Presence
from queueing.states import Disposition
from queueing.tables import Contact
from surge.tables import FollowUp
from tests.faults.house import measured
from tests.wire.stage import ACCOUNT, OURS
from tests.wire.stories.centre import (
    ABOUT_THIS,
    HARDWARE,
    PAYMENTS,
    SOMETHING_ELSE,
    TEXT_ME,
    Centre,
    open_centre,
)

WHOLE = bool(os.environ.get("SURGELINE_FAULTS"))
"""All of it takes minutes: ``make faults``. The suite has a fifth."""
AGENTS = 10 if WHOLE else 2
TALK_S, STEP_S, LOOK_S = 58, 2, 20
FLOOD_S, KNOWN_S = 600, 60
PER_S = 10 * AGENTS / 60
"""Ten times what they can take, at a call a minute each."""
OFFERED = round(PER_S * FLOOD_S)
PLACES = 20 * AGENTS
AREAS = (206, 212, 303, 312, 404, 415, 503, 602, 702, 713)
"""Texts and callbacks are limited by block of numbers: a crowd rings from everywhere."""
STATUS = "Card payments fail on Register."
CALL_ME = {"when": "To be called back and keep your place", "digits": "2"}
CONFIRMED = [{"when": words, "digits": "1"} for words in ("If that is right, press 1", "May we text you")]
MATCHED: dict[str, tuple[float, dict[str, Any]]] = {
    "text": (62, {"presses": [ABOUT_THIS, TEXT_ME]}),
    "callback": (4, {"presses": [ABOUT_THIS, CALL_ME, *CONFIRMED]}),
    "line": (5, {"presses": [ABOUT_THIS]}),
    "something else": (2, {"presses": [SOMETHING_ELSE, PAYMENTS]}),
    "has heard it": (20, {"hang_up": {"when": STATUS, "after_s": 3}}),
    "at once": (7, {"hang_up": {"after_s": 3}}),
}
"""What those do who ring about it, and how many of a hundred."""
OTHERS = {"presses": [SOMETHING_ELSE, HARDWARE], "patience_s": 480}


@dataclass
class Call:
    leg: Leg
    script: dict[str, Any]
    kind: str
    matched: bool
    at_s: int
    seen: bool = False


class Crowd:
    """Every twelfth rings about something else; some are strangers, some hide their number, some ring from
    landlines; a third of those who lose patience ring again."""

    def __init__(self, centre: Centre) -> None:
        self.centre, self.dice, self.calls = centre, random.Random(7), list[Call]()

    def ring(self, n: int, at_s: int) -> None:
        matched = n % 12 != 0
        shares = [share for share, _ in MATCHED.values()]
        kind = self.dice.choices(list(MATCHED), shares)[0] if matched else "others"
        script = {"patience_s": 200, **MATCHED[kind][1]} if matched else OTHERS
        number = "anonymous" if n % 50 == 2 else number_of(n)
        phones = self.centre.network.exchange.phones
        if n % 30 == 3:
            phones[number] = Phone(text_error=30006)
        if kind == "callback":
            phones[number] = Phone(script={"presses": [{"when": "to be connected", "digits": "1"}]})
        self._ring(number, script, kind, matched, at_s)

    def ring_again(self, at_s: int) -> None:
        """A third of those whose patience is over since the last look."""
        for call in [call for call in self.calls if call.leg.ended and not call.seen]:
            call.seen = True
            gave_up = call.leg.heard[-1].text == "you hang up" and call.kind in ("text", "line", "others")
            if gave_up and self.dice.random() < 1 / 3:
                self._ring(call.leg.from_, call.script, call.kind, call.matched, at_s)

    def _ring(self, number: str, script: dict[str, Any], kind: str, matched: bool, at_s: int) -> None:
        leg = self.centre.network.switchboard.ring_in(number, OURS, script=script)
        self.calls.append(Call(leg, script, kind, matched, at_s))


class Staff:
    """Agents who say yes, talk for a minute, and are ready again."""

    def __init__(self, centre: Centre) -> None:
        self.centre, self.legs = centre, dict[str, tuple[Leg, int]]()

    async def comes(self) -> None:
        for index in range(AGENTS):
            await self.centre.works(f"agent{index}")

    async def acts(self) -> None:
        centre = self.centre
        now_ms = centre.clock.now_ms()
        for agent in await centre.desk.roster.agents():
            if agent.presence is Presence.RESERVED and agent.contact:
                dial = (centre.office.policy.dial_ms,) if is_turn(agent.contact) else ()
                await centre.desk.line.accept(agent.contact, agent.agent, agent.fence, now_ms, *dial)
                params = {"contact": agent.contact, "fence": str(agent.fence)}
                leg = centre.network.switchboard.connect_client(agent.agent, ACCOUNT.app_sid, params)
                self.legs[agent.agent] = (leg, now_ms)
            elif agent.presence is Presence.TALKING and agent.agent in self.legs:
                leg, since_ms = self.legs[agent.agent]
                if now_ms - since_ms > TALK_S * 1000 and not leg.ended:
                    await centre.hangs_up(leg)
            elif agent.presence in (Presence.WRAP_UP, Presence.AWAY):
                await centre.desk.roster.ready(agent.agent, now_ms)


def number_of(n: int) -> str:
    return f"+1{AREAS[n % 10]}555{n // 10:04}"


def merchants() -> str:
    def lines() -> Iterator[str]:
        yield "name,numbers,product"
        for n in range(OFFERED):
            if n % 25 != 1:
                yield f"Shop {n},{number_of(n)},{'Register' if n % 12 else 'Scanner'}"

    return "\n".join(lines()) + "\n"


async def flood(centre: Centre) -> Crowd:
    crowd, staff, second, came = Crowd(centre), Staff(centre), 0, 0
    await staff.comes()
    while second < FLOOD_S or not all(call.leg.ended for call in crowd.calls):
        assert second < 4 * FLOOD_S, "somebody is still on the line"
        if second == KNOWN_S:
            await centre.lead.declares("Card payments", STATUS, products="Register", severity="critical")
            await centre.lead.sets_level(2)
        while second < FLOOD_S and came < PER_S * (second + STEP_S):
            crowd.ring(came, second)
            came += 1
        await pass_time(centre.network.exchange, centre.clock, STEP_S * 1000)
        await centre.desk.line.expire(centre.clock.now_ms())
        await staff.acts()
        await centre.settles()
        if second % LOOK_S == 0:
            crowd.ring_again(second)
            await centre.keeps()
        second += STEP_S
    await centre.keeps()
    return crowd


@pytest.mark.timeout(900)
async def test_everybody_comes_to_an_end_on_record(redis, sql, clock, tmp_path):
    began_s = time.process_time()
    async with open_centre(redis, sql, clock, tmp_path / "data", merchants(), places=PLACES) as centre:
        crowd = await flood(centre)
        calls, exchange = crowd.calls, centre.network.exchange
        contacts = {row.contact: row for row in await centre.rows(Contact) if not is_turn(row.contact)}
        rows = {row.id: row for row in await centre.rows(FollowUp)}
        outcomes = Counter(contacts[call.leg.sid].disposition for call in calls)
        by_kind = {
            kind: dict(Counter(contacts[call.leg.sid].disposition for call in calls if call.kind == kind))
            for kind in sorted({call.kind for call in calls})
        }
        took_s = time.process_time() - began_s
        measured(f"{len(calls)} calls, {dict(outcomes)}, {took_s:.0f} s of CPU; {by_kind}")

        # One recorded outcome each, and they add up to the calls offered.
        assert len(calls) >= OFFERED
        assert set(contacts) == {call.leg.sid for call in calls}
        assert set(outcomes) <= set(Disposition)
        told = await centre.tally()
        assert (told.offered, told.missing, told.under_way) == (len(calls), 0, 0)
        assert told.answered + told.promised + told.short + told.followed_up == len(calls)

        # The ledger holds every call that was not answered.
        served = {Disposition.ANSWERED.value, Disposition.PROMISED.value}
        unserved = {name for name, row in contacts.items() if row.disposition not in served}
        assert len(unserved - set(rows)) == told.short
        assert set(rows) >= {name for name in unserved if contacts[name].disposition != Disposition.ABANDONED}

        # Nobody got an error, or heard of one.
        assert sum(door.bad for door in exchange.ledger.webhooks.values()) == 0
        assert not [call for call in calls if "trouble on our side" in centre.heard_by(call.leg)]

        # Who matches hears the status within 15 s of the answer; who does not never hears it.
        for call in calls:
            if call.matched and call.at_s > KNOWN_S and call.kind != "at once":
                assert centre.after_s(call.leg, STATUS) < 15, centre.heard_by(call.leg)
        strangers = {number_of(n) for n in range(OFFERED) if n % 25 == 1} | {"anonymous"}
        others = [call for call in calls if not call.matched and call.leg.from_ not in strangers]
        assert not [call for call in others if STATUS in centre.heard_by(call.leg)]

        # Who rings about something else is served as on any day.
        answered = [call for call in others if contacts[call.leg.sid].disposition == Disposition.ANSWERED]
        assert len(answered) > 0.8 * len(others), by_kind
