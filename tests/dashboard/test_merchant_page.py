"""A merchant's own page: no login, no script, and a link that does not always hold."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from callbacks import lists

# The tests' clock stands at 22:13 UTC: 14:13 in Los Angeles, where these merchants are.
ZONE = "America/Los_Angeles"


@pytest.fixture
async def browser(sign_in):  # type: ignore[no-untyped-def]
    return await sign_in(None)


async def test_place_time_and_masked_number(browser, owing) -> None:
    await owing.owe(1)
    row = await owing.owe(2, time_zone=ZONE)
    page = await browser.get(owing.path(row))
    assert page.status_code == 200
    for words in ("We call you by 14:33", "2 of 2", "+1 415 ••• 0002", "Pacific Time"):
        assert words in page.text
    assert "4155560002" not in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_in_spanish_by_the_promise(browser, owing) -> None:
    page = (await browser.get(owing.path(await owing.owe(1, language="es", time_zone=ZONE)))).text
    assert '<html lang="es"' in page
    assert "Usted es el siguiente" in page
    assert "Cancelar la llamada" in page


async def test_later_by_minutes(browser, owing, rooms, clock) -> None:
    row = await owing.owe(1, time_zone=ZONE)
    answer = await browser.post(f"{owing.path(row)}/later", data={"version": 0, "spot": "+60"})
    assert answer.headers["location"] == f"{owing.path(row)}?done=later"
    now = await lists.one(rooms.sql, row.id)
    assert (now.state, now.due_ms) == ("due_later", clock.now_ms() + 3_600_000)
    page = (await browser.get(answer.headers["location"])).text
    assert "Done. We call you later." in page
    assert "We call you after 15:13" in page


async def test_a_window_that_was_offered_and_then_as_soon_as_it_is_my_turn(browser, owing, rooms) -> None:
    row = await owing.owe(1, time_zone=ZONE)
    page = (await browser.get(owing.path(row))).text
    spots = [part.partition('"')[0] for part in page.split('name="spot" value="')[1:]]
    window = next(spot for spot in spots if "-" in spot)
    await browser.post(f"{owing.path(row)}/later", data={"version": 0, "spot": window})
    now = await lists.one(rooms.sql, row.id)
    assert (now.windowed, f"{now.due_ms}-{now.by_ms}") == (True, window)
    await browser.post(f"{owing.path(row)}/turn", data={"version": now.version})
    now = await lists.one(rooms.sql, row.id)
    assert (now.state, now.windowed) == ("in_line", False)


async def test_a_time_of_ones_own_is_on_ones_own_clock(browser, owing, rooms) -> None:
    row = await owing.owe(1, time_zone=ZONE)
    given = {"version": 0, "day": "2023-11-15", "start": "10:00", "end": "11:30"}
    assert (await browser.post(f"{owing.path(row)}/window", data=given)).status_code == 303
    now = await lists.one(rooms.sql, row.id)
    assert datetime.fromtimestamp(now.due_ms / 1000, UTC).isoformat() == "2023-11-15T18:00:00+00:00"


NEXT = "2023-11-15"
FAULTS = [
    (("2023-11-14", "09:00", "10:00"), "still to come", "por venir"),
    ((NEXT, "11:00", "10:00"), "end after it starts", "después del comienzo"),
    ((NEXT, "11:00", "11:05"), "too short", "muy poco tiempo"),
    (("2024-11-15", "10:00", "11:00"), "too far ahead", "Falta demasiado"),
    (("tomorrow", "", ""), "Write", "Escriba"),
    ((NEXT, "05:00", "06:00"), "We cannot call you in all of this", "No podemos llamarle"),
    (("", "", ""), "Write", "Escriba"),
]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("typed", "english", "spanish"), FAULTS)
async def test_a_time_that_does_not_fit_is_kept_and_told(  # type: ignore[no-untyped-def]
    typed, english, spanish, language, browser, owing, rooms
) -> None:
    row = await owing.owe(1, time_zone=ZONE, language=language)
    given = dict(zip(("day", "start", "end"), typed, strict=True))
    answer = await browser.post(f"{owing.path(row)}/window", data={"version": 0, **given})
    assert answer.status_code == 422
    fault = answer.text.partition('id="window-fault"')[2].partition("</p>")[0]
    assert (english if language == "en" else spanish) in fault
    assert f'value="{given["start"]}"' in answer.text
    assert (await lists.one(rooms.sql, row.id)).version == 0


async def test_cancel_and_a_second_press(browser, owing, rooms) -> None:
    row = await owing.owe(1)
    path = owing.path(row)
    assert (await browser.post(f"{path}/cancel", data={"version": 0})).status_code == 303
    now = await lists.one(rooms.sql, row.id)
    assert (now.state, now.ended_by) == ("cancelled", "merchant")
    twice = await browser.post(f"{path}/cancel", data={"version": 0})
    assert twice.status_code == 409
    assert "This callback is cancelled" in twice.text


async def test_an_older_page_changes_nothing(browser, owing, rooms) -> None:
    row = await owing.owe(1)
    await owing.change(row.id, tries=1)
    answer = await browser.post(f"{owing.path(row)}/later", data={"version": 0, "spot": "+30"})
    assert answer.status_code == 409
    assert "Something changed while you were reading" in answer.text
    assert (await lists.one(rooms.sql, row.id)).state == "in_line"


async def test_a_time_that_was_never_offered(browser, owing) -> None:
    row = await owing.owe(1)
    answer = await browser.post(f"{owing.path(row)}/later", data={"version": 0, "spot": "1-2"})
    assert answer.status_code == 409


@pytest.mark.parametrize("state", ["dialing", "connected"])
async def test_while_the_phone_rings_nothing_can_be_changed(state: str, browser, owing) -> None:
    row = await owing.owe(1, state=state)
    page = (await browser.get(owing.path(row))).text
    assert "You are being called now" in page
    assert "Cancel the call" not in page
    answer = await browser.post(f"{owing.path(row)}/later", data={"version": 0, "spot": "+30"})
    assert answer.status_code == 409


async def test_two_days_after_its_end_the_link_is_over(browser, owing, clock) -> None:
    row = await owing.owe(1, state="kept", ended_ms=clock.now_ms())
    assert "We have talked" in (await browser.get(owing.path(row))).text
    clock.advance(s=49 * 3600)
    gone = await browser.get(owing.path(row))
    assert gone.status_code == 410
    assert "This link is over" in gone.text


@pytest.mark.parametrize("token", ["x", "0123456789abcdef.AAAAAAAAAAAAAAAAAAAAAAAAAAA", "%F0%9F"])
async def test_a_forged_link_says_what_to_do_in_every_language(token: str, browser, owing) -> None:
    page = await browser.get(f"/c/{token}")
    assert page.status_code == 404
    assert "This link does not work" in page.text
    assert "Este enlace no funciona" in page.text
    for verb in ("later", "window", "turn", "cancel"):
        assert (await browser.post(f"/c/{token}/{verb}", data={"version": 0})).status_code == 404


async def test_too_many_requests_are_told_to_wait(browser, owing) -> None:
    path = owing.path(await owing.owe(1))
    for _ in range(60):
        await browser.get(path)
    page = await browser.get(path)
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) > 0


async def test_another_site_cannot_press_for_the_merchant(browser, owing, rooms) -> None:
    row = await owing.owe(1)
    evil = {"Origin": "https://evil.example"}
    assert (
        await browser.post(f"{owing.path(row)}/cancel", data={"version": 0}, headers=evil)
    ).status_code == 403
    assert (await lists.one(rooms.sql, row.id)).state == "in_line"


async def test_without_the_record_the_page_says_that_the_promise_stands(browser, owing, monkeypatch) -> None:
    from callbacks import promises
    from foundation.errors import Unavailable

    row = await owing.owe(1)

    async def away(*_args: object, **_more: object) -> None:
        raise Unavailable()

    monkeypatch.setattr(promises, "get", away)
    page = await browser.get(owing.path(row))
    assert page.status_code == 503
    assert "Your callback stands as it was" in page.text
