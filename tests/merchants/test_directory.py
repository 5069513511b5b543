from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import phonenumbers
import pytest
from sqlmodel import SQLModel, select

from foundation.connections import Sql, open_sql
from foundation.errors import Mendable
from foundation.sheets import BadSheet
from merchants import directory
from merchants.directory import ImportReport
from merchants.recognition import Ask
from merchants.tables import MerchantNumber

HEADER = "name,tier,numbers,locations,product,language\n"
BAKERY = "Corner Bakery,gold,4155550101;4155550102=Harbor,Main St;Harbor,Till 3,es\n"
TABLES = [SQLModel.metadata.tables[name] for name in ("merchant", "merchant_location", "merchant_number")]
TACOS = "Tacos del Sol,,4155550103,,,es\n"


def normalise(written: str) -> str:
    digits = "".join(letter for letter in written if letter.isdigit())
    if len(digits) not in (10, 11):
        raise Mendable(f"{written!r} is no telephone number")
    return f"+1{digits[-10:]}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same tests on both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/surgeline.sqlite3"
    postgres: str = request.getfixturevalue("postgres_url")
    return postgres


@pytest.fixture
async def store(url: str) -> AsyncIterator[Sql]:
    """An empty directory."""
    opened = open_sql(url)
    async with opened.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all, tables=TABLES)
    yield opened
    async with opened.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.drop_all, tables=TABLES)
    await opened.close()


async def take_in(sql: Sql, *lines: str) -> ImportReport:
    async with sql.session(statement_s=15) as session:
        return await directory.import_csv(session, HEADER + "".join(lines), normalise=normalise)


async def test_a_caller_is_known_by_the_number(store: Sql):
    assert await take_in(store, BAKERY, TACOS) == ImportReport(added=2, updated=0, numbers=3, locations=2)
    async with store.reading() as session:
        bakery = await directory.find(session, "+14155550101")
        harbor = await directory.find(session, "+14155550102")
        tacos = await directory.find(session, "+14155550103")
        nobody = await directory.find(session, "+14155559999")
        withheld = await directory.find(session, "anonymous")
    assert bakery.merchant is not None
    assert (bakery.merchant.name, bakery.merchant.tier, bakery.merchant.language) == (
        "Corner Bakery",
        "gold",
        "es",
    )
    assert bakery.ask is Ask.LOCATION
    assert [place.name for place in bakery.locations] == ["Harbor", "Main St"]
    assert harbor.ask is Ask.NOTHING
    assert harbor.location is not None
    assert harbor.location.name == "Harbor"
    assert tacos.ask is Ask.NOTHING
    assert nobody.ask is withheld.ask is Ask.CARRY_ON


async def test_a_second_import_updates_by_name(store: Sql):
    await take_in(store, BAKERY, TACOS)
    async with store.reading() as session:
        before = await directory.find(session, "+14155550101")
    report = await take_in(store, "CORNER BAKERY,silver,4155550104,Harbor;Airport,Till 4,en\n")
    assert report == ImportReport(added=0, updated=1, numbers=1, locations=2)
    async with store.reading() as session:
        assert (await directory.find(session, "+14155550101")).merchant is None
        after = await directory.find(session, "+14155550104")
        assert (await directory.find(session, "+14155550103")).merchant is not None
        assert await directory.count(session) == 2
    assert after.merchant is not None
    assert before.merchant is not None
    assert (after.merchant.id, after.merchant.name) == (before.merchant.id, "CORNER BAKERY")
    assert [place.name for place in after.locations] == ["Airport", "Harbor"]
    assert before.locations[0] in after.locations  # Harbor kept its id


async def test_the_same_file_twice_changes_nothing(store: Sql):
    await take_in(store, BAKERY, TACOS)
    assert await take_in(store, BAKERY, TACOS) == ImportReport(added=0, updated=2, numbers=3, locations=2)
    async with store.reading() as session:
        assert (await directory.find(session, "+14155550102")).location is not None


