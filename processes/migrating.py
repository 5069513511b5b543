"""Bringing a database's tables up to date, and saying whether they are.

Steps only add (expand), so the version before still runs beside the version after; what is no longer used is
dropped a release later (contract).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy import exc as sql_errors
from sqlmodel import SQLModel

from foundation.errors import Unavailable
from foundation.sql import named, normalised

MODULES_WITH_TABLES = (
    "queueing.tables",
    "merchants.tables",
    "carrier.tables",
    "callbacks.tables",
    "surge.tables",
)
LOCK = 0x53_55_52_47
"""Two processes that migrate one PostgreSQL at once would trip over each other: the second waits."""


def learn_tables() -> None:
    """Import every module that declares tables, so that the metadata is whole."""
    for module in MODULES_WITH_TABLES:
        import_module(module)


def head() -> str:
    """The newest step there is."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(url: str) -> str:
    """The step the database stands at; "" before the first. Raises Unavailable when it does not answer."""
    with _connected(url) as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def upgrade(url: str, revision: str = "head") -> tuple[str, str]:
    """Take the steps up to ``revision``, all or none; (from, to). Raises Unavailable."""
    with _connected(url) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        before = MigrationContext.configure(connection).get_current_revision() or ""
        command.upgrade(_config(connection), revision)
        after = MigrationContext.configure(connection).get_current_revision() or ""
        connection.commit()
    return before, after


def differences(url: str) -> list[object]:
    """How the database's tables differ from what the code declares: empty when they agree."""
    learn_tables()
    with _connected(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))


def write_step(url: str, message: str, revision: str) -> None:
    """Draft the next step from what differs (for developers; read it before it is kept)."""
    with _connected(url) as connection:
        command.revision(_config(connection), message, autogenerate=True, rev_id=revision)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    parsed = normalised(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        parsed = parsed.set(drivername="sqlite")
    engine = create_engine(
        parsed, connect_args={} if "sqlite" in parsed.drivername else {"connect_timeout": 5}
    )
    try:
        with engine.connect() as connection:
            yield connection
    except sql_errors.OperationalError as error:
        raise Unavailable(f"the database gave no answer ({named(error)}); see DATABASE_URL") from error
    finally:
        engine.dispose()
