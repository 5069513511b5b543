"""``docs/states.md``: the two laws, drawn, and which script carries out which move.

Renew it with ``python -c "from queueing.drawing import drawing; print(drawing(), end='')" > docs/states.md``.
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
    """The page, in Markdown with Mermaid diagrams."""
    return "\n".join(
        [
            "# States",
            "",
            "Drawn from `queueing/states.py`, `queueing/presence.py` and the headers in `queueing/lua/`.",
            "A test keeps this page in step with them.",
            "",
            "## A contact",
            "",
            *_diagram(states.MOVES, entry="waiting"),
            "",
            *_table(states.MOVES),
            "",
            "## An agent",
            "",
            *_diagram(presence.MOVES, entry="off"),
            "",
            *_table(presence.MOVES),
            "",
        ]
    )


def _rows(moves: Mapping[S, frozenset[S]]) -> list[tuple[str, str]]:
    order = list(moves)
    return [(here.value, there.value) for here in order for there in sorted(moves[here], key=order.index)]


def _diagram(moves: Mapping[S, frozenset[S]], entry: str) -> list[str]:
    ends = [state.value for state, there in moves.items() if not there]
    return [
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {entry}",
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
