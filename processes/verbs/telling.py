"""How verbs answer: text for people, or one JSON object with ``--json``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def tell(as_json: bool, answer: dict[str, Any], text: str) -> None:
    """Print the answer in the form that was asked for."""
    print(json.dumps(answer, ensure_ascii=False, default=str) if as_json else text)
