"""Points Twilio's numbers here, remembers where they pointed before, and can put them back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from carrier.numbers import masked
from carrier.twilio_rest import Carrier, OwnedNumber
from foundation.errors import Mendable
from processes.settings import Settings, read

VOICE_PATIENCE = "#ct=2000&rt=5000&tt=12000"
"""Twilio waits so long for us before it asks the fallback URL: five seconds of silence, not fifteen."""
STATUS_PATIENCE = "#rc=3&rp=all"
"""A call's end is told again when we did not take it in; so is a text, which may say STOP."""


@dataclass(frozen=True, slots=True)
class Pointing:
    """Where a number's calls and texts go."""

    voice_url: str
    fallback_url: str
    status_url: str
    sms_url: str = ""
    sms_fallback_url: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One number and what changes for it."""

    sid: str
    number: str
    before: Pointing
    after: Pointing

    def shown(self) -> dict[str, Any]:
        return {"number": self.number, "before": asdict(self.before), "after": asdict(self.after)}

    def line(self) -> str:
        rows = [f"{masked(self.number)}"]
        for name, was in asdict(self.before).items():
            becomes = asdict(self.after)[name]
            if was != becomes:
                rows += [f"  {name}", f"    - {was or '(nothing)'}", f"    + {becomes or '(nothing)'}"]
        return "\n".join(rows)


def wanted(public_url: str) -> Pointing:
    """Where our numbers should point."""
    return Pointing(
        f"{public_url}/voice/incoming{VOICE_PATIENCE}",
        f"{public_url}/voice/fallback",
        f"{public_url}/voice/status{STATUS_PATIENCE}",
        f"{public_url}/sms/incoming{STATUS_PATIENCE}",
        f"{public_url}/sms/incoming",
    )


def pointing(owned: OwnedNumber) -> Pointing:
    """Where it points now."""
    return Pointing(*(getattr(owned, each.name) for each in fields(Pointing)))


def changes(numbers: list[OwnedNumber], only: str, public_url: str) -> list[Change]:
    """What must change, for one number or for all. Raises Mendable when the account has no such number."""
    chosen = [owned for owned in numbers if not only or owned.number == only]
    if not chosen:
        have = ", ".join(masked(owned.number) for owned in numbers) or "none"
        raise Mendable(
            f"The Twilio account does not have {masked(only) if only else 'a number'}; it has {have}."
        )
    ours = wanted(public_url)
    pointed = [(owned, pointing(owned)) for owned in chosen]
    return [Change(owned.sid, owned.number, now, ours) for owned, now in pointed if now != ours]


async def point(number: str, *, dry_run: bool) -> list[Change]:
    """Point the number (else TWILIO_NUMBER, else all) here; what changed, or would.

    Raises Mendable for missing settings or an unknown number, and the carrier's own errors.
    """
    settings = read().settings.refuse_unsafe()
    if settings.public_is_loopback and not settings.twilio_api_base_url:
        raise Mendable("SURGELINE_PUBLIC_URL is this machine alone: Twilio could not reach it.")
    async with carrier(settings) as twilio:
        found = changes(
            await twilio.numbers(), number or settings.twilio_number, settings.surgeline_public_url
        )
        if not dry_run:
            _remember(_kept(settings), found)
            for change in found:
                await twilio.point_number(change.sid, **asdict(change.after))
    return found


async def put_back(*, dry_run: bool) -> list[Change]:
    """Point the numbers where they pointed before the last ``point``; what changed, or would."""
    settings = read().settings
    kept = _kept(settings)
    if not kept.exists():
        raise Mendable(f"There is nothing to undo: {kept} does not exist.")
    before = {sid: Pointing(**told) for sid, told in json.loads(kept.read_text("utf-8")).items()}
    async with carrier(settings) as twilio:
        found = [
            Change(owned.sid, owned.number, now, before[owned.sid])
            for owned in await twilio.numbers()
            if owned.sid in before and (now := pointing(owned)) != before[owned.sid]
        ]
        if not dry_run:
            for change in found:
                await twilio.point_number(change.sid, **asdict(change.after))
            kept.unlink()
    return found


@asynccontextmanager
async def carrier(settings: Settings) -> AsyncIterator[Carrier]:
    """Twilio for the configured account. Raises Mendable when there is none."""
    if not (settings.twilio_account_sid and settings.twilio_auth_token):
        raise Mendable("Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN first (Twilio console, first page).")
    twilio = open_carrier(settings)
    try:
        yield twilio
    finally:
        await twilio.close()


def open_carrier(settings: Settings) -> Carrier:
    return Carrier(
        settings.twilio_account_sid,
        settings.twilio_auth_token,
        api_base_url=settings.twilio_api_base_url or None,
    )


def _kept(settings: Settings) -> Path:
    return settings.surgeline_data_dir / "provision.json"


def _remember(path: Path, found: list[Change]) -> None:
    """Keep what was there before the first change; a second ``point`` does not overwrite it with our own."""
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for change in found:
        kept.setdefault(change.sid, asdict(change.before))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept, indent=1), "utf-8")
