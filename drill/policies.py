"""The rules a drill is run under: the scenario's centre, and what is set otherwise for this run."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import drill
from drill.scenarios.written import Scenario
from foundation.errors import Mendable
from processes.centre import Plan, Written, arrange

EXAMPLE = Path(drill.__file__).parent.parent / "examples" / "centre.toml"

SAID = {
    "extra_forbidden": "there is no such key",
    "model_type": "this is a table; name a key in it, as in callbacks.max_open",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """``changes`` are keys of the centre's file by their dotted names. Without ``surge`` no incident is
    declared and no level set: the line as it would be without surge mode."""

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    surge: bool = True


def changes(given: Sequence[str]) -> dict[str, Any]:
    """``callbacks.max_open=50`` and the like, as --set takes them; the value is TOML, or plain text.

    Raises Mendable for what is no key and value.
    """
    found: dict[str, Any] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not key.strip():
            raise Mendable(f"{each!r}: write it as key=value, as in callbacks.max_open=50.")
        try:
            found[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[key.strip()] = value.strip()
    return found


def plan(scenario: Scenario, rules: Rules) -> Plan:
    """The centre: the example's file, the scenario's ``centre`` over it, and the changes over both.

    Raises Mendable naming each key that a centre's file has not, or whose value it does not take.
    """
    told = merged(tomllib.loads(EXAMPLE.read_text("utf-8")), scenario.centre)
    for key, value in rules.changes.items():
        told = merged(told, _nested(key.split("."), value))
    try:
        return arrange(Written.model_validate(told))
    except ValidationError as error:
        faults = [
            f"  {'.'.join(map(str, fault['loc'])) or 'the centre'}: {SAID.get(fault['type'], fault['msg'])}"
            for fault in error.errors()
        ]
        raise Mendable("The centre's rules have faults:\n" + "\n".join(faults)) from None
    except ValueError as error:
        raise Mendable(f"The centre's rules have faults: {error}") from None


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key; everything else is replaced."""
    made = dict(below)
    for key, value in above.items():
        here = made.get(key)
        both = isinstance(here, Mapping) and isinstance(value, Mapping)
        made[key] = merged(here, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return made


def _nested(keys: Sequence[str], value: Any) -> dict[str, Any]:
    return {keys[0]: value if len(keys) == 1 else _nested(keys[1:], value)}
