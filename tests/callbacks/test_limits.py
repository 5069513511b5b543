"""Too many callbacks asked for are refused: by number, by merchant, and number after number of one block."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callbacks import asked, promises
from callbacks.limits import Asked, Limit, TooMany, block, reached
from callbacks.making import NewPromise
from callbacks.policy import CallbackPolicy
from foundation.errors import Mendable
from queueing.records import Card
from tests.callbacks.office import NUMBER, Staff

RULES = CallbackPolicy()


@pytest.fixture
def office(staff: Staff) -> Staff:
    """An office with the usual limits."""
    return Staff(staff.redis, staff.sql, staff.clock, policy=RULES)


@pytest.mark.parametrize(
    ("told", "limit"),
    [
        (Asked(), None),
        (Asked(number_day=2, merchant_day=9, block_hour=4), None),
        (Asked(number_day=3), Limit.NUMBER),
        (Asked(merchant_day=10), Limit.MERCHANT),
        (Asked(block_hour=5), Limit.BLOCK),
        (Asked(block_hour=5, known=True), None),
    ],
)
def test_the_limit_that_is_reached(told: Asked, limit: Limit | None) -> None:
    assert reached(RULES, told, "phone") is limit
    assert reached(RULES, told, "text") is limit
    assert reached(RULES, told, "desk") is None


def test_a_block_is_ten_thousand_numbers() -> None:
    assert block("+14155550123") == block("+14155559999") == "+1415555"
    assert block("+14155560123") != block("+14155550123")


@pytest.mark.parametrize("name", ["number_a_day", "merchant_a_day", "block_an_hour"])
def test_a_limit_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(Mendable, match="1 or more"):
        replace(RULES, **{name: 0})


async def over(
    office: Staff, number: str = NUMBER, made_by: str = "phone", merchant: int | None = None
) -> None:
    """Asked for, and withdrawn again."""
    request = promises.NewPromise(number, "support", "p2", Card(merchant_id=merchant), made_by=made_by)
    made = await promises.make(office.cb, request, office.now_ms)
    await promises.cancel(office.cb, made.promise.id, "not needed", "merchant", office.now_ms)
    office.clock.advance(s=1)


async def test_the_fourth_callback_of_a_number_in_a_day_is_refused_and_counted(office: Staff) -> None:
    before = asked.REFUSED[Limit.NUMBER]
    for _ in range(3):
        await over(office)
    with pytest.raises(TooMany, match="can ask again tomorrow") as refused:
        await over(office)
    assert refused.value.code is Limit.NUMBER
    assert asked.REFUSED[Limit.NUMBER] == before + 1
    assert await promises.find(office.cb, NUMBER) is None
    await over(office, made_by="desk")
    office.clock.advance(minutes=24 * 60)
    await over(office)


async def test_an_open_promise_is_told_however_many_there_were(office: Staff) -> None:
    for _ in range(2):
        await over(office)
    third = await office.asks()
    again = await office.asks()
    assert (again.promise.id, again.fresh) == (third.promise.id, False)


async def test_the_eleventh_callback_of_a_merchant_in_a_day_is_refused(office: Staff) -> None:
    for n in range(10):
        await over(office, f"+1415555012{n}", merchant=7)
        office.clock.advance(minutes=20)  # not many of a block in an hour
    with pytest.raises(TooMany) as refused:
        await over(office, "+12125550123", merchant=7)
    assert refused.value.code is Limit.MERCHANT
    await over(office, "+12125550123", merchant=8)


async def test_number_after_number_of_a_block_is_refused_and_known_ones_are_not(office: Staff) -> None:
    await over(office, "+14155550120")
    office.clock.advance(minutes=61)
    for n in range(1, 6):
        await over(office, f"+1415555012{n}")
    with pytest.raises(TooMany) as refused:
        await over(office, "+14155550126")
    assert refused.value.code is Limit.BLOCK
    await over(office, "+14155550120")
    await over(office, "+12125550123")
    office.clock.advance(minutes=61)
    await over(office, "+14155550126")


async def test_merchants_of_one_neighbourhood_are_no_pumping(office: Staff) -> None:
    """In an outage they all ring at once, and their numbers are alike."""
    for n in range(20):
        card = Card(caller=f"+1415556{n:04}", merchant_id=n + 1, merchant=f"Shop {n}")
        request = NewPromise(f"+1415556{n:04}", "support", "p2", card)
        await promises.make(office.cb, request, office.now_ms)
    # ... and strangers are still counted by themselves.
    for n in range(office.policy.block_an_hour):
        await office.asks(number=f"+1415556{1000 + n}")
    with pytest.raises(TooMany):
        await office.asks(number="+14155562000")
