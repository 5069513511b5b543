"""Connections to Redis and SQL, with every deadline written out and no retry anywhere.

What a client library does by itself when its peer is slow (ten retries, five-second waits, a connection
per waiting call) turns a slow store into a dead product; nothing here is left to a default.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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


@asynccontextmanager
async def answering(breaker: Breaker | None = None, *, enrichment: bool = False) -> AsyncIterator[None]:
    """Around one exchange with a store: its "I cannot answer now" leaves as Unavailable.

    What cannot be answered now is told apart from what is wrong: a bad command, a broken constraint or a
    missing table passes through as it is. With a ``breaker`` the exchange is refused (Unavailable) while
    the store is known not to answer, and its time and outcome are counted; keep all else outside.
    ``enrichment``: the caller has a true answer without this one, so after an outage it returns last.
    """
    name = breaker.name if breaker else "the store"
    begun_s = monotonic_s()
    admission = breaker.admit(begun_s, enrichment=enrichment) if breaker else None
    if breaker and not admission:
        raise Unavailable(f"{name} is not asked now: {breaker.state}")
    failed = gave_up = False
    try:
        yield
    except Unavailable:
        failed = True
        raise
    except Exception as error:
        failed = _not_answering(error)
        if not failed:
            raise
        raise Unavailable(f"{name} gave no answer: {named(error)}") from error
    except BaseException:
        gave_up = True
        raise
    finally:
        if breaker and admission:
            now_s = monotonic_s()
            slow = now_s - begun_s > breaker.rules.slow_s
            if gave_up and not slow:
                breaker.withdraw(admission)  # cancelled at once: it tells nothing of the store
            else:
                breaker.record(admission, now_s, bad=failed or slow)


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
