"""What is believed of a centre before anything was seen there: from its own file, or learned elsewhere."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foundation.errors import Mendable
from queueing.estimator import Estimator
from queueing.staffing import Roster

_UNITS = {"handling_s": "seconds", "handling_cv": "a number", "hangup_per_s": "hang-ups per second"}


@dataclass(frozen=True, slots=True)
class Priors:
    """``handling_s`` by queue, "" for all the others; empty: nothing is said before a few were handled."""

    handling_s: Mapping[str, float] = field(default_factory=dict)
    handling_cv: float = 1.1
    """The coefficient of variation of handling times."""
    hangup_per_s: float = 1 / 900
    """Hang-ups per second of one who has waited nine minutes: see ``patience.Hazard``."""

    def estimator(
        self, *, roster: Roster | None = None, shares: Mapping[str, Mapping[str, float]] | None = None
    ) -> Estimator:
        """One that begins from these."""
        return Estimator(
            handling_s=dict(self.handling_s) or None,
            hangup_per_s=self.hangup_per_s,
            handling_cv=self.handling_cv,
            roster=roster,
            shares=shares,
        )

    def packed(self) -> str:
        """As the file of ``estimates replay --save``."""
        told = {
            "handling_s": dict(self.handling_s),
            "handling_cv": self.handling_cv,
            "hangup_per_s": self.hangup_per_s,
        }
        return json.dumps(told, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def unpacked(cls, text: str) -> Priors:
        """Raises Mendable for a file that is none."""
        try:
            told = json.loads(text)
        except ValueError as fault:
            raise Mendable(f"The priors are no JSON: {fault}.") from None
        return cls.of(told)

    @classmethod
    def of(cls, told: Any) -> Priors:
        """From plain values. Raises Mendable for what cannot be."""
        if not isinstance(told, dict):
            raise Mendable(f"Priors are {', '.join(_UNITS)}.")
        for strange in sorted(set(told) - set(_UNITS)):
            raise Mendable(f"Priors are {', '.join(_UNITS)}; {strange} is none of them.")
        handling = told.get("handling_s", {})
        each = handling if isinstance(handling, dict) else {"": handling}
        rest = {name: value for name, value in told.items() if name != "handling_s"}
        for name, value in [*rest.items(), *(("handling_s", value) for value in each.values())]:
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise Mendable(f"Priors: {name} must be more than nought, {_UNITS[name]}.")
        return cls(each, **rest)
