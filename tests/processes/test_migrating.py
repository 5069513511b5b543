"""The steps lead to the tables the code declares, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from foundation.errors import Mendable, Unavailable
from foundation.sql import normalised
from processes import migrating
from processes.serve import prepare_tables
from processes.settings import Settings


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new/surgeline.db"
        return
    server: str = request.getfixturevalue("postgres_url")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE steps"))
        yield server.replace("/postgres?", "/steps?")
        connection.execute(text("DROP DATABASE steps WITH (FORCE)"))
    engine.dispose()


def test_the_steps_lead_to_what_the_code_declares(url: str) -> None:
    assert migrating.upgrade(url) == ("", migrating.head())
    # Another file's tests may have declared a table of their own in this process.
    ours = [told for told in migrating.differences(url) if "foundation_test_" not in repr(told)]
    assert ours == []


def test_taken_twice_they_change_nothing(url: str) -> None:
    migrating.upgrade(url)
    assert migrating.upgrade(url) == (migrating.head(), migrating.head())


def test_before_the_first_step_all_tables_are_missing(url: str) -> None:
    assert migrating.current(url) == ""
    assert migrating.differences(url)


def test_the_contacts_of_the_version_before_are_kept_and_it_may_go_on_writing_them(url: str) -> None:
    """While a new version takes over, the old one still writes."""
    migrating.upgrade(url, "0001")
    engine = create_engine(
        normalised(url).set(drivername="sqlite") if url.startswith("sqlite") else normalised(url)
    )
    texts = "last_queue, band, caller, merchant, location, tier, product, language, topic, disposition, agent"
    counts = "entered_ms, talk_ms, wrap_ms, handling_ms, missed, transfers"
    columns = f"contact, queue, {texts}, outcome, note, {counts}, resumed"
    blank = ", ".join(["''"] * 13 + ["0"] * 6 + ["false"])
    write = "INSERT INTO contact ({}) VALUES (:contact, 'support', {})"
    for contact in ("CA1", "CA2"):
        with engine.begin() as connection:
            connection.execute(text(write.format(columns, blank)), {"contact": contact})
        migrating.upgrade(url)
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT contact, promise FROM contact ORDER BY contact")).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("CA1", ""), ("CA2", "")]


def test_the_merchants_of_the_version_before_are_kept_and_it_may_go_on_writing_them(url: str) -> None:
    migrating.upgrade(url, "0002")
    engine = create_engine(
        normalised(url).set(drivername="sqlite") if url.startswith("sqlite") else normalised(url)
    )
    write = (
        "INSERT INTO merchant (name, key, tier, product, language) VALUES (:name, :name, 'gold', '', 'en')"
    )
    for name in ("ann", "bob"):
        with engine.begin() as connection:
            connection.execute(text(write), {"name": name})
        migrating.upgrade(url)
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT name, region, rail, device FROM merchant ORDER BY name")).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [("ann", "", "", ""), ("bob", "", "", "")]


def test_a_step_that_fails_leaves_nothing_behind(url: str) -> None:
    with pytest.raises(Exception, match="no_such_step"):
        migrating.upgrade(url, "no_such_step")
    assert migrating.current(url) == ""


def test_a_database_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        migrating.current("postgresql://nobody@127.0.0.1:9/none")


def test_serve_brings_its_own_file_up_to_date_but_not_a_shared_database(
    tmp_path: Path, postgres_url: str
) -> None:
    own = Settings(surgeline_data_dir=tmp_path)
    prepare_tables(own)
    assert migrating.current(own.database) == migrating.head()
    with pytest.raises(Mendable, match="surgeline migrate"):
        prepare_tables(Settings(database_url=postgres_url))
