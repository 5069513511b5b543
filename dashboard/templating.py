"""Templates and the files beside them: how a page becomes bytes.

Static files are read once. Their folder's fingerprint is part of the path, so browsers keep them for ever and
modules that import each other come from one version.
"""

from __future__ import annotations

import gzip
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from dashboard import promise_views, views
from dashboard.access import ROLES, Access, allowed
from dashboard.auth import Who
from dashboard.band import BandView
from dashboard.rooms import Rooms

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wav": "audio/wav"}
_PACKED = (".js", ".css", ".svg", ".md")


@dataclass(frozen=True, slots=True)
class Place:
    key: str
    href: str
    word: str
    needs: Access


PLACES = (
    Place("desk", "/desk", "Desk", Access.AGENT),
    Place("wallboard", "/wallboard", "Wallboard", Access.AGENT),
    Place("callbacks", "/callbacks", "Callbacks", Access.LEAD),
    Place("surge", "/surge", "Surge", Access.LEAD),
    Place("followups", "/followups", "Follow-ups", Access.LEAD),
    Place("reports", "/reports", "Reports", Access.LEAD),
    Place("contacts", "/contacts", "Contacts", Access.LEAD),
    Place("staffing", "/staffing", "Staffing", Access.SUPERVISOR),
    Place("messages", "/messages", "Messages", Access.SUPERVISOR),
    Place("admin", "/admin", "Admin", Access.ADMIN),
)


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    packed: bytes | None
    media_type: str


@cache
def assets() -> tuple[str, Mapping[str, Asset]]:
    """The fingerprint of the static folder, and its files by name."""
    folder = resources.files("dashboard") / "static"
    found: dict[str, bytes] = {}
    for entry in [*folder.iterdir(), *(folder / "vendor").iterdir()]:
        if entry.is_file():
            name = entry.name if (folder / entry.name).is_file() else f"vendor/{entry.name}"
            found[name] = entry.read_bytes()
    digest = sha256()
    for name in sorted(found):
        digest.update(name.encode() + found[name])
    return digest.hexdigest()[:12], {name: _asset(name, body) for name, body in found.items()}


def _asset(name: str, body: bytes) -> Asset:
    suffix = PurePosixPath(name).suffix
    media = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "text/plain"
    return Asset(body, gzip.compress(body, mtime=0) if suffix in _PACKED else None, media)


def asset_url(name: str) -> str:
    """Where browsers fetch a static file. Raises KeyError when there is none."""
    version, files = assets()
    files[name]
    return f"/assets/{version}/{name}"


def asset_response(request: Request, path: str) -> Response | None:
    """The file at ``path`` (with or without the fingerprint before it), or None."""
    version, files = assets()
    first, _, rest = path.partition("/")
    lasting = first == version
    name = rest if lasting else path
    asset = files.get(name)
    if asset is None:
        return None
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if lasting else "no-cache",
        "Vary": "Accept-Encoding",
    }
    body = asset.body
    if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = asset.packed, "gzip"
    return Response(body, media_type=asset.media_type, headers=headers)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What every page knows: who reads it, where it is, what time the line's clock shows."""

    who: Who | None
    here: str
    places: tuple[Place, ...]
    now_ms: int
    speed: float
    theme: str
    centre: str
    simulated: bool
    band: BandView | None = None


class Templates:
    """The pages of one centre."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        zone = ZoneInfo(rooms.time_zone)
        self.environment = Environment(
            loader=PackageLoader("dashboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

        def at(ms: int, form: str) -> str:
            return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).strftime(form)

        self.environment.filters |= {
            "clock": views.clock,
            "count": views.count,
            "pct": views.pct,
            "time_of_day": lambda ms: at(ms, "%H:%M:%S"),
            "time_short": lambda ms: at(ms, "%H:%M"),
            "about": views.about,
            "off": views.off,
            "honest": views.honest,
            "lateness": views.lateness,
            "moment": lambda ms: at(ms, "%-d %b, %H:%M"),
            "span": promise_views.span,
            "left": promise_views.left,
            "left_level": promise_views.left_level,
            "print": lambda value: sha256(repr(value).encode()).hexdigest()[:12],
            "hour": lambda ms: promise_views.by_words(ms, rooms.clock.now_ms(), rooms.time_zone),
            "stamp": lambda ms: at(ms, "%Y-%m-%dT%H:%M:%S%z"),
        }
        self.environment.globals |= {"asset": asset_url}

    def sheet(self, here: str, who: Who | None, theme: str = "", band: BandView | None = None) -> Sheet:
        role = who.role if who else None
        return Sheet(
            who=who,
            here=here,
            places=tuple(place for place in PLACES if allowed(role, place.needs)),
            now_ms=self.rooms.clock.now_ms(),
            speed=self.rooms.speed,
            theme=theme if theme in ("light", "dark") else "",
            centre=self.rooms.centre_name,
            simulated=self.rooms.simulated,
            band=band,
        )

    def text(self, template: str, sheet: Sheet, /, **given: object) -> str:
        return self.environment.get_template(template).render(sheet=sheet, **given)

    def page(
        self,
        request: Request,
        template: str,
        /,
        *,
        here: str,
        who: Who | None,
        status: int = 200,
        **given: object,
    ) -> HTMLResponse:
        """A whole page. It is never kept: what it shows is somebody's, and of this moment."""
        band = getattr(request.state, "band", None)
        sheet = self.sheet(here, who, request.cookies.get("surgeline_theme", ""), band)
        return HTMLResponse(self.text(template, sheet, **given), status)


def roles() -> tuple[str, ...]:
    return tuple(ROLES)
