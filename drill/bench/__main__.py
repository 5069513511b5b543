"""`surgeline bench line|doors|all|estimates …`: measure, compare in one run, print the ratios."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from drill.bench import doors, line
from drill.bench.cpu import pin
from drill.bench.crowd import Crowd, resp
from drill.lab import __main__ as lab
from foundation.embedded import EmbeddedServer, find_server
from foundation.errors import SurgelineError


async def bench_line(
    rounds: int, batches: int, depths: tuple[int, ...], say: Console
) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory(prefix="surgeline-bench-") as folder:
        server = EmbeddedServer(Path(folder), find_server())
        server.start()
        try:
            crowd = await Crowd.at(str(server.socket_path))
            (told,) = await crowd.ask([resp("INFO", "server")])
            assert isinstance(told, bytes)
            pid = next(int(row[11:]) for row in told.decode().splitlines() if row.startswith("process_id:"))
            pin(pid, 0)
            pin(os.getpid(), 1)
            bench = line.Bench(crowd, pid)
            await bench.prepare()
            measured = {}
            for depth in depths:
                say.print(f"filling the line to {depth:,} and measuring …", style="dim")
                await bench.fill(depth)
                measured[depth] = await bench.measure(rounds, batches)
            return line.rows(measured)
        finally:
            server.stop()


def show_line(table: list[dict[str, object]], say: Console) -> None:
    depths: dict[int, float] = table[0]["ratios"]  # type: ignore[assignment]  # rows() made it so
    page = Table(
        title="Server CPU per operation, as a multiple of a script that does nothing (50 connections)"
    )
    page.add_column("operation")
    for depth in depths:
        page.add_column(f"{depth:,} waiting", justify="right")
    for name in ("growth", "µs", "target", ""):
        page.add_column(name, justify="right")
    for row in table:
        ratios: dict[int, float] = row["ratios"]  # type: ignore[assignment]
        page.add_row(
            str(row["operation"]),
            *(f"{value:.2f}×" for value in ratios.values()),
            f"{row['growth']}",
            f"{row['us']}",
            f"≤ {row['target']}" if row["target"] else "",
            "met" if row["met"] else "MISSED",
        )
    say.print(page)
    say.print(f"Growth from the shallowest to the deepest line: at most {line.GROWTH}.", style="dim")


async def measured(what: str, rounds: int, say: Console) -> list[dict[str, Any]]:
    if what == "line":
        return await bench_line(rounds, 8, line.DEPTHS, say)
    return await doors.run(rounds, doors.CALLERS, say)


def main(argv: list[str] | None = None) -> int:
    """0 when every target is met, 1 when one is missed or nothing could be measured."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["estimates"]:  # the estimator's accuracy: no speed, and its own arguments
        return lab.main(argv[1:])
    parser = argparse.ArgumentParser(prog="surgeline bench", description=__doc__)
    parser.add_argument("what", choices=("line", "doors", "all"), help="or estimates, with its own options")
    parser.add_argument("--rounds", type=int, default=7, help="medians are taken over so many rounds")
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")
    asked = parser.parse_args(argv)
    if asked.rounds < 1:
        parser.error("--rounds: at least 1")
    say = Console(stderr=asked.json)
    tables: dict[str, list[dict[str, Any]]] = {}
    try:
        for what in SHOW if asked.what == "all" else (asked.what,):
            tables[what] = asyncio.run(measured(what, asked.rounds, say))
            SHOW[what](tables[what], say)
    except (SurgelineError, OSError) as error:
        Console(stderr=True).print(str(error), style="red")
        return 1
    met = all(row["met"] for table in tables.values() for row in table)
    if asked.json:
        sys.stdout.write(json.dumps({"met": met, "benches": tables}) + "\n")
    return 0 if met else 1


SHOW = {"line": show_line, "doors": doors.show}

if __name__ == "__main__":
    sys.exit(main())
