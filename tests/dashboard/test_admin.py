from __future__ import annotations

import pytest

from queueing.tables import VoiceMessage

NEW = {
    "agent": "Agent9",
    "name": "Agent 9",
    "role": "agent",
    "password": "long enough now",
    "phone": "(415) 555-0188",
}
SHEET = b"name,tier,numbers\nCorner Bakery,gold,+14155550101\nBay Books,standard,+14155550105\n"
BAD = b"name,tier,numbers\n,gold,+14155550101\nBay Books,platinum,12\n"


@pytest.fixture
async def admin(sign_in):  # type: ignore[no-untyped-def]
    return await sign_in("admin1")


async def test_somebody_new_can_sign_in_and_serve(admin, rooms) -> None:
    answer = await admin.post(
        "/admin/accounts", data={**NEW, "serves.billing": "1", "handicap.billing": "30"}
    )
    assert answer.headers["location"] == "/admin?done=added"
    from dashboard.accounts import Accounts

    account = await Accounts(rooms.sql).signed_in_by("agent9", NEW["password"], 0)
    assert account is not None
    assert (account.phone, account.skills) == ("+14155550188", {"billing": 30_000})
    page = (await admin.get("/admin?done=added")).text
    assert "Agent 9" in page
    assert "+1 415 ••• 0188" in page
    assert "5550188" not in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"agent": "agent1"}, "is taken"),
        ({"agent": "not a login"}, "A login is"),
        ({"password": "short"}, "A password has"),
        ({"phone": "call me"}, "is not a telephone number"),
        ({"role": "owner"}, "There is no role"),
        ({"serves.support": "1", "handicap.support": "-4"}, "a handicap is"),
    ],
)
async def test_what_cannot_stand_is_said_and_what_was_typed_stays(change, said, admin) -> None:
    answer = await admin.post("/admin/accounts", data={**NEW, **change})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="Agent 9"' in answer.text
    assert NEW["password"] not in answer.text


async def test_a_masked_number_left_alone_stays(admin, rooms) -> None:
    from dashboard.accounts import Accounts

    data = {"name": "Agent 2", "role": "lead", "phone": "+1 415 ••• 0177", "serves.support": "1"}
    assert (await admin.post("/admin/accounts/agent2", data=data)).status_code == 303
    account = await Accounts(rooms.sql).find("agent2", 0)
    assert (account.phone, account.role, account.skills) == ("+14155550177", "lead", {"support": 0})
    await admin.post("/admin/accounts/agent2", data={**data, "phone": ""})
    assert (await Accounts(rooms.sql).find("agent2", 0)).phone == ""


async def test_who_is_shut_out_is_off_the_line_too(admin, rooms, clock) -> None:
    await rooms.roster.sign_in(
        "agent2", name="Agent 2", skills={"support": 0}, line="softphone", now_ms=clock.now_ms()
    )
    await rooms.roster.ready("agent2", clock.now_ms())
    assert (await admin.post("/admin/accounts/agent2/deactivate")).status_code == 303
    assert (await rooms.roster.agent("agent2")).presence == "off"
    assert (await admin.post("/admin/accounts/agent2/activate")).status_code == 303


async def test_nobody_shuts_the_door_behind_oneself(admin) -> None:
    assert (await admin.post("/admin/accounts/admin1/deactivate")).status_code == 422
    assert (await admin.get("/admin")).status_code == 200


async def test_a_new_password_is_the_only_one(admin, rooms) -> None:
    from dashboard.accounts import Accounts

    await admin.post("/admin/accounts/agent1/password", data={"password": "another good one"})
    accounts = Accounts(rooms.sql)
    assert await accounts.signed_in_by("agent1", "another good one", 0)
    assert not await accounts.signed_in_by("agent1", "correct horse battery", 0)


async def test_merchants_are_imported_and_found(admin) -> None:
    answer = await admin.post("/admin/merchants", files={"sheet": ("merchants.csv", SHEET, "text/csv")})
    assert answer.status_code == 200
    assert "2 added, 0 brought up to date" in answer.text
    page = (await admin.get("/admin/merchants", params={"q": "bakery"})).text
    assert "Corner Bakery" in page
    assert "Bay Books" not in page
    assert "+1 415 ••• 0101" in page


async def test_every_bad_line_is_named_and_nothing_imported(admin) -> None:
    answer = await admin.post("/admin/merchants", files={"sheet": ("merchants.csv", BAD, "text/csv")})
    assert answer.status_code == 422
    assert "line 2: it has no name" in answer.text
    assert "line 3: " in answer.text
    assert "platinum" in answer.text
    assert "No merchants yet" in answer.text


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe", b"a;b\n", b"x" * 8_000_001], ids=["empty", "bytes", "odd", "large"]
)
async def test_a_file_that_is_none_is_refused(content, admin) -> None:
    answer = await admin.post("/admin/merchants", files={"sheet": ("m.csv", content, "text/csv")})
    assert answer.status_code == 422
    assert "Nothing was imported" in answer.text


async def test_a_screens_link_shows_the_wallboard_and_nothing_else(admin, sign_in) -> None:
    page = (await admin.post("/admin/screens", data={"name": "hall"})).text
    link = page.split('<a href="http://desk.test/wallboard/')[1].split('"')[0]
    screen = await sign_in(None)
    wall = await screen.get(f"/wallboard/{link}")
    assert wall.status_code == 200
    assert "Longest wait" in wall.text
    assert "Sign out" not in wall.text
    assert (await screen.get("/wallboard")).status_code == 303
    assert (await screen.get("/wallboard/made-up")).status_code == 303


async def test_a_message_is_dealt_with_once(sign_in, rooms, clock) -> None:
    async with rooms.sql.session() as session:
        session.add(
            VoiceMessage(
                id="RE1", at_ms=clock.now_ms(), caller="+14155554471", merchant="Corner Bakery", length_s=47
            )
        )
        session.add(VoiceMessage(id="RE2", at_ms=clock.now_ms(), url="javascript:alert(1)"))
    boss = await sign_in("super1")
    page = (await boss.get("/messages")).text
    assert "Corner Bakery" in page
    assert "0:47" in page
    assert "javascript:" not in page
    assert (await boss.post("/messages/RE1/done")).status_code == 303
    assert "Corner Bakery" not in (await boss.get("/messages")).text
    assert "Done by super1" in (await boss.get("/messages?all=true")).text
    assert (await boss.post("/messages/RE404/done")).status_code == 404
