"""``[surge]`` of a centre's file: when the line protects itself, and how far, in a supervisor's units."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from carrier.numbers import normalise
from foundation.errors import Mendable
from surge.policy import MINUTE_MS, SurgePolicy, Threshold

Minutes = Annotated[float, Field(gt=0, le=1_440)]
Address = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+\S*$", max_length=400)]
Percent = Annotated[int, Field(ge=0, le=99)]


class WrittenSurge(BaseModel):
    """The table as it is written. Defaults are those of ``SurgePolicy``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    watch_enter_minutes: Minutes = 5
    watch_leave_minutes: Minutes = 3
    surge_enter_minutes: Minutes = 15
    surge_leave_minutes: Minutes = 10
    up_after_minutes: Minutes = 3
    down_after_minutes: Minutes = 10
    max_wait_minutes: Minutes = 15
    level_minutes: Minutes = 60
    stale_minutes: Minutes = 20
    nag_minutes: Minutes = 5
    repeat_minutes: Minutes = 30
    reserve_pct: Percent = 20
    soak_minutes: Minutes = 15
    cohort: int = Field(default=100, ge=1, le=10_000)
    cohort_minutes: Minutes = 5
    pause_pct: Percent = 10
    keep_minutes: float = Field(default=60, ge=0, le=1_440)
    works_hours: float = Field(default=24, gt=0, le=336)
    texts_per_hour: int = Field(default=2_000, ge=0, le=1_000_000)
    texts_per_number_per_hour: int = Field(default=6, ge=1, le=100)
    texts_per_prefix_per_hour: int = Field(default=60, ge=1, le=100_000)
    text_lag_minutes: Minutes = 10
    text_price_cents: float = Field(default=0.8, ge=0, le=100)
    never_bands: tuple[str, ...] = ()
    toggle_numbers: tuple[str, ...] = ()
    toggle_lock_minutes: Minutes = 15
    status_aliases: tuple[Address, ...] = Field(default=(), max_length=20)
    detector: Literal["suggest", "automatic", "dry_run"] = "suggest"

    def faults(self, bands: Collection[str]) -> list[str]:
        """What does not agree with the rest of the file, or with itself."""
        found = [
            f"surge.never_bands: there is no band {name}" for name in self.never_bands if name not in bands
        ]
        for number in self.toggle_numbers:
            try:
                normalise(number)
            except Mendable as bad:
                found.append(f"surge.toggle_numbers: {bad}")
        if not found:
            try:
                self.policy(("US",), 1.0)
            except Mendable as bad:
                found.append(str(bad))
        return found

    def policy(self, regions: Collection[str], text_rate_per_s: float) -> SurgePolicy:
        """The rules as the watch takes them. Raises Mendable when they cannot be kept together."""
        return SurgePolicy(
            watch=Threshold(self.watch_enter_minutes * 60, self.watch_leave_minutes * 60),
            surge=Threshold(self.surge_enter_minutes * 60, self.surge_leave_minutes * 60),
            dwell_up_ms=_ms(self.up_after_minutes),
            dwell_down_ms=_ms(self.down_after_minutes),
            max_wait_s=self.max_wait_minutes * 60,
            expires_ms=_ms(self.level_minutes),
            stale_ms=_ms(self.stale_minutes),
            nag_ms=_ms(self.nag_minutes),
            repeat_ms=_ms(self.repeat_minutes),
            reserve_pct=self.reserve_pct,
            soak_ms=_ms(self.soak_minutes),
            cohort=self.cohort,
            cohort_ms=_ms(self.cohort_minutes),
            pause_pct=self.pause_pct,
            keep_ms=_ms(self.keep_minutes),
            works_ms=_ms(self.works_hours * 60),
            text_cap_per_h=self.texts_per_hour,
            number_cap_per_h=self.texts_per_number_per_hour,
            prefix_cap_per_h=self.texts_per_prefix_per_hour,
            text_rate_per_s=text_rate_per_s,
            text_lag_ms=_ms(self.text_lag_minutes),
            text_price_cents=self.text_price_cents,
            regions=frozenset(regions),
            never_bands=frozenset(self.never_bands),
            toggle_numbers=frozenset(normalise(number) for number in self.toggle_numbers),
            toggle_lock_ms=_ms(self.toggle_lock_minutes),
            status_aliases=self.status_aliases,
            detector=self.detector,
        )


def _ms(minutes: float) -> int:
    return round(minutes * MINUTE_MS)
