from __future__ import annotations

from queueing.bands import DEFAULT_BANDS, band_for

TIERS = {"gold": "p1", "emergency": "p0"}


def test_the_tier_names_the_band():
    assert band_for("gold", TIERS) == "p1"
    assert band_for(" Gold ", TIERS) == "p1"


def test_whoever_is_in_no_tier_is_everyone():
    assert band_for(None, TIERS) == "p2"
    assert band_for("", TIERS) == "p2"
    assert band_for("unheard of", TIERS) == "p2"
    assert band_for("bronze", TIERS, default="p3") == "p3"


def test_the_higher_band_has_the_longer_head_start():
    starts = [band.head_start_ms for band in DEFAULT_BANDS]
    assert starts == sorted(starts, reverse=True)
    assert starts[-1] == 0
