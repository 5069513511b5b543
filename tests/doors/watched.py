"""A desk whose centre watches incidents: what the tests of incidents at the doors start from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from foundation.connections import Sql
from ivr.desk import Desk
from surge import incidents
from surge.incidents import NewIncident
from surge.office import Watch
from surge.policy import SurgePolicy
from surge.tables import Incident
from tests.doors.handset import NUMBER

DOWN = {"en": "Card payments are down everywhere.", "es": "Los pagos con tarjeta no funcionan."}


def with_watch(desk: Desk, data_dir: Path | None = None, sql: Sql | None = None, **policy: Any) -> Desk:
    """The desk with a watch beside it; ``policy`` changes the surge's rules."""
    stores = sql or desk.sql
    assert stores is not None
    watch = Watch(
        sql=stores, redis=desk.redis, line=desk.line, keys=desk.keys, clock=desk.clock,
        policy=replace(SurgePolicy(), **policy), hours=None, time_zone="America/Los_Angeles",
        languages=("en", "es"), centre_name=desk.centre.name, public_url=desk.public_url, ours=(NUMBER,),
        data_dir=data_dir, secret=desk.secret,
    )  # fmt: skip
    return replace(desk, watch=watch, sql=stores)


async def declare(desk: Desk, **more: Any) -> Incident:
    assert desk.watch is not None
    given = {"title": "Payments", "words": DOWN, "scope": {"all": True}} | more
    return await incidents.declare(desk.watch, NewIncident(**given), "ann", desk.clock.now_ms())
