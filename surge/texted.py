"""The texts of an incident, with what the watch knows: whose they are, the link, our number, the clock."""

from __future__ import annotations

from surge import wording
from surge.directive import Told
from surge.office import Watch
from surge.tables import Incident


def status(watch: Watch, told: Told, language: str, now_ms: int, kind: str = "status") -> str:
    """How it stands; ``kind`` as ``wording.text`` has it."""
    return wording.text(
        language, told, watch.centre_name, page(watch), watch.time_zone, watch.policy, now_ms, kind=kind
    )


def over(watch: Watch, row: Incident, language: str) -> str:
    """It is fixed as far as we see: does it work for them?"""
    return _notice(watch, "verified", row, language)


def ended(watch: Watch, row: Incident, language: str) -> str:
    """The last text about it."""
    return _notice(watch, "resolved", row, language)


def page(watch: Watch) -> str:
    """Where the public status page is."""
    return f"{watch.public_url}/status"


def _notice(watch: Watch, key: str, row: Incident, language: str) -> str:
    told = Told(
        row.id, row.severity, row.state, row.audience, row.scope, row.version, row.updated_ms, {},
        title=row.title,
    )  # fmt: skip
    ours = watch.ours[0] if watch.ours else ""
    return wording.notice(language, key, told, watch.centre_name, ours)
