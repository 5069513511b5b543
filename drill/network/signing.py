"""Twilio's request signature, computed from its description and not with Twilio's library.

The tests hold the two to each other: what is written twice, independently, is checked twice.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable


def sign(token: str, url: str, fields: Iterable[tuple[str, str]] = ()) -> str:
    """``X-Twilio-Signature``: base64 of HMAC-SHA1, keyed with the auth token, over the URL as requested
    followed by every posted field's name and value, names sorted, repeated values sorted and told once.
    """
    values: dict[str, set[str]] = {}
    for name, value in fields:
        values.setdefault(name, set()).add(value)
    parts = [url]
    for name in sorted(values):
        for value in sorted(values[name]):
            parts.append(name)
            parts.append(value)
    digest = hmac.digest(token.encode(), "".join(parts).encode(), "sha1")
    return base64.b64encode(digest).decode()
