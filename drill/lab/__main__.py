"""``python -m drill lab``, ``surgeline bench estimates``: the estimator against its rivals and its
targets.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from drill.lab import bench, cost
from drill.lab.bench import FRESH, OURS, Row
from drill.lab.scenarios import SCENARIOS


def show(rows: list[Row], say: Console) -> None:
    page = Table(title="RMSE over the mean wait, told on arrival; the wait of one who stays")
    for name in (
        "scenario",
        "mean wait s",
        "target",
        "ours",
        "±",
        "bias",
        "in range",
        "late",
        *others(rows),
        "",
    ):
        page.add_column(name, justify="left" if name in ("scenario", "") else "right")
    for row in rows:
        ours = row.scores[OURS]
        page.add_row(
            row.title,
            f"{ours.mean_s:,.0f}",
            f"≤ {row.target:g}",
            f"{ours.rrmse:.3f}",
            f"{row.error:.3f}",
            f"{ours.bias:+.3f}",
            f"{ours.covered:.2f}",
            f"{ours.late:.3f}",
            *(f"{row.scores[name].rrmse:.2f}" for name in others(rows)),
            "; ".join(row.missed) or "met",
        )
    say.print(page)


def others(rows: list[Row]) -> list[str]:
    return [name for name in rows[0].scores if name != OURS]


def markdown(rows: list[Row]) -> str:
    """The same, as it stands in docs/estimates.md."""
    names = others(rows)
    lines = [
        "| scenario | mean wait s | target | **ours** | ± | bias | in range | late | "
        + " | ".join(names)
        + " | |",
        "|---|" + "---|" * (len(names) + 8),
    ]
    for row in rows:
        ours = row.scores[OURS]
        cells = [row.title, f"{ours.mean_s:,.0f}", f"≤ {row.target:g}", f"**{ours.rrmse:.3f}**"]
        cells += [f"{row.error:.3f}", f"{ours.bias:+.3f}", f"{ours.covered:.2f}", f"{ours.late:.3f}"]
        cells += [f"{row.scores[name].rrmse:.2f}" for name in names]
        cells += ["; ".join(row.missed) or "met"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    """0 when every target is met, 1 when one is missed, 2 for an unknown scenario."""
    parser = argparse.ArgumentParser(prog="surgeline bench estimates", description=__doc__)
    parser.add_argument("scenarios", nargs="*", help="all when none is named: " + ", ".join(SCENARIOS))
    parser.add_argument("--first-seed", type=int, default=FRESH.start)
    parser.add_argument("--seeds", type=int, default=len(FRESH), help="how many runs of each")
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/estimates.md")
    asked = parser.parse_args(argv)
    unknown = [name for name in asked.scenarios if name not in SCENARIOS]
    if unknown or asked.seeds < 1:
        parser.error(f"no such scenario: {', '.join(unknown)}" if unknown else "--seeds: at least 1")
    say = Console(stderr=asked.json or asked.markdown)
    say.print("simulating …", style="dim")
    rows = bench.rows(
        asked.scenarios or list(SCENARIOS), range(asked.first_seed, asked.first_seed + asked.seeds)
    )
    price = cost.measure()
    met = not any(row.missed for row in rows) and price.met
    if asked.json:
        told = [asdict(row) | {"missed": row.missed} for row in rows]
        sys.stdout.write(json.dumps({"met": met, "rows": told, "cost": asdict(price)}) + "\n")
    elif asked.markdown:
        sys.stdout.write(markdown(rows))
    else:
        show(rows, say)
    say.print(
        f"At {cost.WAITING:,} waiting: one estimate {price.one_us:.0f} µs (≤ {cost.ONE_US:.0f}), "
        f"one event {price.event_us:.0f} µs, all who wait {price.all_ms:.0f} ms (≤ {cost.ALL_MS:.0f}); "
        f"the pulse {price.pulse_ms:.0f} ms a second, a door that reads {price.look_up_us:.0f} µs."
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
