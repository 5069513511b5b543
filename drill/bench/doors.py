"""`bench doors`: what one question of the hold loop costs the web process.

Signature, one script, TwiML: the product's own door against an empty answer (the floor of the server)
and against the idiomatic stack, in one run, on the same Redis with the same callers waiting. CPU is the
web process's alone.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table

from drill.bench.cpu import Tally, pin, ratio
from drill.bench.stacks import NOW_MS, POLICY, PUBLIC_URL, TOKEN
from foundation.connections import open_redis
from foundation.embedded import EmbeddedServer, find_server
from foundation.errors import Mendable
from queueing.line import Card, Line
from surge.board import board_key
from surge.directive import Directive, Told

CALLERS = 400
CONNECTIONS = 50
INCIDENT = Told(
    "IN1a2b3c4d", "major", "identified", "merchants", {"all": True}, 3, NOW_MS, {"en": "It is down."}
)
"""An incident is live, and every caller has heard of it: the hold loop of the worst day."""
PATH = (
    "/voice/wait?lang=en&q=support&b=p2&heard=~IN1a2b3c4d.3.&clip={clip}&in={entered}&said_at={said}"
    "&said_pos=11&n=1"
)
TARGET = 0.25
"""Ours costs at most this share of the idiomatic stack."""

GEO = {
    f"{side}{what}": value
    for side in ("From", "To", "Caller", "Called")
    for what, value in (("City", "SAN FRANCISCO"), ("State", "CA"), ("Zip", "94103"), ("Country", "US"))
}


def question(caller: int, turn: int) -> bytes:
    """A hold-loop webhook as Twilio sends it: thirty parameters, signed; every turn is another question."""
    # Most questions are answered with music alone: the caller was spoken to half a minute ago.
    path = PATH.format(clip=turn, entered=entered_ms(caller), said=NOW_MS - 30_000)
    form = {
        "CallSid": sid(caller),
        "AccountSid": "AC" + "0" * 32,
        "From": f"+1415555{caller:04d}",
        "To": "+14155550100",
        "Caller": f"+1415555{caller:04d}",
        "Called": "+14155550100",
        "CallStatus": "in-progress",
        "ApiVersion": "2010-04-01",
        "Direction": "inbound",
        **GEO,
        "QueueSid": "QU" + "0" * 32,
        "QueuePosition": str(caller + 1),
        "QueueTime": str(600 + turn),
        "AvgQueueTime": "300",
        "CurrentQueueSize": str(CALLERS),
        "MaxQueueSize": "5000",
    }
    text = f"{PUBLIC_URL}{path}" + "".join(name + value for name, value in sorted(form.items()))
    signature = base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()
    body = urlencode(form).encode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: voice.example.com\r\nX-Twilio-Signature: {signature}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def sid(caller: int) -> str:
    return f"CA{caller:032x}"


def entered_ms(caller: int) -> int:
    return NOW_MS - 600_000 + caller


class Web:
    """One stack in a process of its own."""

    def __init__(self, name: str, folder: str, redis_url: str) -> None:
        self.uds = f"{folder}/{name}.sock"
        words = [sys.executable, "-m", "drill.bench.stacks", name, "--uds", self.uds, "--redis", redis_url]
        self.process = subprocess.Popen(words, stdout=sys.stderr)  # ours may be for JSON alone

    async def ready(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + 120
        while loop.time() < until and self.process.poll() is None:
            with socket.socket(socket.AF_UNIX) as knock:
                if knock.connect_ex(self.uds) == 0:
                    return
            await asyncio.sleep(0.05)
        raise Mendable("A stack of the benchmark did not start; its own words are above.")

    async def ask(self, questions: Sequence[bytes]) -> list[bytes]:
        """Every question answered, over ``CONNECTIONS`` connections; bodies in the questions' order."""
        answers: list[bytes] = [b""] * len(questions)

        async def one(start: int) -> None:
            reader, writer = await asyncio.open_unix_connection(self.uds)
            for i in range(start, len(questions), CONNECTIONS):
                writer.write(questions[i])
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200"):
                    raise Mendable(f"A stack answered {head.splitlines()[0].decode()!r}, not 200.")
                length = next(
                    line for line in head.lower().splitlines() if line.startswith(b"content-length:")
                )
                answers[i] = await reader.readexactly(int(length.split(b":")[1]))
            writer.close()

        await asyncio.gather(*(one(start) for start in range(min(CONNECTIONS, len(questions)))))
        return answers


