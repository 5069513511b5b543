"""Twilio's API description (``twilio_api.json``) as the double's gatekeeper.

Which operation a request is, and what is wrong with it: unknown, missing or ill-formed parameters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from json import loads
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Parameter:
    """One parameter and its schema (references resolved)."""

    name: str
    schema: dict[str, Any]

    def fault(self, values: list[str]) -> str:
        """What is wrong with the values given; empty when nothing is."""
        many = self.schema.get("type") == "array"
        if len(values) > 1 and not many:
            return f"{self.name} was given {len(values)} times"
        schema = self.schema["items"] if many else self.schema
        faults = (_fault(value, schema) for value in values)
        return next((f"{self.name}: {fault}" for fault in faults if fault), "")


@dataclass(frozen=True)
class Operation:
    """One operation: ``CreateCall`` and so on."""

    name: str
    method: str
    path: re.Pattern[str]
    in_path: tuple[Parameter, ...]
    in_query: dict[str, Parameter]
    in_form: dict[str, Parameter]
    required: frozenset[str]


@cache
def description() -> dict[str, Any]:
    text = resources.files("drill.network.rest").joinpath("twilio_api.json").read_text("utf-8")
    found: dict[str, Any] = loads(text)
    return found


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = description()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation described. Longer fixed paths come first."""
    found = [
        _operation(method.upper(), path, entry)
        for path, methods in description()["paths"].items()
        for method, entry in methods.items()
        if method in ("get", "post", "delete")
    ]
    return tuple(found)


def find(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation and the path's parameters."""
    for operation in operations():
        match = operation.path.fullmatch(path)
        if match and operation.method == method:
            return operation, {name: unquote(value) for name, value in match.groupdict().items()}
    return None


def _operation(method: str, path: str, entry: dict[str, Any]) -> Operation:
    given = [Parameter(each["name"], resolve(each["schema"])) for each in entry.get("parameters", [])]
    where = {each["name"]: each["in"] for each in entry.get("parameters", [])}
    content = entry.get("requestBody", {}).get("content", {})
    form = content.get("application/x-www-form-urlencoded", {}).get("schema", {})
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+?)", re.escape(path))
    return Operation(
        name=entry["operationId"],
        method=method,
        path=re.compile(pattern),
        in_path=tuple(each for each in given if where[each.name] == "path"),
        in_query={each.name: each for each in given if where[each.name] == "query"},
        in_form={
            name: Parameter(name, resolve(schema)) for name, schema in form.get("properties", {}).items()
        },
        required=frozenset(form.get("required", ())),
    )


def _is_date(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _fault(value: str, schema: dict[str, Any]) -> str:
    schema = resolve(schema)
    kind = schema.get("type")
    if kind == "integer":
        if not re.fullmatch(r"-?\d{1,12}", value):
            return f"{value!r} is not a whole number"
        if not schema.get("minimum", int(value)) <= int(value) <= schema.get("maximum", int(value)):
            return f"{value} is out of range"
    if kind == "boolean" and value not in ("true", "false", "True", "False"):
        return f"{value!r} is neither true nor false"
    if "enum" in schema and value not in schema["enum"]:
        return f"{value!r} is not one of {', '.join(map(str, schema['enum']))}"
    if schema.get("format") in ("date", "date-time") and not _is_date(value):
        return f"{value!r} is not a date"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return f"{value!r} does not fit {schema['pattern']}"
    return ""
