"""The demo's call centre: the example's, with rules that a person can watch at work, and more merchants.

A demo is looked at for minutes and at any hour of the day; so callbacks are offered sooner, nobody's night is
quiet, the next try is due after minutes instead of an hour, and a surge is soon suggested and soon over.
"""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

from foundation.errors import SurgelineError

TABLE = "\n[callbacks]\n"
CALLBACKS = """
[callbacks]
offer_wait_minutes = 1
offer_after_minutes = 1
offer_every = 1
modes = { hardware = "merchant_first" }
block_an_hour = 20
retry_minutes = [1, 2]
quiet_hours = "00:00-00:00"            # the same twice: no quiet hours
calls_per_second = 1.0

[surge]
watch_enter_minutes = 2
watch_leave_minutes = 1
surge_enter_minutes = 5
surge_leave_minutes = 3
up_after_minutes = 0.5
down_after_minutes = 2
max_wait_minutes = 3
soak_minutes = 1
cohort = 40
cohort_minutes = 1
keep_minutes = 2
works_hours = 0.1                      # told that it is over, silence is taken for yes after six minutes
never_bands = ["p0"]
"""
MERCHANTS = 600
"""In all: a flood of the example's few would be the same shops again and again."""
STREETS = (
    "Alder,Ash,Birch,Bridge,Cedar,Chapel,Church,Elm,Forest,Front,Garden,Green,Grove,High,Hill,Juniper,Lake,"
    "Laurel,Linden,Main,Maple,Market,Meadow,Mill,Oak,Orchard,Park,Pine,River,School,Spring,Station,Sunset,"
    "Union,Valley,Walnut,Water,Willow"
)
TRADES = (
    "Bakery,Bar,Barbecue,Bistro,Books,Café,Cantina,Diner,Florist,Grill,Kitchen,Market,Noodles,Pizza,Taqueria"
)


class NoCentre(SurgelineError):
    """The example's file is not as it was."""


def write_centre(example: Path, path: Path) -> None:
    """Write the demo's centre file. Raises NoCentre when the example has no callbacks at its end."""
    written, table, _ = example.read_text("utf-8").partition(TABLE)
    if not table:
        raise NoCentre(f"{example} has no [callbacks] at its end.")
    path.write_text(written + CALLBACKS, "utf-8")


def write_merchants(example: Path, path: Path, seed: int) -> None:
    """Write the demo's merchants: the example's, and more like them, up to ``MERCHANTS``.

    Their numbers are of those kept for fiction (555-0100 to 555-0199) in the area codes of the example's.
    """
    chance, told = random.Random(seed), example.read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(told)))
    codes = sorted({row["numbers"][3:6] for row in rows})
    names = [f"{street} Street {trade}" for street in STREETS.split(",") for trade in TRADES.split(",")]
    chance.shuffle(names)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
        for count, name in enumerate(names[: MERCHANTS - len(rows)]):
            number = f"+1 {codes[count % len(codes)]} 555 {110 + count // len(codes):04}"
            like = chance.choice(rows)
            out.writerow({**like, "name": name, "tier": "standard", "numbers": number, "locations": ""})
