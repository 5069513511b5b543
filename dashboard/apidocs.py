"""The API's page: the OpenAPI document, written out by the server. Nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from dashboard.api_document import document
from dashboard.entrance import Doorway
from dashboard.floor import FloorDep, VisitorDep
from dashboard.problems import KINDS

router = APIRouter(route_class=Doorway, include_in_schema=False)

_PRIVATE = ("HTTPValidationError", "ValidationError")


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    role: str
    parameters: list[tuple[str, str, str, str]]
    body: str
    answer: str


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    words: str
    fields: list[tuple[str, str, str]]


@router.get("/api/docs")
async def docs(request: Request, floor: FloorDep, who: VisitorDep) -> Response:
    told = document()
    groups: dict[str, list[Operation]] = {}
    for tag, operation in _operations(told):
        groups.setdefault(tag, []).append(operation)
    return floor.templates.page(
        request,
        "api_docs.html",
        here="api",
        who=who,
        document=told,
        groups=list(groups.items()),
        models=[_model(name, shape) for name, shape in _schemas(told).items()],
        problems=list(KINDS.items()),
    )


def _schemas(told: dict[str, Any]) -> dict[str, Any]:
    return {name: shape for name, shape in told["components"]["schemas"].items() if name not in _PRIVATE}


def _operations(told: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            good = operation["responses"]["200"]["content"]["application/json"]["schema"]
            asked = (
                operation.get("requestBody", {})
                .get("content", {})
                .get("application/json", {})
                .get("schema", {})
            )
            yield (
                operation["tags"][0],
                Operation(
                    id=operation["operationId"],
                    method=method,
                    path=path,
                    summary=operation["summary"],
                    role=operation["x-needs-role"],
                    parameters=[
                        (one["name"], one["in"], kind(one["schema"]), one.get("description", ""))
                        for one in operation.get("parameters", [])
                    ],
                    body=kind(asked).removesuffix(" or null") if asked else "",
                    answer=kind(good),
                ),
            )


def _model(name: str, shape: dict[str, Any]) -> Model:
    fields = [
        (field, kind(told), told.get("description", ""))
        for field, told in shape.get("properties", {}).items()
    ]
    return Model(name, shape.get("description", ""), fields)


def kind(schema: dict[str, Any]) -> str:
    """A schema in a few words: "string", "list of QueueAnswer", "integer or null"."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {kind(schema['additionalProperties'])}"
    return str(schema.get("type", "anything"))
