"""How a headless demo went: what became of every call, and what went wrong."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
from sqlmodel import col, func, select

from callbacks.tables import Attempt
from carrier.tables import Text
from foundation.clock import SystemClock, monotonic_s
from foundation.connections import Sql
from foundation.errors import Unavailable
from processes.opening import Stores, opened
from processes.promised import Owed, owed
from processes.settings import Settings
from queueing.names import TURN_PREFIX
from queueing.states import Disposition
from queueing.tables import Contact, ContactEvent
from surge import followups
from surge.tables import FollowUp

DRAIN_S = 15.0
LOOK_MS = 200
EVER_MS = 10**15
OUTCOMES = ("ended", "turned_away")
"""The events that record what became of a call."""


async def judge(settings: Settings, product: str, double: str, logs: Path) -> dict[str, Any]:
    """The demo's figures, once the record has caught up with every call that is over.

    ``lost`` counts calls that are over and do not have exactly one recorded outcome, promises that have
    vanished: neither open and in their place, nor ended by somebody, and calls that were not answered and are
    not in the ledger. ``texted`` counts texts about an incident that were sent, ``followed_up`` and ``open``
    the rows of the ledger with an end and without. ``errors`` sums up breaches of Twilio's contract, answers
    of 5xx and lines logged as errors. A 503 is none: it says that a store did not answer in time, and asks to
    be asked again; a machine too busy for the demo makes them.
    """
    since_ms = origin_ms(settings)
    async with httpx2.AsyncClient(timeout=10.0) as client:
        over, active = await _calls(client, double, logs)
        async with opened(settings) as stores:
            lost = await _drained(stores.sql, over)
            owing = await _settled(stores)
            outcomes = await _outcomes(stores.sql, since_ms)
            ledger = await _ledger(stores.sql, since_ms)
        breaches = (await client.get(f"{double}/_double/violations")).json()
        figures = (await client.get(f"{product}/metrics")).text
    wrong = {
        "violations": breaches["count"],
        "http_5xx": _answers(figures, "5xx"),
        "logged_errors": logged_errors(logs),
        "refused_agents": _report(logs).get("agents", {}).get("errors", 0),
    }
    counted = {disposition.value: outcomes[disposition.value] for disposition in Disposition}
    waiting = outcomes["waiting"]
    return {
        "offered": sum(counted.values()) + outcomes["connected"] + waiting,
        **counted,
        "answered": counted["answered"] + outcomes["connected"],
        "waiting": waiting,
        "calls": len(over) + active,
        "lost": len(lost) + len(owing.vanished) + ledger["missing"],
        "lost_calls": lost,
        **ledger,
        "promises": owing.shown(),
        "errors": sum(wrong.values()),
        **wrong,
        "http_503": _answers(figures, "503"),
        "violation_kinds": dict(Counter(breach["kind"] for breach in breaches["violations"])),
        "agents": _report(logs).get("agents", {}),
        "callers": _report(logs).get("callers", {}),
    }


async def _calls(client: httpx2.AsyncClient, double: str, logs: Path) -> tuple[list[str], int]:
    """The calls that rang in and are over, and how many are not."""
    rang = set(_report(logs).get("sids", []))
    listed = (await client.get(f"{double}/_double/calls?active=1")).json()["calls"]
    active = {call["sid"] for call in listed if call["sid"] in rang}
    return sorted(rang - active), len(active)


def _report(logs: Path) -> dict[str, Any]:
    path = logs / "actors.json"
    told: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return told


async def _drained(sql: Sql, over: list[str]) -> list[str]:
    """The calls without exactly one recorded outcome, once the scribe had its time to write them down."""
    deadline_s = monotonic_s() + DRAIN_S
    lost = over
    while lost:
        with contextlib.suppress(Unavailable):
            lost = await _without_one_outcome(sql, over)
        if monotonic_s() > deadline_s:
            break
        if lost:
            await SystemClock().sleep(LOOK_MS)
    return lost


async def _settled(stores: Stores) -> Owed:
    """How the promises stand, once none seems to have vanished or the time for it is over."""
    deadline_s = monotonic_s() + DRAIN_S
    owing = None
    while owing is None or owing.vanished:
        with contextlib.suppress(Unavailable):
            owing = await owed(stores.sql, stores.line)
        if monotonic_s() > deadline_s:
            break
        if owing is None or owing.vanished:
            await SystemClock().sleep(LOOK_MS)
    if owing is None:
        raise Unavailable
    return owing


async def _without_one_outcome(sql: Sql, over: list[str]) -> list[str]:
    counted: Counter[str] = Counter()
    async with sql.reading(statement_s=5) as session:
        ended = select(ContactEvent.contact, func.count()).where(col(ContactEvent.kind).in_(OUTCOMES))
        for contact, count in await session.exec(ended.group_by(col(ContactEvent.contact))):
            counted[contact] = count
    return [sid for sid in over if counted[sid] != 1]


def origin_ms(settings: Settings) -> int:
    """When the rehearsal began, on its clock; what is older was made up for it."""
    return int(settings.surgeline_clock.partition("@")[2] or 0)


async def _ledger(sql: Sql, since_ms: int) -> dict[str, int]:
    """The follow-ups, once no call seems to be missing among them or the time for it is over."""
    deadline_s = monotonic_s() + DRAIN_S
    while True:
        async with sql.reading(statement_s=5) as session:
            told = await followups.tally(session, since_ms, EVER_MS)
            sent = select(func.count()).where(col(Text.incident) != "", col(Text.sent_ms).is_not(None))
            texted = (await session.exec(sent)).one()
            open_ = col(FollowUp.state).in_(followups.OPEN_WORDS)
            rows = dict((await session.exec(select(open_, func.count()).group_by(open_))).all())
        if not told.missing or monotonic_s() > deadline_s:
            ended, left = (
                sum(n for is_open, n in rows.items() if bool(is_open) is want) for want in (False, True)
            )
            return {"texted": texted, "followed_up": ended, "open": left, "missing": told.missing}
        await SystemClock().sleep(LOOK_MS)


async def _outcomes(sql: Sql, since_ms: int) -> Counter[str]:
    """Calls that came in by disposition; those that are not over as "connected" or "waiting"."""
    outcomes: Counter[str] = Counter()
    async with sql.reading(statement_s=5) as session:
        ours = select(Attempt.call_sid)
        told = (
            select(Contact.disposition, Contact.answered_ms, func.count())
            .where(~col(Contact.contact).startswith(TURN_PREFIX), col(Contact.contact).not_in(ours))
            .where(col(Contact.entered_ms) >= since_ms)
            .group_by(col(Contact.disposition), col(Contact.answered_ms))
        )
        for disposition, answered_ms, count in await session.exec(told):
            outcomes[disposition or ("connected" if answered_ms else "waiting")] += count
    return outcomes


def _answers(figures: str, status: str) -> int:
    rows = [row for row in figures.splitlines() if row.startswith("surgeline_http_answers_total{")]
    return sum(int(float(row.rpartition(" ")[2])) for row in rows if f'status="{status}"' in row)


def logged_errors(logs: Path) -> int:
    """Lines of level error or worse in all logs, and tracebacks that no logger caught."""
    found = 0
    for path in logs.glob("*.log"):
        with path.open(encoding="utf-8", errors="replace") as lines:
            found += sum(map(_is_error, lines))
    return found


def _is_error(line: str) -> bool:
    if line.startswith("Traceback "):
        return True
    try:
        told = json.loads(line)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("level") in ("error", "critical")


def told(outcome: dict[str, Any], as_json: bool) -> str:
    """The outcome as one JSON object, or in a few words."""
    if as_json:
        return json.dumps(outcome)
    good = outcome["lost"] == 0 and outcome["errors"] == 0
    return (
        f"{'✓' if good else '■'} {outcome['offered']} offered, {outcome['answered']} answered, "
        f"{outcome['abandoned']} abandoned, {outcome['promised']} promised, "
        f"{outcome['deflected']} deflected, {outcome['waiting']} waiting\n"
        f"  {outcome['texted']} texted, {outcome['followed_up']} followed up, {outcome['open']} open; "
        f"{outcome['lost']} lost, {outcome['errors']} errors"
    )
