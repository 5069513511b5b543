"""Text me: somebody types a number on the status page, and the code that was texted to it.

Double opt-in: without the code typed back nothing is subscribed. The number never is in an address: the page
carries a token that says nothing. Limits on what may be asked are the door's.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Sequence
from hashlib import sha256

from sqlmodel import col, select

from announcements.written import written
from carrier import texts
from carrier.tables import Text
from foundation.connections import answering
from surge.lists import live_incidents
from surge.office import Watch
from surge.tables import Subscription

CODE_S = 600
TRIES = 5
KIND = "code"
CONSENT = "code typed on the status page"


async def ask(watch: Watch, number: str, language: str, now_ms: int) -> str:
    """Text a code to ``number`` (E.164); the token that goes with it. Raises Unavailable."""
    token, code = secrets.token_urlsafe(18), f"{secrets.randbelow(1_000_000):06}"
    told = {"number": number, "language": language, "code": _hashed(watch, code)}
    body = written(language, "code_text", centre=watch.centre_name, code=code)
    async with answering():
        await watch.redis.set(_key(watch, token), json.dumps(told), ex=CODE_S)
    async with watch.sql.session() as session:
        await texts.write(
            session, Text(id=f"{KIND}.{token}", number=number, kind=KIND, body=body, made_ms=now_ms)
        )
    return token


async def confirm(watch: Watch, token: str, code: str, now_ms: int) -> int | None:
    """Subscribe the number to every live incident; how many there are. None: the code does not fit, or it is
    over. Raises Unavailable."""
    key = _key(watch, token)
    async with answering():
        text = await watch.redis.get(key)
        told = json.loads(text) if text else None
        if told is None:
            return None
        tried = await watch.redis.incr(f"{key}:tries")
        await watch.redis.expire(f"{key}:tries", CODE_S)
    if int(tried) > TRIES or not hmac.compare_digest(told["code"], _hashed(watch, code.strip())):
        return None
    async with watch.sql.session() as session:
        names = [row.id for row in await live_incidents(session)]
        known = await session.exec(
            select(Subscription).where(
                col(Subscription.number) == told["number"], col(Subscription.incident).in_(names)
            )
        )
        rows = {row.incident: row for row in known.all()}
        session.add_all(_agreed(rows.get(name), name, told, now_ms) for name in names)
    async with answering():
        await watch.redis.delete(key)
    return len(names)


def _agreed(row: Subscription | None, incident: str, told: dict[str, str], now_ms: int) -> Subscription:
    if row is not None:
        row.ended_ms, row.consent = None, CONSENT
        return row
    return Subscription(
        incident=incident,
        number=told["number"],
        language=told["language"],
        consent=CONSENT,
        made_ms=now_ms,
    )


def languages(watch: Watch, asked: str) -> str:
    """The language to write in: the one asked for when we write it, else the first of the centre."""
    known: Sequence[str] = watch.languages or ("en",)
    return asked if asked in known else known[0]


def _hashed(watch: Watch, code: str) -> str:
    return sha256(f"{watch.secret}:{code}".encode()).hexdigest()


def _key(watch: Watch, token: str) -> str:
    return f"surgeline:{{{watch.centre}}}:sign-up:{sha256(token.encode()).hexdigest()[:32]}"
