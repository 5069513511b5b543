"""What is written down, and what never is."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from processes.logs import redact, start_logging


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    start_logging("info", "test", stream=stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_that_says_who_and_when(written: io.StringIO) -> None:
    structlog.get_logger("line").info("entered", queue="support", waiting=3)
    (line,) = lines(written)
    assert (line["event"], line["level"], line["process"], line["waiting"]) == ("entered", "info", "test", 3)
    assert line["timestamp"].endswith("Z")


def test_libraries_write_the_same_way(written: io.StringIO) -> None:
    logging.getLogger("some.library").warning("call from %s failed", "+14155550100")
    (line,) = lines(written)
    assert line["event"] == "call from •••00 failed"


def test_a_connection_given_up_by_a_deadline_is_no_error(written: io.StringIO) -> None:
    pool = logging.getLogger("sqlalchemy.pool.impl.AsyncAdaptedQueuePool")
    for failure in (asyncio.CancelledError(), OSError("disk")):
        try:
            raise failure
        except (asyncio.CancelledError, OSError):
            pool.error("Exception during reset or similar", exc_info=True)
    forgotten = "Task was destroyed but it is pending!\ntask: <Task pending coro=<%s() running>>"
    for name in ("X._terminate_graceful_close", "X.ring"):
        logging.getLogger("asyncio").error(forgotten % name)
    assert [line["level"] for line in lines(written)] == ["warning", "error", "warning", "error"]


def test_a_number_is_hidden_wherever_it_stands(written: io.StringIO) -> None:
    log = structlog.get_logger("door")
    try:
        raise ValueError("cannot dial +14155550100.")
    except ValueError:
        log.exception("rang 4155550100, then %2B14155550100", form={"From": ["+442079460000"]})
    text = written.getvalue()
    for number in ("4155550100", "442079460000"):
        assert number not in text


@pytest.mark.parametrize(
    "harmless",
    [
        "CA0123456789abcdef0123456789abcdef",
        "1700000000000-0",
        "2026-11-22T08:05:41.123456Z",
        "http://127.0.0.1:8080/voice/wait?n=3",
        "took 0.1234567 s",
        "position 123456",
    ],
)
def test_ids_and_times_are_left_alone(harmless: str) -> None:
    assert redact(harmless) == harmless


def test_counts_are_left_alone() -> None:
    assert redact({"at_ms": 1_700_000_000_000}) == {"at_ms": 1_700_000_000_000}
