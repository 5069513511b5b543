"""What alembic runs: the steps on the connection it was given, against the tables of the whole product."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from processes.migrating import learn_tables


def plain_strings(kind: str, thing: Any, _autogen: Any) -> str | Literal[False]:
    """SQLModel's own string type is an ordinary one: a step must not depend on the library's names."""
    if kind == "type" and isinstance(thing, AutoString):
        return f"sa.String(length={thing.length})" if thing.length else "sa.String()"
    return False


learn_tables()
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    compare_type=True,
    render_item=plain_strings,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
