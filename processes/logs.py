"""What the processes write down: one JSON object a line, and never a phone number."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

LOOKS_LIKE_A_NUMBER = re.compile(r"(?:\+|%2B)\d{7,15}|(?<![\w.:/-])\d{7,15}(?!\w|[-.:]\d)", re.IGNORECASE)
"""A plus and seven to fifteen digits (E.164), or as many standing alone: ids carry letters or dashes."""

OURS = frozenset({"timestamp", "level", "event", "logger", "process", "pid"})

TALKATIVE = (
    *("uvicorn", "uvicorn.error", "uvicorn.access", "rq", "rq.worker", "alembic"),
    *("twilio", "twilio.async_http_client", "httpx2", "httpcore2", "aiohttp", "asyncio"),
)
"""Libraries that tell everything they do: heard from warnings on."""

COUNTED = {"error": 0, "critical": 0}
"""How many lines of these levels this process has written; its heartbeat carries the sum."""


def redact(value: Any) -> Any:
    """The value with everything that looks like a phone number replaced by its last two digits.

    The last defence: what logs masks numbers itself. Texts are searched, also inside lists and mappings;
    whole numbers (counts, milliseconds) are left alone.
    """
    if isinstance(value, str):
        return LOOKS_LIKE_A_NUMBER.sub(lambda found: f"•••{found.group()[-2:]}", value)
    if isinstance(value, MutableMapping):
        return {key: redact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    return value


def _redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event.keys() - OURS:
        event[key] = redact(event[key])
    event["event"] = redact(event.get("event", ""))
    return event


def _count(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    level = str(event.get("level", ""))
    if level in COUNTED:
        COUNTED[level] += 1
    return event


def start_logging(level: str, process: str, *, stream: TextIO | None = None, pretty: bool = False) -> None:
    """Send structlog's and the standard library's records to ``stream`` (standard error), one line each.

    ``process`` names the program in each line. ``pretty`` writes for people instead of JSON.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _naming(process),
        structlog.processors.format_exc_info,
        _redact_event,
        _count,
    ]
    last: Processor = (
        structlog.dev.ConsoleRenderer(colors=False)
        if pretty
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    written = logging.StreamHandler(stream or sys.stderr)
    written.setFormatter(formatter)
    written.addFilter(_given_up)
    root = logging.getLogger()
    root.handlers[:] = [written]
    root.setLevel(level.upper())
    for name in TALKATIVE:
        quiet = logging.getLogger(name)
        quiet.handlers[:] = []
        quiet.propagate = True
        quiet.setLevel(max(logging.getLevelName(level.upper()), logging.WARNING))


def _given_up(record: logging.LogRecord) -> bool:
    """A deadline of ours may pass while a connection is put back: SQLAlchemy drops it, as it should, and
    calls that an error; so does asyncio of the close that was begun before. It is none.
    """
    kind = record.exc_info[0] if record.exc_info else None
    pool = record.name.startswith("sqlalchemy.pool") and kind and issubclass(kind, asyncio.CancelledError)
    closing = record.name == "asyncio" and "_terminate_graceful_close" in str(record.msg)
    if pool or closing:
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def _naming(process: str) -> Callable[..., MutableMapping[str, Any]]:
    def name(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    return name