async def run(rounds: int, callers: int, say: Console) -> list[dict[str, object]]:
    """Rows of (stack, CPU in µs, multiples); the one of ours carries the target. Raises Mendable.

    ``callers`` wait, at most 10,000, and each asks once a turn.
    """
    with tempfile.TemporaryDirectory(prefix="surgeline-bench-") as folder:
        server = EmbeddedServer(Path(folder) / "redis", find_server())
        url = server.start()
        stacks = {name: Web(name, folder, url) for name in ("empty", "ours", "idiomatic")}
        try:
            await _fill(url, callers)
            for web in stacks.values():
                await web.ready()
                pin(web.process.pid, 0)
            pin(os.getpid(), 1)
            await _compare(stacks["ours"], stacks["idiomatic"], callers)
            say.print("ours and the idiomatic stack give the same documents; measuring …", style="dim")
            return _rows(await _measure(stacks, rounds, callers))
        finally:
            for web in stacks.values():
                web.process.terminate()
                web.process.wait(10)
            server.stop()


async def _fill(redis_url: str, callers: int) -> None:
    redis = open_redis(redis_url, timeout_s=5)
    line = Line(redis, POLICY)
    for caller in range(callers):
        await line.enter(
            sid(caller),
            queue="support",
            band="p2",
            card=Card(caller=f"+1415555{caller:04d}"),
            now_ms=entered_ms(caller),
        )
    await redis.set(board_key(POLICY.centre), Directive(at_ms=NOW_MS, incidents=(INCIDENT,)).packed())
    await redis.aclose()


async def _compare(ours: Web, idiomatic: Web, callers: int) -> None:
    questions = [question(caller, 0) for caller in range(callers)]
    pairs = zip(await ours.ask(questions), await idiomatic.ask(questions), strict=True)
    different = sum(_tree(a) != _tree(b) for a, b in pairs)
    if different:
        raise Mendable(f"{different} of {callers} documents differ between ours and the idiomatic stack.")


def _tree(document: bytes) -> str:
    return ElementTree.canonicalize(document.decode())


async def _measure(stacks: dict[str, Web], rounds: int, callers: int) -> dict[str, Tally]:
    tallies = {name: Tally() for name in stacks}
    turn = 0
    for number in range(rounds + 1):
        for name, web in stacks.items():
            turn += 1
            questions = [question(caller, turn) for caller in range(callers)]
            with tallies[name].counting(web.process.pid, len(questions)):
                await web.ask(questions)
            if number == 0:  # the first round warms up
                tallies[name] = Tally()
            else:
                tallies[name].close_round()
    return tallies


def _rows(tallies: dict[str, Tally]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, tally in tallies.items():
        share = ratio(tally, tallies["idiomatic"])
        rows.append(
            {
                "stack": name,
                "us": round(tally.us, 1),
                "of_idiomatic": round(share, 3),
                "of_empty": round(ratio(tally, tallies["empty"]), 2),
                "target": TARGET if name == "ours" else None,
                "met": name != "ours" or share <= TARGET,
            }
        )
    return rows


def show(rows: list[dict[str, object]], say: Console) -> None:
    page = Table(title="CPU of the web process for one hold-loop webhook (50 connections)")
    page.add_column("stack")
    for name in ("µs", "of an empty answer", "of the idiomatic stack", "target", ""):
        page.add_column(name, justify="right")
    for row in rows:
        target = f"≤ {row['target']}" if row["target"] else ""
        page.add_row(
            str(row["stack"]),
            str(row["us"]),
            f"{row['of_empty']}×",
            f"{row['of_idiomatic']}×",
            target,
            "met" if row["met"] else "MISSED",
        )
    say.print(page)
