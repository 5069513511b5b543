"""Figures for Prometheus: what this process counts, and how the centre stands, read at each scrape.

No label ever holds a number, a name or a call's id. Counters of the worker, sweeper and scribe come from
their heartbeats, so one scrape of the web tells of every process.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prometheus_client import REGISTRY, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from redis.exceptions import RedisError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callbacks.asked import REFUSED
from callbacks.limits import Limit
from foundation.breaker import BreakerState
from foundation.clock import monotonic_s
from foundation.connections import answering
from foundation.errors import Unavailable
from processes.heartbeat import Beat, heard
from processes.logs import COUNTED
from processes.opening import Stores
from queueing.records import Board

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library types most of itself, not this

SECONDS = Histogram(
    "surgeline_http_seconds",
    "Time from a request's arrival to the end of its answer, by route (the doors have their own).",
    ["route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
ANSWERS = Counter("surgeline_http_answers", "Answers, by route and class of status.", ["route", "status"])
WAITING = 503
"""Said when a store does not answer in time: the asker waits, nothing is broken. Counted by itself."""

BREAKER = {BreakerState.CLOSED: 0, BreakerState.RAMPING: 1, BreakerState.OPEN: 2}


class Timed:
    """Counts and times every answer; streams are counted, not timed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        begun_s, status, streams = monotonic_s(), 500, False

        async def told(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                streams = any(
                    name == b"content-type" and value.startswith(b"text/event-stream")
                    for name, value in message["headers"]
                )
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            ANSWERS.labels(route, "503" if status == WAITING else f"{status // 100}xx").inc()
            if not streams:
                SECONDS.labels(route, scope["method"]).observe(monotonic_s() - begun_s)


async def scrape(stores: Stores) -> bytes:
    """The text of /metrics. What does not answer is left out, and said so by ``surgeline_up``."""
    now_ms = stores.clock.now_ms()
    board: Board | None = None
    beats: list[Beat] = []
    try:
        board = await stores.line.look(now_ms)
        async with answering(stores.redis_breaker):
            beats = await heard(stores.redis, stores.centre, now_ms)
    except (Unavailable, RedisError):
        pass
    seen = CollectorRegistry(auto_describe=False)
    seen.register(_Seen([*_line(board), *_processes(beats, now_ms), *_breakers(stores), _refused()]))
    return generate_latest(REGISTRY) + generate_latest(seen)


def _refused() -> Metric:
    """What this process has refused to promise."""
    family = CounterMetricFamily(
        "surgeline_promises_refused",
        "Callbacks that were not promised, by limit.",
        labels=["limit"],
    )
    for limit in Limit:
        family.add_metric([limit.value], REFUSED[limit])
    return family


class _Seen(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _line(board: Board | None) -> list[Metric]:
    up = GaugeMetricFamily("surgeline_up", "Whether a store answered this scrape.", labels=["store"])
    up.add_metric(["redis"], 1 if board else 0)
    if board is None:
        return [up]
    waiting = GaugeMetricFamily("surgeline_waiting", "Contacts waiting.", labels=["queue"])
    oldest = GaugeMetricFamily("surgeline_longest_wait_seconds", "The longest wait now.", labels=["queue"])
    callbacks = GaugeMetricFamily(
        "surgeline_waiting_callbacks", "Callbacks among the contacts waiting.", labels=["queue"]
    )
    for queue in board.queues.values():
        waiting.add_metric([queue.queue], queue.waiting)
        callbacks.add_metric([queue.queue], queue.promises)
        oldest.add_metric([queue.queue], queue.longest_wait_ms / 1000)
    agents = GaugeMetricFamily("surgeline_agents", "Agents by presence.", labels=["presence"])
    for presence, count in board.presences.items():
        agents.add_metric([presence.value], count)
    joined = GaugeMetricFamily("surgeline_contacts", "Contacts with an agent.", labels=["state"])
    joined.add_metric(["reserved"], board.reserved)
    joined.add_metric(["connected"], board.connected)
    return [up, waiting, callbacks, oldest, agents, joined]


def _processes(beats: list[Beat], now_ms: int) -> list[Metric]:
    up = GaugeMetricFamily("surgeline_processes", "Processes heard of lately, by kind.", labels=["kind"])
    for kind in ("worker", "sweeper", "scribe"):
        up.add_metric([kind], sum(beat.kind == kind and beat.fresh(now_ms) for beat in beats))
    totals: dict[tuple[str, str], float] = {}
    for beat in beats:
        for what, count in beat.counts.items():
            totals[beat.kind, what] = totals.get((beat.kind, what), 0) + count
    for level, count in COUNTED.items():
        totals["web", f"log_{level}"] = count
    counted = CounterMetricFamily(
        "surgeline_work", "What the processes did, by name.", labels=["kind", "what"]
    )
    for (kind, what), total in sorted(totals.items()):
        counted.add_metric([kind, what], total)
    return [up, counted]


def _breakers(stores: Stores) -> list[Metric]:
    state = GaugeMetricFamily("surgeline_breaker_state", "0 closed, 1 ramping up, 2 open.", labels=["store"])
    for breaker in (stores.redis_breaker, stores.sql_breaker):
        state.add_metric([breaker.name], BREAKER[breaker.state])
    return [state]


def breaker_states(stores: Stores) -> dict[str, Any]:
    """For /readyz: each breaker's word."""
    return {breaker.name: breaker.state.value for breaker in (stores.redis_breaker, stores.sql_breaker)}
