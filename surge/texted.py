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


def over(watch: Watch, row: Incident, language: str, audience: str = "merchants") -> str:
    """It is fixed as far as we see: does it work for them? ``audience``: as ``followups.audience_of``."""
    key = "verified_customers" if audience == "customers" else "verified"
    return _notice(watch, key, row, language)


def ended(watch: Watch, row: Incident, language: str) -> str:
    """The last text about it."""
    return _notice(watch, "resolved", row, language)


def keep(watch: Watch, row: Incident, language: str, by_ms: int, now_ms: int) -> str:
    """It is fixed: is the callback still wanted? ``by_ms``: when nobody calls any more."""
    when = wording.at(language, watch.time_zone, by_ms, now_ms)
    return _notice(watch, "keep", row, language, when)


def page(watch: Watch) -> str:
    """Where the public status page is."""
    return f"{watch.public_url}/status"


def _notice(watch: Watch, key: str, row: Incident, language: str, when: str = "") -> str:
    told = Told(
        row.id, row.severity, row.state, row.audience, row.scope, row.version, row.updated_ms, {},
        title=row.title,
    )  # fmt: skip
    ours = watch.ours[0] if watch.ours else ""
    return wording.notice(language, key, told, watch.centre_name, ours, when)
