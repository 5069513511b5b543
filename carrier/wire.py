"""The SDK's own client as we need it, and what it gives us read: errors, moments, calls, texts."""

from __future__ import annotations

import base64
from contextlib import suppress
from datetime import UTC, datetime
from json import loads
from typing import Any

from twilio.http.async_http_client import AsyncTwilioHttpClient

from carrier.answers import Busy, Call, Message, Refused
from foundation.errors import SurgelineError


class Wire(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK is untyped
    """The SDK's own client, signing in by header: its way of doing so is leaving aiohttp."""

    async def request(self, *given: Any, auth: tuple[str, str] | None = None, **named: Any) -> Any:
        if auth is not None:
            named["headers"] = {**(named.get("headers") or {}), "Authorization": basic(auth)}
        return await super().request(*given, **named)


def basic(auth: tuple[str, str]) -> str:
    """The header of HTTP's basic authentication."""
    return f"Basic {base64.b64encode(':'.join(auth).encode()).decode()}"


def mapped(error: Any, unanswered: type[SurgelineError]) -> SurgelineError:
    """The SDK raises one class for an operation, another for a page of a list, a third for new services."""
    status, code, message = getattr(error, "status", 0), getattr(error, "code", 0), str(error)
    page: Any = error.args[1] if len(error.args) > 1 else None
    if not status and hasattr(page, "status_code"):
        status = page.status_code
        with suppress(ValueError, AttributeError):
            code = loads(page.text).get("code", 0)
    if status == 429:
        return Busy()
    if not 400 <= (status or 0) < 500:
        return unanswered(f"Twilio answered {status}" if status else "Twilio's answer could not be read")
    return Refused(code or 0, status, getattr(error, "msg", "") or message)


def ms(moment: datetime | None) -> int | None:
    """Milliseconds since the epoch."""
    if moment is None:
        return None
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)


def call_of(each: Any) -> Call:
    return Call(
        each.sid,
        each.to,
        getattr(each, "_from", None) or each.from_,
        str(each.status),
        each.direction,
        ms(each.start_time),
    )


def message_of(each: Any) -> Message:
    return Message(
        each.sid,
        each.to,
        getattr(each, "_from", None) or each.from_,
        each.body or "",
        str(each.status),
        str(each.direction),
        ms(each.date_created) or 0,
        str(each.error_code or ""),
    )
