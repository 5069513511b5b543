"""Every route and every role. A route nobody thought about does not open."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from dashboard.access import ROLES, RULES, Access, allowed
from dashboard.app import PARTS
from dashboard.auth import SAFE
from dashboard.entrance import Doorway

PEOPLE = {None: None, "agent": "agent1", "lead": "lead1", "supervisor": "super1", "admin": "admin1"}
ROUTES = sorted(
    (method, route.path)
    for part in PARTS
    for route in part.router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
)


OWN = ("/c/", "/status/", "/hooks/")
"""Doors with tokens, codes and signatures of their own."""


def test_the_table_and_the_routes_are_the_same() -> None:
    assert sorted(RULES) == ROUTES


def test_every_route_of_the_dashboard_is_guarded() -> None:
    for part in PARTS:
        assert all(isinstance(route, Doorway) for route in part.router.routes), part.__name__


def test_a_route_without_a_rule_cannot_be_made() -> None:
    async def secret() -> str:
        return "secret"

    with pytest.raises(KeyError):
        Doorway("/api/v1/secrets", secret, methods=["GET"])


def test_a_role_nobody_knows_opens_nothing() -> None:
    assert not allowed("owner", Access.SCREEN)
    assert not allowed(None, Access.SCREEN)
    assert allowed(None, Access.OPEN)


def _address(path: str) -> str:
    return (
        path.replace("{name:path}", "surgeline.css")
        .replace("{rest:path}", "nothing/here")
        .replace("{token}", "no-token")
        .replace("{kiosk}", "no-token")
        .replace("{contact}", "CA404")
        .replace("{agent}", "agent2")
        .replace("{message}", "404")
        .replace("{promise}", "PR404")
        .replace("{job}", "404")
        .replace("{incident}", "IN404")
        .replace("{suggestion}", "404")
        .replace("{commitment}", "404")
        .replace("{followup}", "CA404")
    )


@pytest.mark.parametrize("role", PEOPLE, ids=str)
async def test_matrix(role: str | None, web: FastAPI, sign_in) -> None:  # type: ignore[no-untyped-def]
    """Who is let in gets anything but 401 and 403; who is not gets those, or the way to the sign-in."""
    browser = await sign_in(PEOPLE[role])
    for method, path in ROUTES:
        needed = RULES[method, path]
        if (method, path) in (("POST", "/sign-out"), ("GET", "/events")):
            continue  # the one ends the session, the other does not end: both have tests of their own
        answer = await browser.request(method, _address(path))
        where = f"{role} {method} {path}: {answer.status_code}"
        assert answer.status_code < 500, where
        turned_away = answer.status_code in (401, 403) or answer.headers.get("location", "").startswith(
            "/sign-in"
        )
        if path in ("/", "/sign-in") or path.startswith("/sign-in/"):
            assert needed is Access.OPEN
        elif needed is Access.SCREEN:
            assert turned_away == (role is None), where
        else:
            assert turned_away == (not allowed(role, needed)), where


async def test_nothing_changes_without_the_token(sign_in) -> None:  # type: ignore[no-untyped-def]
    browser = await sign_in("admin1", csrf=False)
    for method, path in ROUTES:
        if method not in SAFE and path != "/sign-in" and not path.startswith(OWN):
            answer = await browser.request(method, _address(path))
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"


def test_roles_are_a_ladder() -> None:
    steps = [ROLES[role] for role in ("agent", "lead", "supervisor", "admin")]
    assert steps == sorted(steps)
