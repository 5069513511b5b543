"""Asks each address of the status page for its page, as anybody would."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

import httpx2
import structlog

from surge import links, status_page
from surge.links import Answer
from surge.office import Watch

EVERY_MS = 60_000
ANSWER_S = 5.0
MOST_BYTES = 256_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Links:
    """The sweeper's round of them."""

    watch: Watch
    counts: Counter[str]

    async def look(self) -> float:
        """Raises Unavailable."""
        watch = self.watch
        async with client() as asker:
            urls = links.addresses(watch)
            answers = await asyncio.gather(*(ask(asker, url) for url in urls))
        now_ms = watch.clock.now_ms()
        shown = links.wanted(await status_page.status_of(watch, now_ms))
        for url, answer in zip(urls, answers, strict=True):
            fault = links.fault_of(answer, shown, now_ms)
            news = await links.looked(watch, url, fault, now_ms)
            self.counts["links_failing"] += bool(fault)
            if news == "broken":
                log.warning("an address of the status page does not show the news", url=url, why=fault)
            elif news == "mended":
                log.info("an address of the status page shows the news again", url=url)
        return EVERY_MS


def client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(timeout=ANSWER_S, follow_redirects=True, headers={"Accept": "text/html"})


async def ask(asker: httpx2.AsyncClient, url: str) -> Answer:
    """The page, at most its first ``MOST_BYTES``; never raises."""
    try:
        async with asyncio.timeout(ANSWER_S), asker.stream("GET", url) as answer:
            page = b""
            async for part in answer.aiter_bytes():
                page += part
                if len(page) >= MOST_BYTES:
                    break
            return Answer(answer.status_code, page[:MOST_BYTES].decode("utf-8", "replace"))
    except (TimeoutError, httpx2.TimeoutException):
        return Answer(why=f"no answer in {ANSWER_S:g} s")
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as away:
        return Answer(why=f"it cannot be reached ({type(away).__name__})")
