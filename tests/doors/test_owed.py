"""What merchants hear who ring in while they are owed a callback, and what a text about it does."""

from __future__ import annotations

import pytest

from callbacks import promises
from tests.doors.test_callback import desk, offered, promised  # noqa: F401  (fixtures)

SHOP = "+14155550003"


@pytest.fixture
async def back(offered, caller, desk):  # noqa: F811
    """Promised a callback, the same merchant rings in again."""
    await promised(await offered(SHOP))
    shop = caller(SHOP)
    await shop.ring()
    return shop


async def test_what_is_owed_and_the_choice(back):
    assert back.heard.said == (
        "Welcome back to Corner Pay. You asked us to call you back, and your place in line is kept. "
        "You already have a callback with us, and your place in line is kept. To keep it as it is, press 1. "
        "To be called later, press 2. To cancel it, press 3. "
        "To speak with us on this call, stay on the line."
    )


@pytest.mark.parametrize(
    ("key", "said", "is_open"),
    [("1", "All right, nothing has changed. We will call you back.", True),
     ("3", "Your callback is cancelled. We will not call you.", False)],
)  # fmt: skip
async def test_keep_and_cancel_are_answered_alike(back, desk, key, said, is_open):  # noqa: F811
    heard = await back.press(key)
    assert heard.said == f"{said} Thank you for calling Corner Pay. Goodbye."
    path, form, _ = back.web.asked[-1]
    assert (await back.web.twilio(path, form)).body == heard.body
    assert (await promises.find(desk.office, SHOP) is not None) is is_open


async def test_silence_stays_on_the_line_at_the_better_place(back, desk):  # noqa: F811
    promise = await promises.find(desk.office, SHOP)
    await back.say_nothing()
    now = await desk.line.contact(back.sid)
    assert (now.arrival_us, now.card.promise) == (promise.arrival_us, promise.id)
    assert "owed=1" in back.enqueued.get("waitUrl")
