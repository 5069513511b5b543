"""How long a contact will still wait: the estimator that learns from events, and what it tells."""

from __future__ import annotations

from queueing.estimator import Estimator
from queueing.ranges import Estimate

__all__ = ["Estimate", "Estimator"]
