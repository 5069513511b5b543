"""The link in a merchant's text: it opens the page of one promise, without a login. Pure.

The token names the promise and is signed; it tells nothing else, so a text stays short. Whether the promise
is over for too long is asked of the record: see ``over``.
"""

from __future__ import annotations

import re

from itsdangerous import BadSignature, Signer

GRACE_MS = 48 * 3_600_000
"""A link works so long after its promise has ended."""

_TOKEN = re.compile(r"[0-9a-f]{16}\.[A-Za-z0-9_-]{10,64}")


def _signer(secret: str) -> Signer:
    return Signer(secret, salt="callbacks.link")


def token(secret: str, promise: str) -> str:
    """What stands in the link of ``promise`` (``PR…``)."""
    return _signer(secret).sign(promise.removeprefix("PR")).decode()


def link(secret: str, public_url: str, promise: str) -> str:
    return f"{public_url.rstrip('/')}/c/{token(secret, promise)}"


def read(secret: str, told: str) -> str:
    """The promise of a token; "" when it was not made here."""
    if not _TOKEN.fullmatch(told):
        return ""
    try:
        return "PR" + _signer(secret).unsign(told).decode()
    except BadSignature:
        return ""


def over(ended_ms: int | None, now_ms: int) -> bool:
    """Whether the link of a promise that ended then is over; an open promise's (None) is not."""
    return ended_ms is not None and now_ms - ended_ms > GRACE_MS
