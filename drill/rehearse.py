"""``surgeline drill SCENARIO``: rehearse a bad day before it comes, and see what became of every call.

Without --against the same callers are met twice, with surge mode and without it, side by side.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from drill import page, told
from drill.policies import Rules, changes, plan
from drill.scenarios import written
from drill.scenarios.written import Scenario
from drill.scorecard import differing
from foundation.clock import SystemClock
from foundation.errors import Mendable, SurgelineError
from processes.settings import read
from surge import rehearsals
from surge.rehearsals import Rehearsal

NONE = "none"
LINE = 4 * 1024 * 1024


class Failed(SurgelineError):
    """A run could not be played to its end."""


def main(argv: Sequence[str] | None = None) -> int:
    """0: played, every law held. 1: a law was broken, or it could not be played. 2: wrongly used."""
    given = _arguments().parse_args(argv)
    say = Console(stderr=True)
    try:
        if given.history:
            return _history(given.json)
        if not given.scenario:
            raise Mendable(f"Name a scenario: {', '.join(written.names())}; or a TOML file.")
        path = written.find(given.scenario)
        scenario = written.read(path)
        _can_be_written(given.html)
        rules = chosen(scenario, given.set, given.against)
        for each in rules:
            plan(scenario, each)  # a bad key is named before anything is played
        runs = asyncio.run(played(tomllib.loads(path.read_text("utf-8")), path, rules, given, say))
        return _report(path, scenario, given, runs, say)
    except Mendable as error:
        say.print(str(error), style="red", markup=False, soft_wrap=True)
        return 2
    except SurgelineError as error:
        say.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1


def _can_be_written(page_at: str) -> None:
    """Before anything is played. Raises Mendable."""
    if page_at and (not Path(page_at).parent.is_dir() or Path(page_at).is_dir()):
        raise Mendable(f"--html: {page_at} cannot be written; name a file in a folder that is there.")


def chosen(scenario: Scenario, sets: Sequence[str], against: str) -> list[Rules]:
    """The runs that are asked for. Raises Mendable for a rule that is none."""
    mine = changes(sets)
    if against == NONE or (not against and not scenario.script):
        return [Rules("as it is" if not mine else ", ".join(sets), mine)]
    if not against:
        return [Rules("with surge mode", mine), Rules("without", mine, surge=False)]
    other = against.split(",")
    return [Rules(", ".join(sets) or "as it is", mine), Rules(against, {**mine, **changes(other)})]


async def played(
    told: Mapping[str, Any], path: Path, rules: Sequence[Rules], given: argparse.Namespace, say: Console
) -> list[dict[str, Any]]:
    """Every run, side by side, each in a process of its own; in the order of the rules. Raises Failed."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with Progress(*columns, console=say, transient=True, disable=given.quiet) as bars:
        works = []
        for each in rules:
            bar = bars.add_task(each.name, total=1.0, now="")

            def tell(progress: Mapping[str, Any], bar: Any = bar) -> None:
                now = f"{progress['rang']:,} rang, {progress['waiting']:,} wait"
                bars.update(bar, completed=progress["done"], now=now)

            order = {
                "scenario": told, "named": str(path), "seed": given.seed,
                "rules": asdict(each), "faults": given.faults, "verbose": given.verbose,
                "profile": given.profile,
            }  # fmt: skip
            works.append(_run(order, tell))
        return list(await asyncio.gather(*works))


async def _run(order: Mapping[str, Any], tell: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "drill.arm", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        limit=LINE, env={**os.environ, "PYTHONHASHSEED": "0"},  # noqa: TID251 the same, and one thing more
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(order, default=str).encode())
    process.stdin.write_eof()
    try:
        async for line in process.stdout:
            said = json.loads(line)
            if "progress" in said:
                tell(said["progress"])
            elif "failed" in said:
                raise Failed(said["failed"])
            else:
                done: dict[str, Any] = said["done"]
                return {"name": order["rules"]["name"], "rules": order["rules"], **done}
        raise Failed(f"The run {order['rules']['name']!r} broke off; its last words are above.")
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _report(
    path: Path, scenario: Scenario, given: argparse.Namespace, runs: list[dict[str, Any]], say: Console
) -> int:
    zone = plan(scenario, Rules("")).written.time_zone
    result = {
        "scenario": path.stem, "title": scenario.title, "story": scenario.story.strip(), "seed": given.seed,
        "faults": given.faults, "time_zone": zone, "runs": runs,
    }  # fmt: skip
    broken = differing(run["card"] for run in runs)
    if given.html:
        Path(given.html).write_text(page.page(result), "utf-8")
    _keep(result, broken, say)
    if given.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        told.show(result, Console())
    for law in broken:
        say.print(f"Broken: {law}.", style="red", markup=False)
    return 1 if broken else 0


def _keep(result: Mapping[str, Any], broken: Sequence[str], say: Console) -> None:
    held = Rehearsal(
        SystemClock().now_ms(), result["scenario"], result["title"], result["seed"], tuple(broken)
    )
    try:
        rehearsals.keep(read().settings.surgeline_data_dir, held, result)
    except OSError as error:
        say.print(f"The drill could not be kept: {error.strerror}.", style="yellow", markup=False)


def _history(as_json: bool) -> int:
    listed = rehearsals.history(read().settings.surgeline_data_dir)
    due_ms = rehearsals.due_ms(listed[0] if listed else None)
    if as_json:
        print(json.dumps({"drills": [asdict(each) for each in listed], "due_ms": due_ms}))
    else:
        told.show_history(listed, due_ms, SystemClock().now_ms(), Console())
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="surgeline drill", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Scenarios: " + ", ".join(written.names()),
    )  # fmt: skip
    add = parser.add_argument
    add("scenario", nargs="?", default="", help="a scenario's name, or a TOML file")
    add("--seed", type=int, default=1, help="the same seed gives the same callers, and the same card")
    add("--set", action="append", default=[], metavar="KEY=VALUE",
        help="a rule of the centre's file, as in callbacks.max_open=50; repeatable")  # fmt: skip
    add("--against", default="", metavar="none|KEY=VALUE,…",
        help="other rules on the same callers (else: the same without surge mode), or none")  # fmt: skip
    add("--faults", action="store_true", help="the network doubles, delays, reorders and loses")
    add("--json", action="store_true", help="print one JSON object, and nothing else")
    add("--html", metavar="FILE", help="write the scorecard as one page with charts")
    add("--history", action="store_true", help="the drills that were held, and when the next one is due")
    add("--quiet", action="store_true", help="no progress")
    add("--profile", action="store_true", help="where the time goes, too")
    add("--verbose", action="store_true", help="the product's warnings, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
