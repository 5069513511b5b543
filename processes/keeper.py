"""Keeps promises to ring back: rounds that the sweeper runs beside its own.

What is due comes into the line, the line is put right by SQL, what a dead worker had in hand is settled, and
what RQ is to do is handed to it. Any number of sweepers may do so at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError

from callbacks import merchant_first, notice, reaping, telling, upkeep
from callbacks.office import Office
from callbacks.slots import text_slot
from carrier import texts
from carrier.twilio_rest import Carrier
from foundation.errors import Unavailable
from processes.effects import FAILURE_TTL_S, RESULT_TTL_S

DUE_MS = 1_000
NOTICE_MS = 2_000
NEWS_MS = 2_000
REFILL_MS = 30_000
PUT_RIGHT_MS = 5_000
REAP_MS = 2_000
END_MS = 15_000
DIAL_MS = 1_000

TEXT_MS = 500
LOOK_UP_MS = 10_000
TEXTS_AT_ONCE = 50
NAMED_MS = 10_000
"""So long does a text's job keep its name: handed over again after that, it finds the text sent."""

RING_FIRST = "callbacks.jobs.ring_first"
SEND_TEXT = "callbacks.jobs.text"
SETTLE_TEXT = "callbacks.jobs.settle_text"

Round = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Keeper:
    """``queue``: RQ's, see ``effects.callbacks_queue``. Without a ``carrier`` nobody is rung or looked up."""

    cb: Office
    carrier: Carrier | None
    queue: Any
    counts: Counter[str]

    def rounds(self) -> dict[str, Round]:
        """The rounds by name, for ``rounds.rounds``."""
        always: dict[str, Round] = {
            "promises due": self.bring_due,
            "promises refill": self.refill,
            "promises put right": self.put_right,
            "promises end": self.end,
            "promises notice": self.notice,
            "promises news": self.tell_news,
        }
        if self.carrier is None:
            return always
        return always | {
            "attempts": self.reap,
            "merchants first": self.dial_merchants,
            "texts": self.send_texts,
            "texts unsettled": self.settle_texts,
        }

    async def bring_due(self) -> float:
        self.counts["promises_brought"] += await upkeep.bring_due(self.cb, self.cb.clock.now_ms())
        return DUE_MS

    async def notice(self) -> float:
        await notice.publish(self.cb, self.cb.clock.now_ms())
        return NOTICE_MS

    async def tell_news(self) -> float:
        self.counts["texts_written"] += await telling.tell_news(self.cb, self.cb.clock.now_ms())
        return NEWS_MS

    async def refill(self) -> float:
        await upkeep.refill(self.cb, self.cb.clock.now_ms())
        return REFILL_MS

    async def put_right(self) -> float:
        self.counts["promises_put_right"] += await upkeep.put_right(self.cb, self.cb.clock.now_ms())
        return PUT_RIGHT_MS

    async def end(self) -> float:
        now_ms = self.cb.clock.now_ms()
        self.counts["promises_expired"] += await reaping.expire(self.cb, now_ms)
        self.counts["promises_unstuck"] += await reaping.tidy(self.cb, now_ms)
        return END_MS

    async def reap(self) -> float:
        if self.carrier is not None:
            now_ms = self.cb.clock.now_ms()
            self.counts["attempts_settled"] += await reaping.reap(self.cb, self.carrier, now_ms)
            self.counts["calls_withdrawn"] += await reaping.stop_unwanted(self.cb, self.carrier, now_ms)
            self.counts["talks_ended"] += await reaping.end_talks(self.cb, self.carrier, now_ms)
        return REAP_MS

    async def dial_merchants(self) -> float:
        for chosen in await merchant_first.to_dial(self.cb, self.cb.clock.now_ms()):
            name = f"{chosen.promise}-{chosen.version}"
            self.counts["merchants_dialled"] += await self.hand_over(RING_FIRST, chosen.promise, name)
        return DIAL_MS

    async def send_texts(self) -> float:
        """Texts are handed over at the pace of the sending number."""
        now_ms = self.cb.clock.now_ms()
        async with self.cb.sql.reading() as session:
            due = await texts.due(session, now_ms, TEXTS_AT_ONCE)
        for text_id, segments in due.items():
            if not await text_slot(self.cb, segments):
                break
            name = f"{text_id}-{now_ms // NAMED_MS}"
            self.counts["texts_handed_over"] += await self.hand_over(SEND_TEXT, text_id, name)
        return TEXT_MS

    async def settle_texts(self) -> float:
        now_ms = self.cb.clock.now_ms()
        async with self.cb.sql.reading() as session:
            ids = await texts.unsettled(session, now_ms, TEXTS_AT_ONCE)
        for text_id in ids:
            await self.hand_over(SETTLE_TEXT, text_id, f"settle-{text_id}-{now_ms // NAMED_MS}")
        return LOOK_UP_MS

    async def hand_over(self, door: str, given: str, name: str) -> bool:
        """A job for RQ, once by its name. False when it was handed over before. Raises Unavailable."""
        return await asyncio.to_thread(self._enqueue, door, given, _named(f"{self.queue.name}-{name}"))

    def _enqueue(self, door: str, given: str, name: str) -> bool:
        try:
            self.queue.enqueue(
                door, given, job_id=name, unique=True, result_ttl=RESULT_TTL_S, failure_ttl=FAILURE_TTL_S
            )
        except DuplicateJobError:
            return False
        except (RedisError, OSError) as error:
            raise Unavailable(f"RQ's Redis gave no answer: {type(error).__name__}") from error
        return True


def _named(name: str) -> str:
    """A job's name is letters, digits, - and _."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "-") else "_" for c in name)
