"""The merchant directory: import it, find who rings, search it.

The caller opens the session and so the transaction; nothing here commits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, bindparam, insert
from sqlalchemy import select as sql_select
from sqlmodel import SQLModel, col, delete, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.sheets import BadSheet, Fault
from merchants.recognition import KnownLocation, KnownMerchant, Recognised
from merchants.sheet import LANGUAGES, TIERS, Normalise, Policy, Row, read
from merchants.tables import Location, Merchant, MerchantNumber

T = TypeVar("T")

_CHUNK = 400
"""Values in one IN list: SQLite's older limit is 999 variables."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: merchants added and updated, and the numbers and locations they now have."""

    added: int
    updated: int
    numbers: int
    locations: int


async def import_csv(
    session: AsyncSession,
    content: str | bytes,
    *,
    normalise: Normalise,
    tiers: Collection[str] = TIERS,
    languages: Collection[str] = LANGUAGES,
) -> ImportReport:
    """Take in a merchants file: all of it, or, when a line is bad, nothing.

    A merchant known by name gets the file's attributes, numbers and locations; the others are
    added; those not in the file are left alone. Raises BadSheet (a Mendable) with every bad line.

    Ten thousand merchants take seconds: open the session with time for it.
    """
    rows = await asyncio.to_thread(read, content, Policy(normalise, tiers, languages))
    known = await _known_by_key(session, rows)
    await _refuse_taken_numbers(session, rows, known)
    return await _store(session, rows, known)


async def find(session: AsyncSession, number: str) -> Recognised:
    """Who rings from ``number`` (E.164); nobody known is an empty ``Recognised``."""
    connection = await session.connection()
    rows = (await connection.execute(_WHO_RINGS, {"number": number})).all()
    if not rows:
        return Recognised()
    places = tuple(KnownLocation(row.place, row.place_name) for row in rows if row.place is not None)
    return Recognised(_known(rows[0]), places)


# Asked for every call at several doors: made once, one question for both, and columns instead of objects.
_WHO_RINGS = (
    sql_select(
        *SQLModel.metadata.tables["merchant"].c,
        col(Location.id).label("place"),
        col(Location.name).label("place_name"),
    )
    .join(MerchantNumber, col(MerchantNumber.merchant_id) == Merchant.id)
    .outerjoin(
        Location,
        (col(Location.merchant_id) == Merchant.id)
        & or_(col(MerchantNumber.location_id).is_(None), Location.id == MerchantNumber.location_id),
    )
    .where(col(MerchantNumber.number) == bindparam("number"))
    .order_by(col(Location.name))
)


async def search(
    session: AsyncSession, text: str = "", *, start: int = 0, most: int = 50
) -> list[KnownMerchant]:
    """Merchants whose name, or one of whose numbers, holds ``text``; by name."""
    statement = select(Merchant).order_by(func.lower(Merchant.name)).offset(start).limit(most)
    if text.strip():
        statement = statement.where(_matches(text.strip()))
    return [_known(merchant) for merchant in await session.exec(statement)]


async def count(session: AsyncSession) -> int:
    """How many merchants the directory holds."""
    return (await session.exec(select(func.count()).select_from(Merchant))).one()


async def numbers_of(session: AsyncSession, merchant_id: int) -> list[str]:
    """The numbers (E.164) a merchant rings from."""
    statement = select(MerchantNumber.number).where(MerchantNumber.merchant_id == merchant_id)
    return sorted(await session.exec(statement))


async def _known_by_key(session: AsyncSession, rows: Sequence[Row]) -> dict[str, Merchant]:
    """The file's merchants that the directory has already."""
    known = {}
    for keys in _chunks([row.key for row in rows]):
        for merchant in await session.exec(select(Merchant).where(col(Merchant.key).in_(keys))):
            known[merchant.key] = merchant
    return known


