"""The line's two laws, drawn, and which script carries out which move: the first part of ``docs/states.md``.

The whole page is ``processes.states_page``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from typing import TypeVar

from foundation.lua import Script, load
from queueing import presence, states

S = TypeVar("S", bound=StrEnum)


def scripts() -> list[Script]:
    """Every script of the line, by name."""
    folder = resources.files("queueing") / "lua"
    names = sorted(path.name.removesuffix(".lua") for path in folder.iterdir() if path.name.endswith(".lua"))
    return [load("queueing", name) for name in names]


def drawing() -> str:
    """The line's part of the page, in Markdown with Mermaid diagrams."""
    return "\n".join(
        [
            "# States",
            "",
            "Drawn from `queueing/states.py`, `queueing/presence.py` and the headers in `queueing/lua/`.",
            "A test keeps this page in step with them.",
            "",
            "## A contact",
            "",
            *diagram(states.MOVES, entry="waiting"),
            "",
            *_table(states.MOVES),
            "",
            "## An agent",
            "",
            *diagram(presence.MOVES, entry="off"),
            "",
            *_table(presence.MOVES),
            "",
        ]
    )


def _rows(moves: Mapping[S, frozenset[S]]) -> list[tuple[str, str]]:
    order = list(moves)
    return [(here.value, there.value) for here in order for there in sorted(moves[here], key=order.index)]


def diagram(moves: Mapping[S, frozenset[S]], *, entry: str, also: str = "") -> list[str]:
    """A law as a Mermaid diagram. It begins in ``entry``, or in ``also``."""
    ends = [state.value for state, there in moves.items() if not there]
    return [
        "```mermaid",
        "stateDiagram-v2",
        *(f"    [*] --> {first}" for first in (entry, also) if first),
        *(f"    {here} --> {there}" for here, there in _rows(moves)),
        *(f"    {end} --> [*]" for end in ends),
        "```",
    ]


def _table(moves: Mapping[S, frozenset[S]]) -> list[str]:
    carried = scripts()
    return [
        "| from | to | carried out by |",
        "|---|---|---|",
        *(
            f"| {here} | {there} | {', '.join(f'`{s.name}`' for s in carried if (here, there) in s.moves)} |"
            for here, there in _rows(moves)
        ),
    ]
