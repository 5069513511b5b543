"""The people who may sign in: accounts in SQL, their passwords, and how sure we are of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, Table, bindparam, func
from sqlalchemy import select as sql_select
from sqlmodel import col, select

from dashboard.access import ROLES
from foundation.connections import Sql
from foundation.errors import Mendable, Unavailable
from foundation.passwords import LONGEST_PASSWORD, fits, hashed
from queueing.tables import AgentAccount

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
SHORTEST_PASSWORD = 10
FRESH_MS = 2_000
STALE_MS = 10 * 60_000


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the dashboard uses it. ``stamp`` changes with role, password and activity."""

    agent: str
    name: str
    role: str
    phone: str
    active: bool
    skills: Mapping[str, int]
    stamp: str
    password_hash: str = field(repr=False)


_ACCOUNTS: Table = AgentAccount.__table__  # type: ignore[attr-defined]  # SQLModel makes it at class creation
# Asked for every request of every agent, now and then: columns instead of an object.
_ACCOUNT = sql_select(_ACCOUNTS).where(_ACCOUNTS.c.agent == bindparam("login"))


def account_of(row: AgentAccount | Row[Any]) -> Account:
    told = f"{row.password_hash}|{row.role}|{row.active}"
    return Account(
        agent=row.agent,
        name=row.name,
        role=row.role,
        phone=row.phone or "",
        active=row.active,
        skills=dict(row.skills or {}),
        stamp=sha256(told.encode()).hexdigest()[:16],
        password_hash=row.password_hash,
    )


def check_password(password: str) -> str:
    """The password, or Mendable when it is too short or too long to be one."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Mendable(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    return password


def check_login(agent: str) -> str:
    """The login in lower case. Raises Mendable when it cannot be one."""
    login = agent.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise Mendable("A login is 1 to 64 of a-z, 0-9, '.', '-' and '_', beginning with a letter or digit.")
    return login


class Accounts:
    """Looks accounts up. What was true two seconds ago is true enough; while SQL is away, ten minutes ago."""

    def __init__(self, sql: Sql) -> None:
        self.sql = sql
        self._seen: dict[str, tuple[int, Account | None]] = {}
        self._decoy = ""

    async def find(self, agent: str, now_ms: int, *, fresh: bool = False) -> Account | None:
        """The account, or None. Raises Unavailable when SQL is away and nobody remembers."""
        seen = self._seen.get(agent)
        if seen and not fresh and now_ms - seen[0] < FRESH_MS:
            return seen[1]
        try:
            async with self.sql.reading() as session:
                connection = await session.connection()
                row = (await connection.execute(_ACCOUNT, {"login": agent})).first()
        except Unavailable:
            if seen and not fresh and now_ms - seen[0] < STALE_MS:
                return seen[1]
            raise
        account = account_of(row) if row else None
        if len(self._seen) > 5_000:
            self._seen.clear()
        self._seen[agent] = (now_ms, account)
        return account

    async def signed_in_by(self, agent: str, password: str, now_ms: int) -> Account | None:
        """The active account whose password this is. An unknown login takes as long as a wrong password."""
        account = await self.find(agent, now_ms, fresh=True)
        if account is None or not account.active or not account.password_hash:
            self._decoy = self._decoy or await hashed("nobody's password")
            await fits(password, self._decoy)
            return None
        return account if await fits(password, account.password_hash) else None

    def forget(self, agent: str) -> None:
        """Something about the account changed here: look again at once."""
        self._seen.pop(agent, None)

    async def all(self) -> list[Account]:
        async with self.sql.reading() as session:
            rows = await session.exec(select(AgentAccount).order_by(col(AgentAccount.agent)))
            return [account_of(row) for row in rows]

    async def add(
        self, *, agent: str, name: str, role: str, password: str, phone: str, skills: Mapping[str, int]
    ) -> Account:
        """A new account. Raises Mendable when something in it cannot stand, or the login is taken."""
        login, password_hash = check_login(agent), await hashed(check_password(password))
        if role not in ROLES:
            raise Mendable(f"There is no role {role!r}; there are {', '.join(ROLES)}.")
        row = AgentAccount(
            agent=login,
            name=name.strip() or login,
            role=role,
            password_hash=password_hash,
            skills=dict(skills),
            phone=phone,
            active=True,
        )
        async with self.sql.session() as session:
            if await session.get(AgentAccount, login):
                raise Mendable(f"The login {login!r} is taken.")
            session.add(row)
        self.forget(login)
        return account_of(row)

    async def change(
        self,
        agent: str,
        *,
        name: str | None = None,
        role: str | None = None,
        password: str | None = None,
        phone: str | None = None,
        skills: Mapping[str, int] | None = None,
        active: bool | None = None,
    ) -> Account:
        """Change what is given. Raises Mendable for an unknown login, or when no admin would be left."""
        if role is not None and role not in ROLES:
            raise Mendable(f"There is no role {role!r}; there are {', '.join(ROLES)}.")
        password_hash = await hashed(check_password(password)) if password is not None else None
        given = {
            "name": name.strip() or agent if name is not None else None,
            "role": role,
            "password_hash": password_hash,
            "phone": phone,
            "skills": dict(skills) if skills is not None else None,
            "active": active,
        }
        async with self.sql.session() as session:
            row = await session.get(AgentAccount, agent)
            if row is None:
                raise Mendable(f"There is no login {agent!r}.")
            was_admin = row.role == "admin" and row.active
            for field_name, value in given.items():
                if value is not None:
                    setattr(row, field_name, value)
            if was_admin and not (row.role == "admin" and row.active):
                left = select(func.count()).where(
                    col(AgentAccount.role) == "admin",
                    col(AgentAccount.active).is_(True),
                    col(AgentAccount.agent) != agent,
                )
                if not (await session.exec(left)).one():
                    raise Mendable("Nobody could administer then: make somebody else an admin first.")
            session.add(row)
        self.forget(agent)
        return account_of(row)