async def _refuse_taken_numbers(
    session: AsyncSession, rows: Sequence[Row], known: dict[str, Merchant]
) -> None:
    """Raise BadSheet when a number belongs to a merchant that the file says nothing about."""
    lines = {number: row.line for row in rows for number, _ in row.numbers}
    ours = {merchant.id for merchant in known.values()}
    faults = []
    for numbers in _chunks(list(lines)):
        statement = (
            select(MerchantNumber.number, Merchant.id, Merchant.name)
            .join(Merchant, col(MerchantNumber.merchant_id) == Merchant.id)
            .where(col(MerchantNumber.number).in_(numbers))
        )
        for number, owner, name in await session.exec(statement):
            if owner not in ours:
                faults.append(Fault(lines[number], f"the number {number} belongs to {name!r} already"))
    if faults:
        raise BadSheet(faults)


async def _store(session: AsyncSession, rows: Sequence[Row], known: dict[str, Merchant]) -> ImportReport:
    numbers, locations = 0, 0
    for merchants in _chunks([_id(merchant.id) for merchant in known.values()]):
        await session.exec(delete(MerchantNumber).where(col(MerchantNumber.merchant_id).in_(merchants)))
    for some in _chunks(rows):  # in small steps: others share the loop
        ids = await _store_merchants(session, some, known)
        places = await _store_locations(session, some, ids)
        ringing = [
            {"number": number, "merchant_id": ids[row.key], "location_id": places.get((ids[row.key], place))}
            for row in some
            for number, place in row.numbers
        ]
        await session.exec(insert(MerchantNumber), params=ringing)
        numbers += len(ringing)
        locations += len(places)
    return ImportReport(len(rows) - len(known), len(known), numbers, locations)


async def _store_merchants(
    session: AsyncSession, rows: Sequence[Row], known: dict[str, Merchant]
) -> dict[str, int]:
    """Add or update these merchants. Returns their ids by key."""
    ids, added = {}, []
    for row in rows:
        facts = {
            "name": row.name,
            "tier": row.tier,
            "product": row.product,
            "language": row.language,
            "region": row.region,
            "rail": row.rail,
            "device": ";".join(row.devices),
        }
        if merchant := known.get(row.key):
            merchant.sqlmodel_update(facts)
            ids[row.key] = _id(merchant.id)
        else:
            added.append({"key": row.key, **facts})
    await session.flush()
    if added:
        await session.exec(insert(Merchant), params=added)
        keys = [facts["key"] for facts in added]
        for key, given in await session.exec(
            select(Merchant.key, Merchant.id).where(col(Merchant.key).in_(keys))
        ):
            ids[key] = _id(given)
    return ids


async def _store_locations(
    session: AsyncSession, rows: Sequence[Row], ids: dict[str, int]
) -> dict[tuple[int, str], int]:
    """Make their locations those of the file; one that stays keeps its id. Returns the ids."""
    wanted = {(ids[row.key], name) for row in rows for name in row.locations}
    known = await _locations(session, ids.values())
    for gone in known.keys() - wanted:
        await session.exec(delete(Location).where(col(Location.id) == known[gone]))
    added = [{"merchant_id": owner, "name": name} for owner, name in sorted(wanted - known.keys())]
    if added:
        await session.exec(insert(Location), params=added)
        known = await _locations(session, ids.values())
    return {key: known[key] for key in wanted}


async def _locations(session: AsyncSession, merchants: Collection[int]) -> dict[tuple[int, str], int]:
    """The ids of these merchants' locations, by merchant and name."""
    statement = select(Location.merchant_id, Location.name, Location.id)
    statement = statement.where(col(Location.merchant_id).in_(merchants))
    return {(owner, name): _id(given) for owner, name, given in await session.exec(statement)}


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _matches(text: str) -> ColumnElement[bool]:
    found = col(Merchant.name).icontains(text, autoescape=True)
    figures = "".join(letter for letter in text if letter.isdecimal())
    if len(figures) < 3:
        return found
    ringing = select(MerchantNumber.merchant_id).where(col(MerchantNumber.number).contains(figures))
    return or_(found, col(Merchant.id).in_(ringing))


def _known(merchant: Any) -> KnownMerchant:
    """Of a ``Merchant``, or of a row of its columns."""
    return KnownMerchant(
        _id(merchant.id),
        merchant.name,
        merchant.tier,
        merchant.product,
        merchant.language,
        merchant.region,
        merchant.rail,
        tuple(device for device in merchant.device.split(";") if device),
    )


def _id(given: int | None) -> int:
    """The id of a row that is in the database."""
    assert given is not None
    return given
