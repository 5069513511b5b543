"""The stage, on a real line, a real database and a clock that moves when told."""

from __future__ import annotations

import pytest

from callbacks import tables as callback_tables  # noqa: F401  (these tables, too)
from carrier.numbers import normalise
from ivr.desk import Desk
from merchants import directory, tables  # noqa: F401  (their tables are made by the fixture sql)
from queueing import tables as queueing_tables  # noqa: F401
from queueing.line import Line
from queueing.roster import Roster
from tests.doors.conftest import CENTRE, MERCHANTS, PATIENT, POLICY
from tests.doors.watched import with_watch
from tests.wire import stage as wire


@pytest.fixture
async def wired_desk(redis, sql, clock, tmp_path):
    async with sql.session() as session:
        await directory.import_csv(session, MERCHANTS, normalise=normalise)
    bare = Desk(
        clock=clock,
        line=Line(redis, POLICY),
        roster=Roster(redis, POLICY),
        redis=redis,
        sql=sql,
        policy=POLICY,
        centre=CENTRE,
        public_url=wire.HOOK,
        auth_tokens=(wire.ACCOUNT.token,),
        secret="a secret of the tests",
        account_sid=wire.ACCOUNT.sid,
        budget=PATIENT,
    )
    return with_watch(bare, tmp_path / "data", rehearsal=True)


@pytest.fixture
async def stage(clock, wired_desk):
    async with wire.opened(clock, wired_desk) as stage:
        yield stage
        assert stage.violations == []
