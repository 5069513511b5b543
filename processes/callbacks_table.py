"""``[callbacks]`` of a centre's file: when a callback is offered, whom we ring, and when."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from callbacks.policy import MINUTE_MS, CallbackPolicy
from callbacks.states import Mode

QUIET = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"
REGION = r"^[A-Z]{2}$"

Region = Annotated[str, Field(pattern=REGION)]
Minutes = Annotated[int, Field(ge=0, le=10_080)]


class WrittenCallbacks(BaseModel):
    """The table as it is written. Defaults are those of ``CallbackPolicy``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    offer_wait_minutes: Minutes = 3
    offer_after_minutes: Minutes = 2
    offer_every: int = Field(default=3, ge=1, le=100)
    max_open: int = Field(default=500, ge=0, le=100_000)
    budget_minutes: Minutes = 0
    longest_wait_minutes: Minutes = 0
    number_a_day: int = Field(default=3, ge=1, le=1000)
    merchant_a_day: int = Field(default=10, ge=1, le=10_000)
    block_an_hour: int = Field(default=5, ge=1, le=10_000)
    text_pause_minutes: Minutes = 60
    other_number: bool = False
    regions: tuple[Region, ...] = Field(default=("US", "CA"), min_length=1)
    modes: dict[str, Mode] = {}
    tries: int = Field(default=3, ge=1, le=10)
    retry_minutes: tuple[Annotated[int, Field(ge=1, le=1440)], ...] = Field(default=(10, 60), min_length=1)
    ring_seconds: int = Field(default=25, ge=5, le=60)
    dial_seconds: int = Field(default=75, ge=20, le=300)
    claim_seconds: int = Field(default=120, ge=10, le=1800)
    assigned_minutes: int = Field(default=10, ge=1, le=1440)
    send_seconds: int = Field(default=5, ge=1, le=15)
    settle_seconds: int = Field(default=15, ge=11, le=60)
    lease_seconds: int = Field(default=30, ge=5, le=300)
    calls_per_second: float = Field(default=1.0, gt=0, le=100)
    quiet_hours: str = Field(default="21:00-08:00", pattern=QUIET)
    expires_hours: int = Field(default=24, ge=1, le=336)
    texts_per_second: float = Field(default=1.0, gt=0, le=1000)

    def faults(self, queues: Collection[str]) -> list[str]:
        """What does not agree with the rest of the file, or with itself."""
        found = [f"callbacks.modes: there is no queue {name}" for name in self.modes if name not in queues]
        if self.dial_seconds < self.ring_seconds + self.send_seconds + 10:
            found.append(
                "callbacks: dial_seconds must be ring_seconds, send_seconds and 10 more at least: "
                "the merchant picks up and presses 1 within it"
            )
        if self.settle_seconds < self.send_seconds + 10:
            found.append("callbacks: settle_seconds must be send_seconds and 10 more at least")
        return found

    def policy(self) -> CallbackPolicy:
        """The rules as the callbacks take them."""
        quiet_from, _, quiet_to = self.quiet_hours.partition("-")
        return CallbackPolicy(
            enabled=self.enabled,
            offer_wait_ms=self.offer_wait_minutes * MINUTE_MS,
            offer_after_ms=self.offer_after_minutes * MINUTE_MS,
            offer_every=self.offer_every,
            max_open=self.max_open,
            budget_ms=self.budget_minutes * MINUTE_MS,
            longest_wait_ms=self.longest_wait_minutes * MINUTE_MS,
            number_a_day=self.number_a_day,
            merchant_a_day=self.merchant_a_day,
            block_an_hour=self.block_an_hour,
            text_pause_ms=self.text_pause_minutes * MINUTE_MS,
            other_number=self.other_number,
            regions=frozenset(self.regions),
            modes=dict(self.modes),
            tries=self.tries,
            retry_ms=tuple(minutes * MINUTE_MS for minutes in self.retry_minutes),
            ring_s=self.ring_seconds,
            dial_ms=self.dial_seconds * 1000,
            claim_ms=self.claim_seconds * 1000,
            assigned_ms=self.assigned_minutes * MINUTE_MS,
            send_s=self.send_seconds,
            settle_s=self.settle_seconds,
            lease_s=self.lease_seconds,
            calls_per_s=self.calls_per_second,
            quiet_from=quiet_from,
            quiet_to=quiet_to,
            expires_ms=self.expires_hours * 60 * MINUTE_MS,
            text_rate_per_s=self.texts_per_second,
        )
