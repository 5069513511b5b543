"""``surgeline estimates replay CALLS.csv``: what past callers would have been told, and what they had."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from drill.lab.rivals import RIVALS
from drill.lab.scores import Score
from drill.replay.history import History, read_calls, read_staff
from drill.replay.picture import picture
from drill.replay.report import Group, Report, figures, learned, report
from drill.replay.run import OURS, replay
from foundation.errors import Mendable
from queueing.priors import Priors

SHOWN_TROUBLES = 20


def main(argv: Sequence[str] | None = None) -> int:
    """0 when something could be scored, 1 when nothing could, 2 for a file that is no history."""
    asked = _arguments().parse_args(argv)
    say = Console(stderr=True)
    try:
        history = _history(asked.calls, asked.agents)
        priors = Priors.unpacked(_text(asked.priors)) if asked.priors else None
        ZoneInfo(asked.time_zone)
    except Mendable as error:
        say.print(str(error), style="red", highlight=False, soft_wrap=True)
        return 2
    except (ZoneInfoNotFoundError, ValueError):
        say.print(f"No time zone {asked.time_zone!r}: write one as America/New_York.", style="red")
        return 2
    _tell_troubles(history, say)
    with say.status("replaying …") as status:
        done = replay(
            history,
            priors,
            planned=asked.roster,
            progress=lambda n, of: status.update(f"replaying: {n:,} of {of:,} events"),
        )
    told = report(done.asked, least_wait_s=asked.least_wait, time_zone=asked.time_zone)
    if told.total is not None and asked.svg:
        rival = min(RIVALS, key=lambda name: told.total[name].mae_s if told.total else 0.0)
        drawn = picture(done.asked, asked.against or rival, f"Told and had: {Path(asked.calls).name}")
        Path(asked.svg).write_text(drawn, encoding="utf-8")
        say.print(f"The picture is in {asked.svg}.", highlight=False)
    if asked.save:
        Path(asked.save).write_text(learned(history.calls).packed(), encoding="utf-8")
        say.print(f"What was learned is in {asked.save}: name it in the centre's file.", highlight=False)
    if asked.json:
        troubles = [{"file": t.file, "line": t.line, "what": t.what} for t in history.troubles]
        sys.stdout.write(json.dumps({**told.shown(), "rows_left_out": troubles}, ensure_ascii=False) + "\n")
    else:
        out = Console(highlight=False)
        out.width = max(out.width, 100)
        show(told, bool(history.staff), out)
    return 0 if told.total is not None else 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="surgeline estimates replay", description=__doc__)
    parser.add_argument(
        "calls", help="CSV: call_id,queue,band,entered_s,answered_s,abandoned_s,service_end_s"
    )
    parser.add_argument(
        "--agents", help="CSV: time_s,agents (and queue, where queues have agents of their own)"
    )
    parser.add_argument(
        "--roster", action="store_true", help="the staffing was planned: the estimator may look ahead in it"
    )
    parser.add_argument("--priors", help="begin from what another replay saved")
    parser.add_argument("--save", help="write what this history teaches, as priors for a new centre (JSON)")
    parser.add_argument("--svg", default="told-and-had.svg", help="the picture; '' for none")
    parser.add_argument(
        "--against", choices=list(RIVALS), help="whom the picture compares with; else the best"
    )
    parser.add_argument(
        "--least-wait", type=float, default=5.0, help="who waited less, in s, did not wait (5)"
    )
    parser.add_argument("--time-zone", default="UTC", help="for the hours, when times are Unix seconds")
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")
    return parser


def _text(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise Mendable(f"{path} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise Mendable(f"{path} is not UTF-8 (byte {error.start}): save it so.") from None


def _history(calls: str, agents: str | None) -> History:
    history = read_calls(_text(calls), calls)
    if agents:
        history.staff, troubles = read_staff(_text(agents), agents)
        history.troubles += troubles
        unserved = {call.queue for call in history.calls} - set(history.staff)
        if "" not in history.staff and unserved:
            raise Mendable(f"{agents} has no row for queue {', '.join(sorted(unserved))}.")
    return history


def _tell_troubles(history: History, say: Console) -> None:
    if not history.troubles:
        return
    say.print(f"{len(history.troubles)} rows are left out:", style="yellow")
    for trouble in history.troubles[:SHOWN_TROUBLES]:
        say.print(
            f"  {trouble.file}, line {trouble.line}: {trouble.what}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if len(history.troubles) > SHOWN_TROUBLES:
        say.print(f"  … and {len(history.troubles) - SHOWN_TROUBLES} more (--json names them all)")


def show(told: Report, staffed: bool, out: Console) -> None:
    """The tables, for people."""
    out.print(
        f"{told.asked:,} calls; {told.passed:,} hardly waited, of {told.unknown:,} the wait never ended, to "
        f"{told.silent:,} nothing would have been told (too little seen, or nobody at work)."
    )
    if not staffed:
        out.print(
            "No --agents: as many are thought to be in as were busy at once in the last half hour.",
            style="yellow",
        )
    if told.total is None:
        out.print("Nothing was told to anybody who waited: there is nothing to score.")
        return
    out.print(_all(told.total))
    out.print(_by_group(told.groups))


def _all(total: Mapping[str, Score]) -> Table:
    table = Table(title=f"{total[OURS].calls:,} callers who waited {total[OURS].mean_s:,.0f} s on average")
    for name in ("told by", "MAE s", "RMSE s", "bias s", "in range", "late", "pinball s"):
        table.add_column(name, justify="left" if name == "told by" else "right")
    for name, one in total.items():
        seen = figures(one)
        ranged = name == OURS
        table.add_row(
            name,
            f"{seen['mae_s']:,.0f}",
            f"{seen['rmse_s']:,.0f}",
            f"{seen['bias_s']:+,.0f}",
            f"{seen['coverage']:.2f}" if ranged else "–",
            f"{seen['late']:.2f}",
            f"{seen['pinball_s']:,.0f}",
            style="bold" if ranged else "",
        )
    return table


def _by_group(each: Sequence[Group]) -> Table:
    groups = Table(
        title="Ours by group (s); others: the least RMSE of theirs", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    for name in ("", "calls", "mean", "MAE", "RMSE", "bias", "in range", "late", "pinball", "others"):
        groups.add_column(name, justify="right" if name else "left", no_wrap=True)
    before = ""
    for group in each:
        seen = figures(group.scores[OURS])
        others = [figures(group.scores[name])["rmse_s"] for name in RIVALS if name in group.scores]
        if before and group.by != before:
            groups.add_section()
        groups.add_row(
            f"{group.by} {group.name}",
            f"{seen['calls']:,}",
            *(f"{seen[name]:,.0f}" for name in ("mean_wait_s", "mae_s", "rmse_s")),
            f"{seen['bias_s']:+,.0f}",
            f"{seen['coverage']:.2f}",
            f"{seen['late']:.2f}",
            f"{seen['pinball_s']:,.0f}",
            f"{min(others):,.0f}" if others else "–",
        )
        before = group.by
    return groups


if __name__ == "__main__":
    sys.exit(main())