async def test_numbers_may_change_hands_within_one_file(store: Sql):
    await take_in(store, BAKERY, TACOS)
    await take_in(store, "Tacos del Sol,,4155550101,,,es\n", "Corner Bakery,,4155550103,,,\n")
    async with store.reading() as session:
        found = await directory.find(session, "+14155550101")
        assert found.merchant is not None
        assert found.merchant.name == "Tacos del Sol"
        assert await directory.numbers_of(session, found.merchant.id) == ["+14155550101"]


async def test_a_number_of_somebody_else_is_refused_by_name(store: Sql):
    await take_in(store, BAKERY)
    with pytest.raises(
        BadSheet, match=r"line 2: the number \+14155550101 belongs to 'Corner Bakery' already"
    ):
        await take_in(store, "Copycat,,4155550101,,,\n", TACOS)
    async with store.reading() as session:
        assert await directory.count(session) == 1


async def test_a_bad_line_leaves_the_directory_as_it_was(store: Sql):
    await take_in(store, BAKERY)
    with pytest.raises(BadSheet):
        await take_in(store, TACOS, "Nobody,,,,,\n")
    async with store.reading() as session:
        assert await directory.count(session) == 1


async def test_search_by_a_part_of_the_name_or_the_number(store: Sql):
    await take_in(store, BAKERY, TACOS, "100% Pizza,,4155550105,,,\n")
    async with store.reading() as session:

        async def names(text: str) -> list[str]:
            return [merchant.name for merchant in await directory.search(session, text)]

        assert await names("") == ["100% Pizza", "Corner Bakery", "Tacos del Sol"]
        assert await names("bAKer") == ["Corner Bakery"]
        assert await names("%") == ["100% Pizza"]
        assert await names("555-0103") == ["Tacos del Sol"]
        assert await names("nothing") == []
        assert [m.name for m in await directory.search(session, start=1, most=1)] == ["Corner Bakery"]


async def test_the_example_directory_is_taken_in_and_its_numbers_are_real_enough(sql: Sql):
    def to_e164(written: str) -> str:
        number = phonenumbers.parse(written, "US")
        assert phonenumbers.is_valid_number(number), written
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    content = (Path(__file__).parents[2] / "examples" / "merchants.csv").read_bytes()
    async with sql.session(statement_s=15) as session:
        report = await directory.import_csv(session, content, normalise=to_e164)
        assert report.added >= 60
        bakery = await directory.find(session, "+14155550101")
        assert bakery.merchant is not None
        assert [place.name for place in bakery.locations] == ["Airport", "Harbor", "Main Street"]
        for row in (await session.exec(select(MerchantNumber.number))).all():
            assert re.fullmatch(r"\+1\d{3}55501\d\d", row)  # the range kept for fiction


async def test_ten_thousand_merchants_are_taken_in_within_seconds(sql: Sql):
    lines = [f"Shop {i},gold,415{i:07d};628{i:07d},North;South,,en\n" for i in range(10_000)]
    before_s = time.process_time()
    async with sql.session(statement_s=15) as session:
        report = await directory.import_csv(session, HEADER + "".join(lines), normalise=normalise)
    assert report == ImportReport(added=10_000, updated=0, numbers=20_000, locations=20_000)
    assert time.process_time() - before_s < 5


async def test_what_an_incident_asks_about_is_kept_and_updated(store: Sql):
    header = "name,numbers,region,rail,device\n"
    for line, expected in (
        ("west,native,V3;Printer", ("west", "native", ("V3", "Printer"))),
        (",,", ("", "", ())),
    ):
        async with store.session(statement_s=15) as session:
            content = f"{header}Corner Bakery,4155550101,{line}\n"
            await directory.import_csv(session, content, normalise=normalise)
            found = await directory.find(session, "+14155550101")
        assert found.merchant is not None
        assert (found.merchant.region, found.merchant.rail, found.merchant.devices) == expected
