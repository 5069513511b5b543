"""The JSON API's own document, and the answer to whatever else is asked below it."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response

from dashboard import api, api_promises, api_surge
from dashboard.access import rule
from dashboard.answers import ProblemAnswer
from dashboard.entrance import Doorway
from dashboard.problems import Problem

router = APIRouter(prefix="/api/v1", route_class=Doorway, include_in_schema=False)

ANY = ["GET", "HEAD", "OPTIONS", "TRACE", "POST", "PUT", "PATCH", "DELETE"]


@router.get("/openapi.json")
async def openapi() -> Response:
    return JSONResponse(document())


@cache
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document of these routes, with how to sign in and who may."""
    told = get_openapi(
        title="Surgeline",
        version="1",
        openapi_version="3.1.0",
        summary="The line of a contact centre: queues, contacts, agents and figures.",
        description=(
            "Sign in on /sign-in (or by a one-time link); the session cookie carries you. Every POST needs "
            "the header X-CSRF-Token with the value of `csrf` in GET /api/v1/me. "
            "Errors are RFC 9457 problem details."
        ),
        routes=[*api.router.routes, *api_promises.router.routes, *api_surge.router.routes],
    )
    told["components"]["schemas"]["ProblemAnswer"] = ProblemAnswer.model_json_schema()
    told["components"]["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": "surgeline_session"}
    }
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            needed = rule(method.upper(), path)
            operation["security"] = [{"session": []}]
            operation["x-needs-role"] = needed.name.lower()
            if method == "post":
                operation.setdefault("parameters", []).append(
                    {
                        "name": "X-CSRF-Token",
                        "in": "header",
                        "required": True,
                        "schema": {"type": "string"},
                        "description": "`csrf` of GET /api/v1/me.",
                    }
                )
    return told


@router.api_route("/{rest:path}", methods=ANY)
async def elsewhere(request: Request, rest: str) -> Response:
    """Whatever else is asked below /api/v1: not there, or not by this method."""
    known = document()["paths"]
    parts = request.url.path.split("/")
    for path, methods in known.items():
        shape = path.split("/")
        if len(shape) == len(parts) and all(
            a == b or a.startswith("{") for a, b in zip(shape, parts, strict=True)
        ):
            raise Problem("wrong-method", headers={"Allow": ", ".join(method.upper() for method in methods)})
    raise Problem("not-found")
