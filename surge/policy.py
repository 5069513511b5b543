"""The rules of one centre's surge mode. Values only; ``processes`` fills them from the centre's file."""

from __future__ import annotations

from dataclasses import dataclass, field

from foundation.errors import Mendable

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Threshold:
    """A level is entered above one wait and left below another, in seconds of predicted wait (p50)."""

    enter_s: float
    leave_s: float


@dataclass(frozen=True, slots=True)
class SurgePolicy:
    """Raises Mendable when the rules cannot be kept together."""

    watch: Threshold = Threshold(300, 180)
    surge: Threshold = Threshold(900, 600)
    dwell_up_ms: int = 3 * MINUTE_MS
    """So long a wait must be above before the level goes up …"""
    dwell_down_ms: int = 10 * MINUTE_MS
    """… and below before it goes down."""
    cusum_alarm: float = 12.0
    """The spike detector's threshold (Poisson CUSUM for a doubling)."""
    max_wait_s: float = 900
    """At surge, matched callers are turned to a text while a newcomer's predicted wait is above this."""
    expires_ms: int = 60 * MINUTE_MS
    """A level that a person sets ends after this, unless it is renewed."""
    undo_ms: int = 10_000
    stale_ms: int = 20 * MINUTE_MS
    """An update older than this is not read out: neutral words take its place, and the lead is nagged."""
    repeat_ms: int = 30 * MINUTE_MS
    """Who was deflected and rings again within this is never deflected again."""
    reserve_pct: int = 20
    """Share of the agents kept for callers who match no incident."""
    soak_ms: int = 15 * MINUTE_MS
    """Between verified and the first notice that it is over."""
    cohort: int = 100
    """Merchants told at once that it is over …"""
    cohort_ms: int = 5 * MINUTE_MS
    """… and how long until the next."""
    pause_pct: int = 10
    """More "still down" than this among a cohort stops the notices."""
    keep_ms: int = 60 * MINUTE_MS
    """So long who holds a callback about it may answer KEEP, once the text has arrived; then nobody calls. 0:
    nobody is asked, and everybody is called."""
    works_ms: int = 24 * 60 * MINUTE_MS
    """Told that it is over and silent for so long, it works."""
    text_cap_per_h: int = 2_000
    """Texts an hour on incidents; above it nobody is offered one."""
    number_cap_per_h: int = 6
    """Texts an hour on incidents to one number …"""
    prefix_cap_per_h: int = 60
    """… and to the ten thousand numbers that differ in their last four digits: whoever pumps texts rings from
    many of them."""
    text_rate_per_s: float = 1.0
    """The sender's pace, in segments."""
    text_lag_ms: int = 10 * MINUTE_MS
    """While the last text waiting leaves later than this, nobody is offered one."""
    regions: frozenset[str] = frozenset({"US", "CA"})
    """Countries whose numbers are texted."""
    confirm_ms: int = 10 * MINUTE_MS
    """So long a question to close the line waits for its second person."""
    text_price_cents: float = 0.8
    """Of one segment, for the console's spend."""
    never_bands: frozenset[str] = field(default_factory=frozenset)
    """Bands whose callers are never deflected."""
    toggle_numbers: frozenset[str] = field(default_factory=frozenset)
    """Who may switch by phone; the PIN is a secret setting."""
    toggle_lock_ms: int = 15 * MINUTE_MS
    """So long a number that keyed in three wrong PINs cannot switch."""
    detector: str = "suggest"
    """suggest, automatic or dry_run, until somebody switches it."""
    nag_ms: int = 5 * MINUTE_MS
    status_aliases: tuple[str, ...] = ()
    """Other addresses at which people look for the status page: whether they show it is looked at."""
    rehearsal: bool = False
    """No real telephone can be texted: the numbers kept for fiction are."""

    def __post_init__(self) -> None:
        for name, threshold in (("watch", self.watch), ("surge", self.surge)):
            if not 0 < threshold.leave_s < threshold.enter_s:
                raise Mendable(f"surge: {name} must be left at a shorter wait than it is entered at.")
        if self.watch.enter_s >= self.surge.enter_s:
            raise Mendable("surge: watch must begin at a shorter wait than surge.")
        if self.detector not in ("suggest", "automatic", "dry_run"):
            raise Mendable("surge: the detector is 'suggest', 'automatic' or 'dry_run'.")
        if not 0 <= self.reserve_pct < 100:
            raise Mendable("surge: reserve_pct is 0 to 99.")
