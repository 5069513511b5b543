"""Whether what came in by a webhook is from who shares a secret with us, and of now. Pure.

PagerDuty signs the raw body; the Standard Webhooks form signs id, time and body. Several secrets may be good
at once, so that one is changed without a gap. Comparisons take the same time whatever is wrong.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

WINDOW_MS = 5 * 60_000
"""What is older, or from further ahead, is a replay or a wrong clock."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What another system tells us, in our words. ``id`` is its name for this message: it counts once.

    ``surge``: they think that it is grave enough for a surge. ``kind`` "" : nothing to suggest.
    """

    id: str
    kind: str
    title: str
    why: str
    severity: str
    incident: str
    surge: bool


def fits_pagerduty(secrets: Sequence[str], signature: str, body: bytes) -> bool:
    """``signature``: the header ``X-PagerDuty-Signature``, ``v1=<hex>`` once or more, commas between."""
    told = [part.strip()[3:] for part in signature.split(",") if part.strip().startswith("v1=")][:20]
    good = [hmac.new(secret.encode(), body, sha256).hexdigest() for secret in secrets]
    return _any(told, good)


def fits_standard(secrets: Sequence[str], name: str, at: str, signature: str, body: bytes) -> bool:
    """``name``, ``at`` and ``signature``: the headers ``webhook-id``, ``-timestamp`` and ``-signature``
    (``v1,<base64>`` once or more, spaces between)."""
    signed = f"{name}.{at}.".encode() + body
    told = [part[3:] for part in signature.split() if part.startswith("v1,")][:20]
    good = [b64encode(hmac.new(_key(secret), signed, sha256).digest()).decode() for secret in secrets]
    return bool(name) and _any(told, good)


def is_of_now(at_ms: int | None, now_ms: int) -> bool:
    return at_ms is not None and abs(now_ms - at_ms) <= WINDOW_MS


def seconds_ms(text: str) -> int | None:
    """Epoch seconds as a header writes them."""
    return int(text) * 1000 if text.isascii() and text.isdigit() and len(text) <= 12 else None


def moment_ms(text: Any) -> int | None:
    """An ISO 8601 time with its offset."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round(at.timestamp() * 1000) if at.tzinfo else None


# -- what it says ----------------------------------------------------------------------------------------

_TOLD = {
    "incident.triggered": "triggered",
    "incident.reopened": "reopened",
    "incident.priority_updated": "priority",
    "incident.resolved": "resolved",
}
_GRAVE = ("P1", "P2", "SEV1", "SEV2", "SEV-1", "SEV-2")


def pagerduty(told: Any) -> tuple[Meant, int | None]:
    """What a V3 webhook says, and when it happened. Raises ValueError for what is none."""
    event = _dict(_dict(told)["event"])
    data = _dict(event.get("data") or {})
    priority = str(_dict(data.get("priority") or {}).get("summary", ""))
    title = str(data.get("title") or "")
    kind = _TOLD.get(str(event.get("event_type")), "") if title else ""
    grave = priority.upper() in _GRAVE or (not priority and data.get("urgency") == "high")
    service = str(_dict(data.get("service") or {}).get("summary", ""))
    said = [part for part in (priority, service and f"on {service}") if part]
    why = f"PagerDuty: {title}" + (f" ({', '.join(said)})" if said else "")
    if kind == "resolved":
        why = f"PagerDuty says it is resolved: {title}"
    meant = Meant(
        id=_id(event.get("id")),
        kind=kind,
        title=title,
        why=why,
        severity="critical" if priority.upper() in ("P1", "SEV1", "SEV-1") else "major",
        incident=str(data.get("id") or ""),
        surge=grave and kind != "resolved",
    )
    return meant, moment_ms(event.get("occurred_at"))


def generic(name: str, told: Any) -> Meant:
    """What the generic webhook says: ``{"title": …, "why": …, "severity": …, "surge": true}``, bare or inside
    ``data``. Raises ValueError for what has no title."""
    body = _dict(told)
    data = body["data"] if isinstance(body.get("data"), dict) else body
    title = data.get("title")
    if not isinstance(title, str) or not title.strip():
        raise ValueError("there is no title")
    severity = data.get("severity")
    return Meant(
        id=_id(name),
        kind=str(body.get("type") or "suggested"),
        title=title,
        why=str(data.get("why") or title),
        severity=severity if severity in ("minor", "major", "critical", "safety", "data_loss") else "major",
        incident=str(data.get("id") or ""),
        surge=data.get("surge") is True,
    )


def _id(told: Any) -> str:
    if not isinstance(told, str) or not 0 < len(told) <= 200:
        raise ValueError("there is no id")
    return told


def _dict(told: Any) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise ValueError("this is no object")
    return told


def _key(secret: str) -> bytes:
    """``whsec_`` and base64, or the secret as it is."""
    if secret.startswith("whsec_"):
        try:
            return b64decode(secret[6:], validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()


def _any(told: Sequence[str], good: Sequence[str]) -> bool:
    fits = [hmac.compare_digest(each.encode(), one.encode()) for each in told for one in good]
    return any(fits)
