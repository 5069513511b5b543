"""The scorecard on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from drill import reading
from surge.rehearsals import Rehearsal

DAY_MS = 86_400_000
LEAST_SHARE = 0.005


def show(result: Mapping[str, Any], say: Console) -> None:
    """The whole card, the runs side by side; ● marks the better one."""
    runs = result["runs"]
    say.print(
        f"[bold]{result['title']}[/] · seed {result['seed']}" + (" · with faults" if result["faults"] else "")
    )
    say.print(reading.verdict(result), markup=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for run in runs:
        table.add_column(run["name"], justify="right")
    table.add_column("", style="dim")
    for part in reading.parts(result):
        table.add_row(f"[bold]{part.title}[/]")
        for line in part.lines:
            cells = [f"{'● ' if line.best == i else ''}{value}" for i, value in enumerate(line.values)]
            table.add_row(f"  {line.word}", *cells, line.note)
    table.add_row("[bold]Laws[/]")
    for law, held, broken, example in reading.laws(result):
        marks = [
            "[green]held[/]" if ok else f"[red]broken {count}×[/]"
            for ok, count in zip(held, broken, strict=True)
        ]
        table.add_row(f"  {law}", *marks, example)
    say.print(table)
    seconds = ", ".join(f"{run['real_s']:.0f} s" for run in runs)
    cpu = ", ".join(f"{run['cpu_s']:.0f} s" for run in runs)
    day = ", ".join(f"{run['day_s']:.0f} s" for run in runs)
    say.print(
        f"Played in {day} until the last call rang in, in {seconds} until all was worked off ({cpu} of CPU).",
        style="dim",
    )
    if "profile" in runs[0]:
        _show_profile(runs, say)


def _show_profile(runs: Sequence[Mapping[str, Any]], say: Console) -> None:
    """Each part's share of the CPU time, the largest of the first run first."""
    for kind, title in (("whom", "For whom"), ("what", "Doing what")):
        table = Table(box=None, pad_edge=False)
        table.add_column(title)
        for run in runs:
            table.add_column(run["name"], justify="right")
        for part, share in runs[0]["profile"][kind].items():
            if share >= LEAST_SHARE:
                others = [run["profile"][kind].get(part, 0) for run in runs]
                table.add_row(f"  {part}", *(f"{each:.1%}" for each in others))
        say.print(table)


def show_history(listed: Sequence[Rehearsal], due_ms: int | None, now_ms: int, say: Console) -> None:
    for each in listed:
        held = "every law held" if not each.broken else f"broken: {'; '.join(each.broken)}"
        say.print(f"{_day(each.at_ms)}  {each.title}, seed {each.seed}: {held}", markup=False)
    if due_ms is None:
        say.print("No drill was ever held here. One is due now: surgeline drill upserve")
    elif due_ms <= now_ms:
        say.print(f"The next one was due on {_day(due_ms)}.")
    else:
        say.print(f"The next one is due on {_day(due_ms)}, in {(due_ms - now_ms) // DAY_MS} days.")


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"
