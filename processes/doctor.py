"""Looks at every dependency and at the Twilio set-up, in the order in which they usually fail."""

from __future__ import annotations

import asyncio
import email.utils
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import httpx2

from foundation.clock import SystemClock, monotonic_s
from foundation.connections import answering
from foundation.errors import Mendable, SurgelineError, Unavailable
from processes import links, migrating
from processes.centre import read_centre
from processes.heartbeat import heard
from processes.opening import Stores, opened
from processes.provision import carrier, changes
from processes.settings import Settings, masked_url, read, strangers
from surge.links import fault_of

OLDEST_REDIS = (6, 2)
SKEW_S = 2.0
SLOW_S = 1.0


class Verdict(StrEnum):
    """How a check came out."""

    GREEN = "ok"
    AMBER = "warning"
    RED = "broken"


MARKS = {Verdict.GREEN: "✓", Verdict.AMBER: "▲", Verdict.RED: "■"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, what was seen, and how to mend it."""

    check: str
    verdict: Verdict
    seen: str
    mend: str = ""

    def shown(self) -> dict[str, str]:
        return {**asdict(self), "verdict": self.verdict.value}

    def line(self) -> str:
        mend = f"\n    → {self.mend}" if self.mend else ""
        return f"{MARKS[self.verdict]} {self.check:<16} {self.seen}{mend}"


def good(check: str, seen: str) -> Finding:
    return Finding(check, Verdict.GREEN, seen)


def weak(check: str, seen: str, mend: str) -> Finding:
    return Finding(check, Verdict.AMBER, seen, mend)


def bad(check: str, seen: str, mend: str) -> Finding:
    return Finding(check, Verdict.RED, seen, mend)


async def examine() -> list[Finding]:
    """Every check, in order. Never raises for what it finds."""
    try:
        settings = read().settings
    except Mendable as error:
        return [bad("settings", str(error), "surgeline config check")]
    findings = [*_settings(settings), *_toggle(settings)]
    findings += await _asked(
        "twilio", lambda: _twilio(settings), "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"
    )
    findings += await _asked("public url", lambda: _public_url(settings), "check SURGELINE_PUBLIC_URL")
    findings += await _asked("aliases", lambda: _aliases(settings), "correct surge.status_aliases")
    findings += await _asked("sql", lambda: _sql(settings), "check DATABASE_URL, or start the database")
    findings += await _asked("redis", lambda: _stores(settings), "check REDIS_URL, or start Redis")
    return findings


async def _asked(check: str, look: Callable[[], Awaitable[list[Finding]]], mend: str) -> list[Finding]:
    try:
        async with asyncio.timeout(15):
            return await look()
    except Mendable as error:
        return [bad(check, str(error), mend)]
    except (SurgelineError, TimeoutError, OSError, httpx2.HTTPError) as error:
        return [bad(check, f"{type(error).__name__}: {error}", mend)]


def _settings(settings: Settings) -> list[Finding]:
    findings = [weak("settings", stranger, "correct its name or remove it") for stranger in strangers()]
    try:
        settings.refuse_unsafe()
    except Mendable as error:
        findings.append(bad("settings", str(error), "surgeline config show"))
    else:
        findings.append(good("settings", f"usable and safe; public URL {settings.surgeline_public_url}"))
    return findings


def _toggle(settings: Settings) -> list[Finding]:
    """Switching the level by phone takes numbers and a PIN."""
    try:
        numbers = read_centre(settings.surgeline_centre).surge.toggle_numbers
    except Mendable as error:
        return [bad("centre", str(error), "surgeline config check")]
    if numbers and not settings.surgeline_toggle_pin_hash:
        return [
            weak(
                "phone switch",
                f"{len(numbers)} number(s) may switch the level, but there is no PIN: none of them can",
                "set SURGELINE_TOGGLE_PIN_HASH to what `surgeline surge pin` prints",
            )
        ]
    return [good("phone switch", f"{len(numbers)} number(s), with a PIN")] if numbers else []


async def _twilio(settings: Settings) -> list[Finding]:
    if not settings.twilio_account_sid:
        return [weak("twilio", "no account is set", "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")]
    async with carrier(settings) as twilio:
        numbers = await twilio.numbers()
        findings = [good("twilio", f"the account answers; {len(numbers)} number(s)")]
        wrong = changes(numbers, settings.twilio_number, settings.surgeline_public_url)
    if wrong:
        findings.append(bad("numbers", f"{len(wrong)} point(s) elsewhere", "surgeline provision"))
    else:
        findings.append(good("numbers", "point here, with fallback and status"))
    if not (settings.twilio_api_key_sid and settings.twilio_api_key_secret and settings.twilio_twiml_app_sid):
        findings.append(
            weak(
                "softphone",
                "not set up: agents can only be rung on a phone",
                "set TWILIO_API_KEY_SID, TWILIO_API_KEY_SECRET and TWILIO_TWIML_APP_SID",
            )
        )
    return findings


async def _public_url(settings: Settings) -> list[Finding]:
    url = settings.surgeline_public_url
    begun_s = monotonic_s()
    async with httpx2.AsyncClient(timeout=5.0) as client:
        alive = await client.get(f"{url}/healthz")
        forged = await client.post(f"{url}/voice/incoming", data={"CallSid": "CA" + "0" * 32})
    took_s = monotonic_s() - begun_s
    findings = []
    if not alive.is_success:
        findings.append(
            bad("public url", f"{url}/healthz answers {alive.status_code}", "start `surgeline serve`")
        )
    elif took_s > SLOW_S:
        findings.append(
            weak("public url", f"answers in {took_s:.1f} s", "look at the machine's load, or the proxy")
        )
    else:
        findings.append(good("public url", f"answers in {took_s * 1000:.0f} ms"))
    if forged.status_code == 403:
        findings.append(good("signatures", "a forged webhook is refused"))
    else:
        findings.append(
            bad(
                "signatures",
                f"a forged webhook got {forged.status_code}",
                "let the proxy pass /voice/* unchanged",
            )
        )
    return [*findings, *_skew(alive)]


def _skew(answer: httpx2.Response) -> list[Finding]:
    told = answer.headers.get("date")
    if not told:
        return []

    skew_s = abs(email.utils.parsedate_to_datetime(told).timestamp() - SystemClock().now_ms() / 1000)
    if skew_s > SKEW_S + 1:  # the header counts whole seconds
        return [
            weak("clock", f"the web's clock differs by {skew_s:.0f} s", "run a time daemon on both machines")
        ]
    return [good("clock", "agrees with the web's")]


async def _aliases(settings: Settings) -> list[Finding]:
    """Whether the status page is at each address at which people look for it; its news are the sweeper's."""
    urls = read_centre(settings.surgeline_centre).surge.status_aliases
    async with links.client() as asker:
        answers = await asyncio.gather(*(links.ask(asker, url) for url in urls))
    faults = {url: fault_of(answer, None, 0) for url, answer in zip(urls, answers, strict=True)}
    wrong = [
        bad("alias", f"{url}: {fault}", "point it to the status page, or remove it from surge.status_aliases")
        for url, fault in faults.items()
        if fault
    ]
    return wrong or ([good("aliases", f"{len(urls)} address(es) show the status page")] if urls else [])


async def _sql(settings: Settings) -> list[Finding]:
    place = masked_url(settings.database)
    stands = await asyncio.to_thread(migrating.current, settings.database)
    if stands != migrating.head():
        return [bad("sql", f"{place} stands at step {stands or 'none'}", "surgeline migrate")]
    return [good("sql", f"{place}, tables up to date (step {stands})")]


async def _stores(settings: Settings) -> list[Finding]:
    async with opened(settings) as stores:
        findings = await _redis(stores)
        return [*findings, *await _processes(stores)]


async def _redis(stores: Stores) -> list[Finding]:
    async with answering():
        info: dict[str, Any] = await stores.redis.info()
        policy = (await stores.redis.config_get("maxmemory-policy")).get("maxmemory-policy", "")
        append = (await stores.redis.config_get("appendonly")).get("appendonly", "")
        seconds, _ = await stores.redis.time()
    told = str(info.get("valkey_version") or info.get("redis_version", "0.0"))
    spoken = str(info.get("redis_version", "0.0"))
    version = tuple(int(part) for part in spoken.split(".")[:2])
    findings = [
        good("redis", f"answers, version {told}")
        if version >= OLDEST_REDIS
        else bad("redis", f"version {told} is too old", "use Redis 6.2 or later, or Valkey")
    ]
    if policy != "noeviction":
        findings.append(
            bad("redis memory", f"maxmemory-policy is {policy}: calls could vanish", "set it to noeviction")
        )
    if append != "yes":
        findings.append(
            weak("redis disk", "appendonly is off: a restart forgets the line", "set appendonly yes")
        )
    wall_s = SystemClock().now_ms() / 1000
    if abs(wall_s - int(seconds)) > SKEW_S + 1:
        findings.append(weak("redis clock", "differs from this machine's", "run a time daemon on both"))
    return findings


async def _processes(stores: Stores) -> list[Finding]:
    now_ms = stores.clock.now_ms()
    try:
        async with answering():
            beats = await heard(stores.redis, stores.centre, now_ms)
    except Unavailable as away:
        return [bad("processes", str(away), "start Redis")]
    findings = []
    for kind in ("worker", "sweeper", "scribe"):
        fresh = [beat for beat in beats if beat.kind == kind and beat.fresh(now_ms)]
        findings.append(
            good(kind, f"{len(fresh)} running")
            if fresh
            else bad(kind, "none is running", f"start `surgeline {kind}`, or `surgeline serve`")
        )
    return findings
