"""What the doors count, for /metrics. No label ever holds a number or a name."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

ANSWERS = Counter(
    "surgeline_door_answers", "Webhooks answered, by door and kind of answer.", ["door", "kind"]
)
"""Kinds: ``given``, ``last_resort``, ``refused`` (not Twilio's), ``oversized``."""

BASE_ANSWERS = Counter(
    "surgeline_door_base_answers", "Stores that had no say in an answer, by door and why.", ["door", "why"]
)
"""Why: ``away`` (not in time), ``error`` (a slip of ours)."""

SECONDS = Histogram(
    "surgeline_door_seconds",
    "Time from a webhook's first byte to its answer.",
    ["door"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0),
)

TOKENS = Counter(
    "surgeline_signature_token",
    "Webhooks by the auth token that signed them: 0 is the first configured.",
    ["index"],
)
