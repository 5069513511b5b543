"""What agents whose calls already last will free: the renewal function, log-normal, in mean handling times.

A call that has lasted unusually long is likely to last long still: its agent frees nobody for a while.
"""

from __future__ import annotations

import math
from functools import lru_cache

EDGES = (0.0, 0.12, 0.3, 0.6, 1.0, 1.6, 2.5, 4.0)
"""In mean handling times from now: between two of them the agents' pace is taken as constant."""

PER_UNIT = 8
"""Rows of the table per mean handling time."""
ROWS = 7 * PER_UNIT + 1

FINE = 0.05


@lru_cache(maxsize=48)
def paces(cv2: float) -> tuple[tuple[float, ...], ...]:
    """By how long the call has lasted: completions per mean handling time, between each two of EDGES.

    Calls follow one another. Solved on a grid of FINE.
    """
    cells = int(EDGES[-1] / FINE) + 1
    fresh = [_done(at * FINE, cv2) for at in range(cells)]
    steps = [fresh[at] - fresh[at - 1] for at in range(1, cells)]
    renewals = [0.0]
    for at in range(1, cells):
        # M(t) = F(t) + the integral of M(t - u) dF(u), at the middle of each step
        later = sum(
            (renewals[at - back] + renewals[at - back + 1]) / 2 * steps[back - 1] for back in range(2, at + 1)
        )
        renewals.append((fresh[at] + later + renewals[at - 1] / 2 * steps[0]) / (1 - steps[0] / 2))
    rows = []
    for row in range(ROWS):
        elapsed = row / PER_UNIT
        left = 1 - _done(elapsed, cv2)
        done = [0.0] + [
            1 - (1 - _done(elapsed + at * FINE, cv2)) / left if left > 1e-7 else 1.0 for at in range(1, cells)
        ]
        counts = []
        for edge in EDGES:
            at = round(edge / FINE)
            counts.append(
                done[at]
                + sum(
                    (done[u] - done[u - 1]) * (renewals[at - u] + renewals[at - u + 1]) / 2
                    for u in range(1, at + 1)
                )
            )
        rows.append(
            tuple(
                (counts[k + 1] - counts[k]) / (round(EDGES[k + 1] / FINE) - round(EDGES[k] / FINE)) / FINE
                for k in range(len(EDGES) - 1)
            )
        )
    return tuple(rows)


def _done(at: float, cv2: float) -> float:
    """Probability that a call of log-normal length, mean 1, has ended by ``at``."""
    if at <= 0:
        return 0.0
    sigma = math.sqrt(math.log(1 + cv2))
    return below((math.log(at) + sigma**2 / 2) / sigma)


def below(z: float) -> float:
    """The standard normal law's probability of less than z."""
    return math.erfc(-z / math.sqrt(2)) / 2
