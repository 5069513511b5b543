"""Coming in, staying in, and being shown out."""

from __future__ import annotations

import pytest

from dashboard.accounts import Accounts
from dashboard.attempts import PER_LOGIN, Attempts, Limit
from dashboard.auth import COOKIE
from dashboard.sessions import IDLE_MS, LINK_MS, sign_in_link
from foundation.connections import open_redis
from foundation.errors import Mendable

SECRET = "a secret key of the tests, long enough"
PASSWORD = "correct horse battery"


async def form(browser, **given):  # type: ignore[no-untyped-def]
    """The sign-in form, filled in and sent."""
    page = await browser.get("/sign-in")
    visit = page.text.split('name="visit" value="')[1].split('"')[0]
    return await browser.post(
        "/sign-in", data={"visit": visit, "login": "agent1", "password": PASSWORD, **given}
    )


async def test_with_the_right_password_one_is_in(sign_in) -> None:
    browser = await sign_in(None)
    answer = await form(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await browser.get("/desk")).status_code == 200


async def test_a_wrong_password_and_an_unknown_login_are_told_alike(sign_in) -> None:
    browser = await sign_in(None)
    wrong = await form(browser, password="not this one")
    unknown = await form(browser, login="nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert "Login or password is wrong" in wrong.text
    assert "Login or password is wrong" in unknown.text


async def test_an_account_that_is_shut_is_not_told_apart(sign_in, rooms) -> None:
    await Accounts(rooms.sql).change("agent1", active=False)
    assert (await form(await sign_in(None))).status_code == 401


async def test_nobody_guesses_for_long(sign_in, wall) -> None:
    browser = await sign_in(None)
    for _ in range(PER_LOGIN.most):
        assert (await form(browser, password="a guess, not right")).status_code == 401
    late = await form(browser)
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) > 0
    assert "Too many attempts" in late.text


async def test_a_form_from_elsewhere_is_refused(sign_in) -> None:
    browser = await sign_in(None)
    answer = await browser.post(
        "/sign-in", data={"login": "agent1", "password": PASSWORD, "visit": "made up"}
    )
    assert answer.status_code == 403
    page = await form(browser)
    assert page.status_code == 303
    foreign = await browser.post(
        "/sign-in",
        data={"login": "agent1", "password": PASSWORD, "visit": "x"},
        headers={"Origin": "https://elsewhere.example"},
    )
    assert foreign.status_code == 403


async def test_another_sites_origin_is_refused_even_with_the_token(sign_in) -> None:
    browser = await sign_in("agent1")
    answer = await browser.post("/api/v1/me/off", headers={"Origin": "https://elsewhere.example"})
    assert (answer.status_code, answer.json()["type"]) == (403, "/api/docs#problem-forged")
    assert (await browser.post("/api/v1/me/off", headers={"Origin": "null"})).status_code == 403
    assert (await browser.post("/api/v1/me/off", headers={"Origin": "http://desk.test"})).status_code == 200


async def test_one_is_led_back_to_where_one_wanted_but_never_outside(sign_in) -> None:
    browser = await sign_in(None)
    turned = await browser.get("/contacts")
    assert turned.headers["location"] == "/sign-in?next=/contacts"
    assert (await form(browser, next="/contacts?day=2023-11-14")).headers[
        "location"
    ] == "/contacts?day=2023-11-14"
    for outside in (
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "javascript:x",
    ):
        fresh = await sign_in(None)
        assert (await form(fresh, next=outside)).headers["location"] == "/"


async def test_a_link_signs_in_once(sign_in, wall) -> None:
    link = sign_in_link(SECRET, "http://desk.test", "agent1", wall.now_ms())
    first, second = await sign_in(None), await sign_in(None)
    assert (await first.get(link, headers={"Sec-Purpose": "prefetch"})).status_code == 204
    answer = await first.get(f"{link}?next=/reports")
    assert (answer.status_code, answer.headers["location"]) == (303, "/reports")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert (await first.get("/desk")).status_code == 200
    assert (await second.get(link)).status_code == 410
    assert (await second.get("/desk")).status_code == 303


async def test_an_old_link_does_not_sign_in(sign_in, wall) -> None:
    link = sign_in_link(SECRET, "http://desk.test", "agent1", wall.now_ms())
    wall.advance(ms=LINK_MS + 1)
    assert (await (await sign_in(None)).get(link)).status_code == 410


async def test_signing_out_ends_the_session_everywhere(sign_in, rooms, clock) -> None:
    browser, thief = await sign_in("agent1"), await sign_in(None)
    thief.cookies.set(COOKIE, browser.cookies[COOKIE], domain="desk.test", path="/")
    assert (await thief.get("/desk")).status_code == 200
    await rooms.roster.sign_in(
        "agent1", name="Agent 1", skills={"support": 0}, line="softphone", now_ms=clock.now_ms()
    )
    answer = await browser.post("/sign-out")
    assert answer.headers["location"] == "/sign-in?bye=1"
    assert (await thief.get("/desk")).status_code == 303
    agent = await rooms.roster.agent("agent1")
    assert agent.presence == "off"


@pytest.mark.parametrize(
    "change", [{"active": False}, {"role": "lead"}, {"password": "another good password"}], ids=str
)
async def test_a_changed_account_ends_its_sessions(change, sign_in, rooms, wall) -> None:
    browser = await sign_in("agent1")
    assert (await browser.get("/desk")).status_code == 200
    await Accounts(rooms.sql).change("agent1", **change)  # by another process
    wall.advance(s=3)
    assert (await browser.get("/desk")).status_code == 303


async def test_a_name_may_change_without_that(sign_in, rooms, wall) -> None:
    browser = await sign_in("agent1")
    await Accounts(rooms.sql).change("agent1", name="Agent One")
    wall.advance(s=3)
    assert "Agent One" in (await browser.get("/desk")).text


async def test_a_session_lasts_while_it_is_used(sign_in, wall) -> None:
    browser = await sign_in("agent1")
    for _ in range(4):
        wall.advance(ms=IDLE_MS - 1_000)
        assert (await browser.get("/session")).status_code == 204
    wall.advance(ms=IDLE_MS + 1)
    assert (await browser.get("/desk")).status_code == 303


async def test_the_last_admin_stays(rooms) -> None:
    accounts = Accounts(rooms.sql)
    with pytest.raises(Mendable, match="Nobody could administer"):
        await accounts.change("admin1", role="agent")
    with pytest.raises(Mendable, match="Nobody could administer"):
        await accounts.change("admin1", active=False)


@pytest.mark.parametrize("login", ["", "a b", "-x", "é", "x" * 65])
async def test_a_login_is_plain(login: str, rooms) -> None:
    with pytest.raises(Mendable):
        await Accounts(rooms.sql).add(
            agent=login, name="", role="agent", password=PASSWORD, phone="", skills={}
        )


async def test_every_answer_wears_the_headers(sign_in) -> None:
    browser = await sign_in("agent1")
    for path in ("/desk", "/api/v1/me", "/sign-in", "/contacts", "/assets/surgeline.css", "/api/v1/nothing"):
        headers = (await browser.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"


async def test_attempts_are_counted_though_redis_is_away() -> None:
    attempts = Attempts(open_redis("unix:///nowhere/redis.sock?db=0"), "tag")
    limit = Limit(2, 60)
    assert [await attempts.admit("login:ana", limit, 1_000) for _ in range(3)] == [0, 0, 60]
    assert await attempts.admit("login:ana", limit, 61_001) == 0
    assert await attempts.admit("login:bo", limit, 1_000) == 0
