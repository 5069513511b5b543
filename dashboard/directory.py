"""The merchants as the console needs them: whom a scope touches, and who is meant by a name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import col, select

from dashboard.rooms import Rooms
from foundation.errors import Mendable
from merchants.tables import Location, Merchant
from surge.matching import Caller, Scope, match, reach
from surge.states import Match

KEEP_MS = 60_000
MOST = 50_000


class Directory:
    """Read once a minute at most, for everybody in this process."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self._callers: list[Caller] = []
        self._read_ms = -KEEP_MS
        self._share: tuple[tuple[str, int], float | None] = (("", 0), None)

    async def reach(self, scope: Scope) -> dict[Match, int]:
        """How many merchants it touches, may touch and does not. Raises Unavailable."""
        return await asyncio.to_thread(reach, scope, await self.callers())

    async def share(self, scopes: Sequence[Mapping[str, Any]]) -> float | None:
        """Of the merchants, those that one of the scopes surely touches; None without merchants."""
        key = repr(scopes)
        callers = await self.callers()
        if self._share[0] != (key, self._read_ms):
            self._share = ((key, self._read_ms), await asyncio.to_thread(_share, scopes, callers))
        return self._share[1]

    async def callers(self) -> list[Caller]:
        now_ms = self.rooms.clock.now_ms()
        if not 0 <= now_ms - self._read_ms < KEEP_MS:
            async with self.rooms.sql.reading() as session:
                merchants = (await session.exec(select(Merchant).limit(MOST))).all()
                locations = (await session.exec(select(Location).limit(MOST))).all()
            shops: dict[int, list[str]] = {}
            for location in locations:
                shops.setdefault(location.merchant_id, []).append(location.name)
            self._callers = [_caller(row, tuple(shops.get(row.id or 0, ()))) for row in merchants]
            self._read_ms = now_ms
        return self._callers

    async def named(self, names: Sequence[str]) -> list[int]:
        """Their ids. Raises Mendable naming those that nobody has."""
        if not names:
            return []
        keys = {" ".join(name.split()).casefold(): " ".join(name.split()) for name in names}
        async with self.rooms.sql.reading() as session:
            rows = (await session.exec(select(Merchant).where(col(Merchant.key).in_(list(keys))))).all()
        found = {row.key: row.id for row in rows}
        missing = [name for key, name in keys.items() if key not in found]
        if missing:
            told = ", ".join(name[:60] for name in missing[:3])
            raise Mendable(f"No merchant is named: {told}. Write names as the directory does, one a line.")
        return [each for each in found.values() if each is not None]


def _share(scopes: Sequence[Mapping[str, Any]], callers: Sequence[Caller]) -> float | None:
    if not callers:
        return None
    wanted = [Scope.unpacked(scope) for scope in scopes]
    touched = sum(any(match(scope, each).match is Match.MATCH for scope in wanted) for each in callers)
    return touched / len(callers)


def _caller(row: Merchant, locations: tuple[str, ...]) -> Caller:
    def one(name: str) -> str:
        return str(getattr(row, name, "") or "")

    return Caller(
        merchant_id=row.id,
        products=(row.product,) if row.product else (),
        region=one("region"),
        rail=one("rail"),
        devices=tuple(device for device in one("device").split(";") if device),
        locations=locations,
    )
