"""The line as the estimator sees it: who waits, in the order of their keys, in small blocks with sums.

A change touches one block; a walk along the line reads the sums and not the contacts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

FULL = 48
LONG = 300
"""In a longer line blocks are twice as full: it is walked sooner, and a block's mean tells enough."""


Tally = dict[tuple[str, str], tuple[int, float]]
"""By queue and kind: how many, and the sum of their births (s)."""


class Place:
    """One who waits. ``born`` is when they came; ``kind`` live, promise or other."""

    __slots__ = ("band", "block", "born", "cell", "contact", "key", "kind", "queue", "seq", "told")

    def __init__(
        self, contact: Any, key: Any, seq: int, band: int, kind: str, queue: str, born: float
    ) -> None:
        self.contact, self.key, self.seq, self.band = contact, key, seq, band
        self.kind, self.queue, self.born = kind, queue, born
        self.cell = 0
        self.block: Block | None = None
        self.told: Any = None

    @property
    def rank(self) -> tuple[Any, int]:
        return (self.key, self.seq)


class Block:
    """Some neighbours in the line, and their tally."""

    __slots__ = ("places", "ranks", "sums")

    def __init__(self, ranks: list[tuple[Any, int]], places: list[Place]) -> None:
        self.ranks, self.places = ranks, places
        self.sums = tally(places)

    def insert(self, inside: int, place: Place) -> None:
        self.ranks.insert(inside, place.rank)
        self.places.insert(inside, place)
        of = (place.queue, place.kind)
        count, births = self.sums.get(of, (0, 0.0))
        self.sums[of] = (count + 1, births + place.born)

    def delete(self, inside: int) -> None:
        place = self.places.pop(inside)
        del self.ranks[inside]
        of = (place.queue, place.kind)
        count, births = self.sums.pop(of)
        if count > 1:
            self.sums[of] = (count - 1, births - place.born)


class Places:
    """Sorted by key, then by the order of entering. O(log n + block) a change."""

    __slots__ = ("_lasts", "blocks", "count")

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._lasts: list[tuple[Any, int]] = []
        self.count = 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Place]:
        for block in self.blocks:
            yield from block.places

    def add(self, place: Place) -> None:
        rank = place.rank
        self.count += 1
        if not self.blocks:
            place.block = Block([rank], [place])
            self.blocks, self._lasts = [place.block], [rank]
            return
        at = min(bisect_left(self._lasts, rank), len(self.blocks) - 1)
        block = self.blocks[at]
        inside = bisect_left(block.ranks, rank)
        block.insert(inside, place)
        place.block = block
        full = FULL if self.count < LONG else 2 * FULL
        if len(block.ranks) > full:
            self._split(at, full)
        else:
            self._lasts[at] = block.ranks[-1]

    def _split(self, at: int, full: int) -> None:
        block = self.blocks[at]
        # A line grows at its end: leave the block nearly full there, or every block would stay half empty.
        half = full if at == len(self.blocks) - 1 else full // 2
        right = Block(block.ranks[half:], block.places[half:])
        del block.ranks[half:], block.places[half:]
        block.sums = tally(block.places)
        for place in right.places:
            place.block = right
        self.blocks.insert(at + 1, right)
        self._lasts[at] = block.ranks[-1]
        self._lasts.insert(at + 1, right.ranks[-1])

    def remove(self, place: Place) -> None:
        block = place.block
        assert block is not None
        at = bisect_left(self._lasts, place.rank)
        inside = bisect_left(block.ranks, place.rank)
        block.delete(inside)
        place.block = None
        self.count -= 1
        if not block.ranks:
            del self.blocks[at], self._lasts[at]
            return
        self._lasts[at] = block.ranks[-1]
        if len(block.ranks) < FULL // 4 and at + 1 < len(self.blocks):
            self._join(at)

    def _join(self, at: int) -> None:
        """With the next one, where both together leave room."""
        block, after = self.blocks[at], self.blocks[at + 1]
        if len(block.ranks) + len(after.ranks) > FULL * 3 // 4:
            return
        block.ranks += after.ranks
        block.places += after.places
        block.sums = tally(block.places)
        for place in after.places:
            place.block = block
        del self.blocks[at + 1], self._lasts[at]

    def ahead(self, rank: tuple[Any, int]) -> int:
        at, inside = self.where(rank)
        return sum(len(block.places) for block in self.blocks[:at]) + inside

    def where(self, rank: tuple[Any, int]) -> tuple[int, int]:
        """Which block, and how many of it come before; behind the last block for the end of the line."""
        at = bisect_left(self._lasts, rank)
        return at, bisect_left(self.blocks[at].ranks, rank) if at < len(self.blocks) else 0


def tally(places: list[Place]) -> Tally:
    counts: dict[tuple[str, str], int] = {}
    births: dict[tuple[str, str], float] = {}
    for place in places:
        of = (place.queue, place.kind)
        counts[of] = counts.get(of, 0) + 1
        births[of] = births.get(of, 0.0) + place.born
    return {of: (count, births[of]) for of, count in counts.items()}
