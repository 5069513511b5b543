"""``docs/states.md``: every law of the product on one page, drawn from its tables.

Renew it with ``python -c "from processes.states_page import page; print(page(), end='')" > docs/states.md``.
"""

from __future__ import annotations

import ast
import inspect
from enum import StrEnum

from callbacks import states
from queueing.drawing import diagram, drawing


def page() -> str:
    """The page, in Markdown with Mermaid diagrams."""
    return drawing() + "\n".join(
        [
            "",
            "## A promise to ring back",
            "",
            "Drawn from `callbacks/states.py`. SQL is its record; `callbacks/record.py` keeps to it.",
            "",
            *diagram(states.MOVES, entry=states.PromiseState.DUE_LATER, also=states.PromiseState.IN_LINE),
            "",
            *_meanings(states.PromiseState),
            "",
            "## An attempt to keep it",
            "",
            *diagram(states.ATTEMPT_MOVES, entry=states.AttemptState.INTENT),
            "",
            *_meanings(states.AttemptState),
            "",
        ]
    )


def _meanings(law: type[StrEnum]) -> list[str]:
    """What is written under each state in the source, as a table."""
    (tree,) = ast.parse(inspect.getsource(law)).body
    assert isinstance(tree, ast.ClassDef)
    words: dict[str, str] = {}
    name = ""
    for part in tree.body:
        match part:
            case ast.Assign(targets=[ast.Name(id=state)]):
                name = law[state].value
            case ast.Expr(value=ast.Constant(value=str(said))) if name:
                words[name] = " ".join(said.replace("``", "`").split())
    return [
        "| state | what it means |",
        "|---|---|",
        *(f"| {state.value} | {words.get(state.value, '')} |" for state in law),
    ]
