"""Calls over REST: create, list, fetch, update."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from drill.network.exchange import API_VERSION, Exchange, callback, duration_s, rfc2822
from drill.network.legs import CallStatus, Course, Leg, Target
from drill.network.rest.door import Ask, Reply, operation, page
from drill.network.rest.refusals import ALWAYS_OURS, CALL_FROM, CALL_TO, Refusal
from drill.network.switchboard import Placing

E164 = re.compile(r"\+[1-9]\d{6,14}")
EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
MOST_TWIML = 4000
DAY_S = 86_400


@operation(
    "CreateCall",
    "To From Url Method Twiml FallbackUrl FallbackMethod StatusCallback StatusCallbackMethod "
    "StatusCallbackEvent Timeout TimeLimit MachineDetection MachineDetectionTimeout AsyncAmd "
    "AsyncAmdStatusCallback AsyncAmdStatusCallbackMethod CallReason",
)
async def create(ask: Ask) -> Reply:
    exchange = ask.exchange
    to, from_ = ask.text("To"), ask.text("From")
    _check_parties(exchange, to, from_)
    course = _course(ask)
    if course is None:
        raise Refusal(21205, "Url or Twiml is required")
    if len(exchange.legs) and ask.switchboard.backlog() > DAY_S * ask.switchboard.calls_per_second:
        raise Refusal(22005)
    leg = exchange.new_leg(from_, to, "outbound-api", status=CallStatus.QUEUED)
    leg.fallback = _target(ask, "FallbackUrl", "FallbackMethod")
    leg.callback = callback(
        _status_callback(ask), ask.text("StatusCallbackMethod", "POST"), _events(ask) or {"completed"}
    )
    detect = ask.text("MachineDetection")
    asynchronous = ask.flag("AsyncAmd")
    ask.switchboard.dial_out(
        Placing(
            leg,
            course,
            timeout_s=min(ask.whole("Timeout", 60), 600),
            time_limit_s=ask.whole("TimeLimit", 14_400),
            detect=detect,
            detect_callback=_target(ask, "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod")
            if asynchronous
            else None,
        )
    )
    return Reply(view(exchange, leg), 201)


@operation("ListCall")
async def listed(ask: Ask) -> Reply:
    legs = [leg for leg in reversed(ask.exchange.legs.values()) if _fits(ask, leg)]
    return page(ask, "calls", legs, view)


@operation("FetchCall")
async def fetch(ask: Ask) -> Reply:
    return Reply(view(ask.exchange, _leg(ask)))


@operation(
    "UpdateCall",
    "Url Method Twiml Status FallbackUrl FallbackMethod StatusCallback StatusCallbackMethod",
)
async def update(ask: Ask) -> Reply:
    """End it (``completed``), withdraw it while it has not been answered (``canceled``), or send it
    to another document.
    """
    exchange, leg = ask.exchange, _leg(ask)
    status = ask.text("Status")
    course = _course(ask)
    if ask.text("Url") and ask.text("Twiml"):
        raise Refusal(20001, "Url and Twiml exclude each other")
    waiting = leg.status in (CallStatus.QUEUED, CallStatus.RINGING)
    if status == "canceled":
        if not waiting or leg.direction == "inbound":
            raise Refusal(21220, "only a call that is queued or ringing can be cancelled")
        exchange.end(leg, CallStatus.CANCELED, silent=leg.status is CallStatus.QUEUED)
    elif status == "completed":
        if leg.ended:
            raise Refusal(21220)
        silent = leg.status is CallStatus.QUEUED
        exchange.end(leg, CallStatus.CANCELED if waiting else CallStatus.COMPLETED, silent=silent)
    elif course is not None:
        if leg.status is not CallStatus.IN_PROGRESS:
            raise Refusal(21220)
        exchange.divert(leg, course)
    if ask.text("FallbackUrl"):
        leg.fallback = _target(ask, "FallbackUrl", "FallbackMethod")
    if ask.text("StatusCallback"):
        leg.callback = callback(
            _status_callback(ask), ask.text("StatusCallbackMethod", "POST"), {"completed"}
        )
    return Reply(view(exchange, leg))


def view(exchange: Exchange, leg: Leg) -> dict[str, Any]:
    """A call as Twilio shows it: durations and queue times are strings, times RFC 2822."""
    base = f"/{API_VERSION}/Accounts/{exchange.account.sid}/Calls/{leg.sid}"
    names = ("events", "notifications", "payments", "recordings", "siprec", "streams", "transcriptions")
    return {
        "sid": leg.sid,
        "account_sid": exchange.account.sid,
        "parent_call_sid": leg.parent_sid,
        "to": leg.to,
        "to_formatted": formatted(leg.to),
        "from": leg.from_,
        "from_formatted": formatted(leg.from_),
        "phone_number_sid": leg.number_sid,
        "status": leg.status.value,
        "start_time": None if leg.dialed_ms is None else rfc2822(leg.dialed_ms),
        "end_time": None if leg.ended_ms is None else rfc2822(leg.ended_ms),
        "duration": str(duration_s(leg)) if leg.ended else None,
        "price": None,
        "price_unit": "USD",
        "direction": leg.direction,
        "answered_by": leg.answered_by,
        "api_version": API_VERSION,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": str(leg.queue_ms),
        "trunk_sid": None,
        "date_created": rfc2822(leg.created_ms),
        "date_updated": rfc2822(leg.updated_ms),
        "uri": f"{base}.json",
        "subresource_uris": {name: f"{base}/{name.title()}.json" for name in names},
    }


def formatted(number: str) -> str:
    """``(415) 555-0100`` for a +1 number; anything else as it is."""
    if re.fullmatch(r"\+1\d{10}", number):
        return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    return number


def _leg(ask: Ask) -> Leg:
    leg = ask.exchange.legs.get(ask.named["Sid"])
    if leg is None:
        raise Refusal(20404, ask.path)
    return leg


def _check_parties(exchange: Exchange, to: str, from_: str) -> None:
    if from_ in CALL_FROM:
        raise Refusal(CALL_FROM[from_])
    if to in CALL_TO:
        raise Refusal(CALL_TO[to])
    if not to:
        raise Refusal(21201)
    if not (E164.fullmatch(to) or to.startswith(("client:", "sip:"))):
        raise Refusal(21217, to)
    ours = {number.number for number in exchange.numbers.values()} | {ALWAYS_OURS}
    if from_ not in ours and not from_.startswith("client:"):
        raise Refusal(21210, from_)


def _course(ask: Ask) -> Course | None:
    """Where the call is to go. When both are given on creation, Twiml is ignored."""
    url = ask.url("Url")
    if url:
        return Course(url, ask.text("Method", "POST"))
    twiml = ask.text("Twiml")
    if len(twiml) > MOST_TWIML:
        raise Refusal(20001, f"Twiml has {len(twiml)} characters; {MOST_TWIML} at most")
    return Course("", twiml=twiml) if twiml else None


def _target(ask: Ask, url: str, method: str) -> Target | None:
    return Target(ask.url(url), ask.text(method, "POST")) if ask.text(url) else None


def _status_callback(ask: Ask) -> str:
    url = ask.url("StatusCallback", 21609)
    if "_" in (urlsplit(url).hostname or ""):
        raise Refusal(21609, "no underscore in the host of a status callback")
    return url


def _events(ask: Ask) -> frozenset[str]:
    given = frozenset(ask.many("StatusCallbackEvent"))
    for unknown in sorted(given - EVENTS):
        ask.exchange.breach("rest", 21626, f"no status callback event {unknown!r}")
    return given & EVENTS


def _fits(ask: Ask, leg: Leg) -> bool:
    wanted = {"To": leg.to, "From": leg.from_, "Status": leg.status.value, "ParentCallSid": leg.parent_sid}
    if any(name in ask.values and ask.text(name) != value for name, value in wanted.items()):
        return False
    return _timely(ask, "StartTime", leg.dialed_ms or leg.created_ms) and _timely(
        ask, "EndTime", leg.ended_ms
    )


def _timely(ask: Ask, name: str, ms: int | None) -> bool:
    """``StartTime`` is a day, ``StartTime>`` and ``StartTime<`` a day or a moment; both ends count."""
    for compared in ("", "<", ">"):
        text = ask.text(name + compared)
        if not text:
            continue
        at_ms = moment_ms(text)
        if ms is None:
            return False
        if compared == "" and not at_ms <= ms < at_ms + DAY_S * 1000:
            return False
        if (compared == "<" and ms >= at_ms + 1000) or (compared == ">" and ms < at_ms):
            return False
    return True


def moment_ms(text: str) -> int:
    """An ISO 8601 day or moment, UTC when it names no zone. Raises Refusal."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(20001, f"{text!r} is not a date") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
