"""``python -m drill.replay.example FOLDER``: an example history of the laboratory's outage, no real calls."""

from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path

from drill.lab.centre import Call, Centre
from drill.lab.scenarios import SURGE
from drill.replay.history import COLUMNS, STAFF_COLUMNS

SEED = 2017
EXAMPLE = replace(SURGE, horizon_s=5 * 3600)


def main(folder: Path) -> None:
    """Writes call-history.csv and call-staffing.csv."""
    centre = Centre(EXAMPLE, SEED, {})
    centre.run()
    with (folder / "call-history.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        rows.writerows(_row(number, call) for number, call in centre.calls.items())
    with (folder / "call-staffing.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(STAFF_COLUMNS)
        rows.writerows((f"{at:.0f}", agents) for at, agents in EXAMPLE.staff)


def _row(number: int, call: Call) -> list[str]:
    served = call.state == "served" and call.wait_s is not None
    answered = call.at + call.wait_s if served and call.wait_s is not None else None
    times = (
        call.at,
        answered,
        call.gone_at if call.state == "gone" else None,
        answered + call.handling_s if answered is not None else None,
    )
    return [f"c{number:05}", "support", str(call.band), *("" if at is None else f"{at:.1f}" for at in times)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
