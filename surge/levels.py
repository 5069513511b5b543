"""Which level the figures speak for: a suggestion, with hysteresis and dwell, and with an end.

Pure. The sensor keeps only since when the wait has been above or below each threshold; the level in force is
somebody else's. "Closed to new" is never suggested: two people decide it.
"""

from __future__ import annotations

from dataclasses import dataclass

from surge.policy import MINUTE_MS, SurgePolicy, Threshold
from surge.states import Level

GAP_MS = 2 * MINUTE_MS
"""After so long without a reading nothing is known of the time between: the dwell begins anew."""
RENEW_MS = 10 * MINUTE_MS
"""So long before a level ends it is suggested to renew it, while it is still needed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The line at one moment. ``wait_s``: a newcomer's predicted wait (p50); infinite when people wait and
    nobody serves, None when nothing honest can be said. ``spike``: the detector's sum."""

    at_ms: int
    wait_s: float | None
    spike: float = 0.0


@dataclass(frozen=True, slots=True)
class Sensor:
    """Since when (epoch milliseconds) the wait is above where a level is entered, or it is quiet and below
    where it is left; None: it is not."""

    read_ms: int | None = None
    over_watch_ms: int | None = None
    over_surge_ms: int | None = None
    under_watch_ms: int | None = None
    under_surge_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``why`` is one sentence. ``expires_ms``: when the level is to end, unless renewed; None for calm."""

    level: Level
    why: str
    expires_ms: int | None = None


def step(
    policy: SurgePolicy, sensor: Sensor, reading: Reading, here: Level, ends_ms: int | None = None
) -> tuple[Sensor, Suggestion | None]:
    """The sensor after a reading, and the level it speaks for if that is not ``here`` (or ``here``, to renew
    it before ``ends_ms``).

    Up: above the threshold for ``dwell_up_ms``, or at once at a spike's alarm. Down: below the lower one, and
    no spike building up, for ``dwell_down_ms``.
    """
    now = _read(policy, sensor, reading)
    suggested = _up(policy, now, reading, here) or _down(policy, now, reading, here)
    return now, suggested or _renewed(policy, reading, here, ends_ms)


def _read(policy: SurgePolicy, sensor: Sensor, reading: Reading) -> Sensor:
    at_ms, wait_s = reading.at_ms, reading.wait_s
    gap = sensor.read_ms is None or not 0 <= at_ms - sensor.read_ms <= GAP_MS
    known = Sensor() if gap else sensor
    quiet = reading.spike <= policy.cusum_alarm / 2

    def since(clock_ms: int | None, holds: bool) -> int | None:
        return (at_ms if clock_ms is None else clock_ms) if holds else None

    def over(threshold: Threshold) -> bool:
        return wait_s is not None and wait_s > threshold.enter_s

    def under(threshold: Threshold) -> bool:
        return wait_s is not None and wait_s < threshold.leave_s and quiet

    return Sensor(
        at_ms,
        since(known.over_watch_ms, over(policy.watch)),
        since(known.over_surge_ms, over(policy.surge)),
        since(known.under_watch_ms, under(policy.watch)),
        since(known.under_surge_ms, under(policy.surge)),
    )


def _up(policy: SurgePolicy, now: Sensor, reading: Reading, here: Level) -> Suggestion | None:
    if here < Level.SURGE and reading.spike > policy.cusum_alarm:
        return _until(
            policy, reading, Level.SURGE, "Far more calls come in than at this hour of other weeks."
        )
    for level, clock_ms in ((Level.SURGE, now.over_surge_ms), (Level.WATCH, now.over_watch_ms)):
        if here < level and _lasted(clock_ms, reading, policy.dwell_up_ms):
            why = f"{_waiting(reading)}, and has been too long for {_min(policy.dwell_up_ms)}."
            return _until(policy, reading, level, why)
    return None


def _down(policy: SurgePolicy, now: Sensor, reading: Reading, here: Level) -> Suggestion | None:
    for level, clock_ms in ((Level.CALM, now.under_watch_ms), (Level.WATCH, now.under_surge_ms)):
        if here > level and _lasted(clock_ms, reading, policy.dwell_down_ms):
            why = f"{_waiting(reading)}, and has been short for {_min(policy.dwell_down_ms)}."
            return _until(policy, reading, level, why)
    return None


def _renewed(policy: SurgePolicy, reading: Reading, here: Level, ends_ms: int | None) -> Suggestion | None:
    if here is Level.CALM or ends_ms is None or ends_ms - reading.at_ms > RENEW_MS:
        return None
    leave_s = (policy.watch if here is Level.WATCH else policy.surge).leave_s
    if reading.wait_s is None or reading.wait_s < leave_s:
        return None
    return _until(policy, reading, here, f"{_waiting(reading)}, and the level ends soon.")


def _until(policy: SurgePolicy, reading: Reading, level: Level, why: str) -> Suggestion:
    ends_ms = None if level is Level.CALM else reading.at_ms + policy.expires_ms
    return Suggestion(level, why, ends_ms)


def _lasted(clock_ms: int | None, reading: Reading, dwell_ms: int) -> bool:
    return clock_ms is not None and reading.at_ms - clock_ms >= dwell_ms


def _waiting(reading: Reading) -> str:
    if reading.wait_s is None or reading.wait_s == float("inf"):
        return "A newcomer's wait is without an end"
    return f"A newcomer's wait is about {max(1, round(reading.wait_s / 60))} min"


def _min(span_ms: int) -> str:
    return f"{span_ms / MINUTE_MS:g} min"
