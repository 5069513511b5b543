"""``python -m drill double|actors|bench|lab|replay|rehearse …``: the rehearsal's programs."""

from __future__ import annotations

import runpy
import sys

PROGRAMS = ("double", "actors", "bench", "lab", "replay", "rehearse")

if len(sys.argv) < 2 or sys.argv[1] not in PROGRAMS:
    print(f"usage: python -m drill {{{','.join(PROGRAMS)}}} …", file=sys.stderr)
    sys.exit(2)
program = sys.argv.pop(1)
runpy.run_module(f"drill.{program}", run_name="__main__", alter_sys=True)
