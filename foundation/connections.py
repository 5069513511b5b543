"""Connections to Redis and SQL, with every deadline written out and no retry anywhere.

What a client library does by itself when its peer is slow (ten retries, five-second waits, a connection
per waiting call) turns a slow store into a dead product; nothing here is left to a default.
"""

from __future__ import annotations

import re

from redis import exceptions as redis_errors
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from foundation.breaker import Breaker, BreakerRules, BreakerState
from foundation.clock import monotonic_s
from foundation.errors import Unavailable
from foundation.sql import Sql, named, open_sql
from foundation.sql import not_answering as sql_not_answering
from foundation.together import Together

__all__ = [
    "Breaker",
    "BreakerRules",
    "BreakerState",
    "Sql",
    "answering",
    "open_blocking_redis",
    "open_redis",
    "open_sql",
]

LONGEST_BLOCK_S = 4.0
"""Blocking reads wait at most this long, so that a stop is noticed and no deadline is near."""


def open_redis(url: str, *, timeout_s: float = 0.25, connect_timeout_s: float = 0.5, pool: int = 20) -> Redis:
    """A client for commands that answer at once; strings in, strings out. It connects when first used.

    ``url`` is ``redis://``, ``rediss://`` or ``unix:///path.sock?db=0``. A command has ``timeout_s``; when
    all ``pool`` connections are taken it waits 0.15 s for one. Nothing is retried: a lost answer does not
    say whether the command was carried out.
    """
    return _open(Together, url, timeout_s, connect_timeout_s, pool)


def open_blocking_redis(url: str, *, pool: int = 10) -> Redis:
    """A client for reads that block (the journal's readers): ask for ``LONGEST_BLOCK_S`` at most.

    The client's own deadline lies 2 s beyond, so that it never cuts off a block which runs its course.
    """
    return _open(Redis, url, LONGEST_BLOCK_S + 2.0, 0.5, pool)


def _open(kind: type[Redis], url: str, timeout_s: float, connect_timeout_s: float, pool: int) -> Redis:
    connections = BlockingConnectionPool.from_url(
        url,
        max_connections=pool,
        timeout=0.15,
        socket_timeout=timeout_s,
        socket_connect_timeout=connect_timeout_s,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        # A new connection then costs no round trip of its own: no HELLO, no CLIENT SETINFO.
        protocol=2,
        driver_info=None,
    )
    return kind.from_pool(connections)


def answering(breaker: Breaker | None = None, *, enrichment: bool = False) -> Exchange:
    """Around one exchange with a store: its "I cannot answer now" leaves as Unavailable.

    What cannot be answered now is told apart from what is wrong: a bad command, a broken constraint or a
    missing table passes through as it is. With a ``breaker`` the exchange is refused (Unavailable) while
    the store is known not to answer, and its time and outcome are counted; keep all else outside.
    ``enrichment``: the caller has a true answer without this one, so after an outage it returns last.
    """
    return Exchange(breaker, enrichment)


class Exchange:
    """What ``answering`` gives: for one ``async with``."""

    # A class, because a generator costs as much again as all that it would wrap in the hold loop.
    __slots__ = ("_admission", "_begun_s", "_breaker", "_enrichment")

    def __init__(self, breaker: Breaker | None, enrichment: bool) -> None:
        self._breaker, self._enrichment = breaker, enrichment

    async def __aenter__(self) -> None:
        if breaker := self._breaker:
            self._begun_s = monotonic_s()
            admission = breaker.admit(self._begun_s, enrichment=self._enrichment)
            if not admission:
                raise Unavailable(f"{breaker.name} is not asked now: {breaker.state}")
            self._admission = admission

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        refused = isinstance(error, Unavailable)
        silent = not refused and isinstance(error, Exception) and _not_answering(error)
        if breaker := self._breaker:
            now_s = monotonic_s()
            slow = now_s - self._begun_s > breaker.rules.slow_s
            if error and not isinstance(error, Exception) and not slow:
                breaker.withdraw(self._admission)  # cancelled at once: it tells nothing of the store
            else:
                breaker.record(self._admission, now_s, bad=refused or silent or slow)
        if error and silent:
            name = breaker.name if breaker else "the store"
            raise Unavailable(f"{name} gave no answer: {named(error)}") from error


# Valkey begins an error with its code; Redis 6.2 wraps a script's error and puts "-CODE" inside.
_AWAY = re.compile(
    r"(?:^|-)(?:BUSY|LOADING|MISCONF|NOREPLICAS|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)\b"
)


def _not_answering(error: Exception) -> bool:
    if isinstance(error, (redis_errors.ConnectionError, redis_errors.TimeoutError)):
        return True
    if isinstance(error, (redis_errors.ReadOnlyError, redis_errors.OutOfMemoryError)):
        return True  # redis-py strips their codes
    if isinstance(error, redis_errors.ResponseError):
        return _AWAY.search(str(error)) is not None
    return sql_not_answering(error)
