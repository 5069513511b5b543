"""Upserve, 7 February 2017: a backend became slow at dinner time, no alarm rang, and the support line was the
first to know. Callers heard a recorded message that helped nobody, and did not know of the status page.

Lessons: the line itself finds it, and says what rings; callers are told first, and get the page by text; who
gave up before anybody knew is followed up all the same.
"""

from __future__ import annotations

from sqlalchemy import insert

from queueing.states import Disposition
from queueing.tables import Contact
from surge import suggestions, switch
from surge.states import Level
from tests.wire.stories.centre import PAYMENTS, TAKES_THE_TEXT, Centre, comes_to

DINERS = 40
MERCHANTS = "name,numbers,product,device\n" + "".join(
    f"Diner {number},+1 415 555 {1000 + number},{'Breadcrumb' if number < 36 else 'Reservations'},iPad\n"
    for number in range(DINERS)
)
WEEK_MS, MINUTE_MS = 7 * 24 * 3_600_000, 60_000
WORDS = "Breadcrumb tills are slow for everybody. Our engineers look for the cause."


async def six_usual_weeks(upserve: Centre, now_ms: int) -> None:
    """A call every other minute of these hours, about anything, from everybody."""

    def usual(week: int, minute: int) -> dict[str, object]:
        topic = ("payments", "hardware", "outage")[minute // 2 % 3]
        product = "Breadcrumb" if minute // 2 % 2 else "Reservations"
        at_ms = now_ms - week * WEEK_MS + minute * MINUTE_MS
        told = {"contact": f"CAusual{week}.{minute}", "topic": topic, "product": product}
        return {**told, "entered_ms": at_ms, "answered_ms": at_ms, "disposition": Disposition.ANSWERED}

    rows = [usual(week, minute) for week in range(1, 7) for minute in range(-150, 150, 2)]
    async with upserve.desk.sql.session(statement_s=20) as session:
        await (await session.connection()).execute(insert(Contact), rows)


async def test_the_line_finds_it_and_tells(centre, clock):
    comes_to(clock, 1, 21)
    upserve = await centre(MERCHANTS)
    await six_usual_weeks(upserve, clock.now_ms())
    await upserve.goes_by(3)
    assert await upserve.timeline("suggested") == []

    # 21:03, and everybody rings: the same menu choice, again and again. Nobody has declared anything.
    began_ms, early = clock.now_ms(), []
    for number in range(32):
        leg = await upserve.rings(f"+1415555{1000 + number}", presses=[PAYMENTS], patience_s=150)
        early.append(leg)
        await upserve.goes_by(0.125, step_s=7.5)
        if await upserve.timeline("suggested"):
            break
    (found, *_) = await suggestions.open_now(upserve.desk.sql, clock.now_ms())
    assert clock.now_ms() - began_ms < 4 * MINUTE_MS
    assert found.level is Level.SURGE
    assert (
        "What rings: menu choice payments: 100% of the calls, usually 33%; product Breadcrumb: " in found.why
    )
    assert "device" not in found.why  # nothing is known of the devices of earlier weeks
    assert "As of" not in upserve.heard_by(early[0])

    # The lead takes the suggestion and says one true thing.
    await upserve.lead.accepts(found.id)
    incident = await upserve.lead.declares(
        "Breadcrumb is slow", WORDS, products="Breadcrumb", topic="payments", suggestion=str(found.id),
        do="Let the till go offline, it goes on taking orders", dont="Do not force-quit the app",
    )  # fmt: skip
    assert switch.in_force(await switch.state(upserve.desk.watch), clock.now_ms()) is Level.SURGE
    assert WORDS in upserve.public_page()

    # From the next call on they are told first, and leave with the page in a text.
    told = await upserve.calls_in("+14155551034", **TAKES_THE_TEXT, s=70)
    assert upserve.after_s(told, WORDS) < 15
    assert "Important: Do not force-quit the app." in upserve.heard_by(told)
    assert told.ended
    (text,) = upserve.read_by("+14155551034")
    assert "Do not force-quit the app" in text
    assert text.endswith("All updates: http://127.0.0.1:8080/status")
    assert WORDS in await upserve.lead.opens("/status")
    # Who is on hold is told there, once; who rings about another product is not told.
    holding = next(leg for leg in early if not leg.ended)
    assert upserve.heard_by(holding).count(WORDS) == 1
    other = await upserve.calls_in("+14155551037", presses=[PAYMENTS], s=20)
    assert WORDS not in upserve.heard_by(other)
    await upserve.hangs_up(other)

    # Who lost patience before anybody knew is followed up about this, like who was turned to a text.
    await upserve.goes_by(4, step_s=30)
    ledger = await upserve.ledger(incident)
    assert {row.why for row in ledger.values()} == {"abandoned", "deflected"}
    assert {leg.from_ for leg in early} <= set(ledger)
    assert "+14155551037" not in ledger
