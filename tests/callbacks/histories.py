"""Histories: what happens, step by step, to a small world whose laws are looked at after each step.

A world has few rules, and faults in about every fourth of the steps where something can fail: so that
histories reach the places where two things meet. They are drawn by a seed, or by Hypothesis, which shrinks.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from hypothesis import strategies as st

Step = tuple[str, dict[str, Any]]
Pools = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Rule:
    """How often a rule comes beside the others, and what each of its parameters is drawn from."""

    weight: int
    pools: Pools = field(default_factory=dict)


class World(Protocol):
    """Rules are its methods, by name."""

    RULES: ClassVar[dict[str, Rule]]

    async def laws(self) -> None:
        """Raises AssertionError for a law that does not hold now."""

    async def comes_to_rest(self) -> None:
        """Everybody is left alone for a while. Raises AssertionError for what is left over."""


def drawn(rules: Mapping[str, Rule], steps: int, seed: int, pools: Pools | None = None) -> list[Step]:
    """A history by its seed alone. ``pools``: drawn from these instead."""
    dice, other = random.Random(seed), pools or {}
    names, weights = list(rules), [rule.weight for rule in rules.values()]
    history = []
    for name in dice.choices(names, weights, k=steps):
        given = {param: dice.choice(other.get(param, pool)) for param, pool in rules[name].pools.items()}
        history.append((name, given))
    return history


def strategy(rules: Mapping[str, Rule], steps: int) -> st.SearchStrategy[list[Step]]:
    """Histories for Hypothesis: lists, so it shrinks them by leaving steps out."""
    kinds = [
        st.tuples(st.just(name), st.fixed_dictionaries({p: st.sampled_from(of) for p, of in r.pools.items()}))
        for name, r in rules.items()
        for _ in range(r.weight)
    ]
    return st.lists(st.one_of(kinds), max_size=steps)


async def play(world: World, history: Sequence[Step]) -> None:
    """Raises AssertionError at the first law that is broken, with the steps that led there."""
    done: list[Step] = []
    try:
        for step in history:
            done.append(step)
            name, given = step
            await getattr(world, name)(**given)
            await world.laws()
        await world.comes_to_rest()
    except AssertionError as error:
        raise AssertionError(f"{error}\nafter {len(done)} steps: {done[-15:]}") from error
