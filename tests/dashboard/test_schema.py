"""Schemathesis asks the API whatever its document allows; the API never breaks and keeps its word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dashboard.accounts import account_of
from dashboard.api_document import document
from dashboard.auth import COOKIE
from dashboard.sessions import Seals
from queueing.tables import AgentAccount
from tests.pages.house import SECRET, House

if TYPE_CHECKING:
    from dashboard.sessions import Session

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def house(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(redis_server, tmp_path_factory.mktemp("schema"))
    house.start()
    house.furnish()
    yield house
    house.stop()


@pytest.fixture(scope="module")
def admin(house: House) -> Session:
    async def account() -> AgentAccount | None:
        async with house.sql.reading() as session:
            return await session.get(AgentAccount, "admin1")

    row = house.do(account())
    assert row is not None
    return Seals(SECRET).begin("admin1", account_of(row).stamp, house.clock.now_ms())


schema = schemathesis.openapi.from_dict(document())


@schema.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_api_keeps_its_word(case: Any, house: House, admin: Session) -> None:
    seals = Seals(SECRET)
    answer = case.call(
        base_url=house.url,
        headers={"X-CSRF-Token": seals.csrf(admin)},
        cookies={COOKIE: seals.seal(admin)},
    )
    case.validate_response(answer, checks=CHECKS)


@schema.parametrize()
@settings(
    max_examples=2, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_nobody_is_let_in_unsigned(case: Any, house: House) -> None:
    answer = case.call(base_url=house.url)
    assert answer.status_code in (401, 405, 422)
    case.validate_response(answer, checks=CHECKS)
