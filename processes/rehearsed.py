"""The demo's call centre: the example's, with callbacks that a person can watch being kept.

A demo is looked at for minutes and at any hour of the day; so callbacks are offered sooner, nobody's night is
quiet, and the next try is due after minutes instead of an hour.
"""

from __future__ import annotations

from pathlib import Path

from foundation.errors import SurgelineError

TABLE = "\n[callbacks]\n"
CALLBACKS = """
[callbacks]
offer_wait_minutes = 1
offer_after_minutes = 1
offer_every = 1
modes = { hardware = "merchant_first" }
retry_minutes = [1, 2]
quiet_hours = "00:00-00:00"            # the same twice: no quiet hours
calls_per_second = 1.0
"""


class NoCentre(SurgelineError):
    """The example's file is not as it was."""


def write_centre(example: Path, path: Path) -> None:
    """Write the demo's centre file. Raises NoCentre when the example has no callbacks at its end."""
    written, table, _ = example.read_text("utf-8").partition(TABLE)
    if not table:
        raise NoCentre(f"{example} has no [callbacks] at its end.")
    path.write_text(written + CALLBACKS, "utf-8")
