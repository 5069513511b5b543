"""Who asks, and may they: sessions, forgery checks and the ladder of roles, for every route alike."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from dashboard.access import Access, allowed
from dashboard.accounts import Account, Accounts
from dashboard.attempts import Attempts
from dashboard.problems import Problem
from dashboard.rooms import Rooms
from dashboard.sessions import ABSOLUTE_MS, Seals, Session
from foundation.errors import Unavailable

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
COOKIE = "surgeline_session"
VISIT_COOKIE = "surgeline_visit"


@dataclass(frozen=True, slots=True)
class Who:
    """The person behind a request."""

    agent: str
    name: str
    role: str
    csrf: str
    session: Session
    account: Account


class Gate:
    """Lets requests in. One per process: it remembers who signed out here."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.seals = Seals(rooms.secret_key)
        self.accounts = Accounts(rooms.sql)
        self.attempts = Attempts(rooms.redis, rooms.tag, rooms.breaker)
        self._ended: dict[str, int] = {}

    @property
    def cookie_name(self) -> str:
        """``__Host-`` binds it to this host and to https; plain http (loopback) cannot have that."""
        return f"__Host-{COOKIE}" if self.rooms.secure else COOKIE

    async def identify(self, request: Request) -> Who | None:
        """Who this is, or None. Raises Unavailable when SQL is away and the account is not remembered."""
        now_ms = self.rooms.wall.now_ms()
        session = self.seals.unseal(request.cookies.get(self.cookie_name, ""), now_ms)
        return await self.stands(session) if session else None

    async def stands(self, session: Session) -> Who | None:
        """The person of a session that still holds: not ended, the account active and unchanged."""
        now_ms = self.rooms.wall.now_ms()
        if session.sid in self._ended or await self.attempts.known(f"ended:{session.sid}"):
            return None
        account = await self.accounts.find(session.agent, now_ms)
        if account is None or not account.active or account.stamp != session.stamp:
            return None
        csrf = self.seals.csrf(session)
        return Who(account.agent, account.name, account.role, csrf, session, account)

    async def enter(self, request: Request, needed: Access) -> Who | None:
        """The person, when the route is open to them. Raises Problem when it is not."""
        if needed is Access.OPEN and request.method in SAFE:
            try:
                return await self.identify(request)
            except Unavailable:
                return None
        who = await self.identify(request)
        if needed is Access.SCREEN and who is None and self.screen(request) is not None:
            return None
        if needed is not Access.OPEN and who is None:
            raise Problem("not-signed-in")
        if not allowed(who.role if who else None, needed):
            raise Problem("not-allowed", f"This needs the role {needed.name.lower()}.")
        if request.method not in SAFE:
            self.check_origin(request)
            if who and needed is not Access.OPEN:
                await self._check_token(request, who)
        return who

    def screen(self, request: Request) -> str | None:
        """The name of the screen whose token the request carries, or None."""
        token = request.path_params.get("kiosk") or request.query_params.get("kiosk", "")
        return self.seals.read_screen(str(token))

    def check_origin(self, request: Request) -> None:
        """Raises Problem when a browser says that another site sent this."""
        told = request.headers.get("origin") or request.headers.get("referer")
        if told is None:
            return  # no browser; the token decides
        parts = urlsplit(told)
        if f"{parts.scheme}://{parts.netloc}" == self.rooms.origin:
            return
        if parts.netloc and parts.netloc == request.headers.get("host"):
            return
        raise Problem("forged", "The request names another site as its origin.")

    async def _check_token(self, request: Request, who: Who) -> None:
        token = request.headers.get("x-csrf-token", "")
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if not token and kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
            form = await request.form()
            value = form.get("csrf")
            token = value if isinstance(value, str) else ""
        if not self.seals.csrf_fits(who.session, token):
            raise Problem("forged", "The request's token is missing, or belongs to another session.")

    # -- beginning and ending a session ------------------------------------------------------------

    def begin(self, response: Response, account: Account) -> None:
        """Sign ``account`` in on this browser, under a new session id."""
        session = self.seals.begin(account.agent, account.stamp, self.rooms.wall.now_ms())
        self._set(response, session)

    def renew(self, response: Response, who: Who) -> None:
        """Tell the cookie that somebody was here."""
        now_ms = self.rooms.wall.now_ms()
        old = who.session
        if old.due_for_renewal(now_ms):
            self._set(response, Session(old.agent, old.sid, old.stamp, old.issued_ms, now_ms))

    async def end(self, response: Response, who: Who) -> None:
        """Sign out: the cookie goes, and would no longer be believed, here at once and elsewhere by Redis."""
        if len(self._ended) > 10_000:
            self._ended.clear()
        self._ended[who.session.sid] = self.rooms.wall.now_ms()
        response.delete_cookie(
            self.cookie_name, path="/", secure=self.rooms.secure, httponly=True, samesite="lax"
        )
        try:
            await self.attempts.once(f"ended:{who.session.sid}", ABSOLUTE_MS // 1000)
        except Unavailable:
            return  # this process knows; the cookie is gone from the browser

    def _set(self, response: Response, session: Session) -> None:
        response.set_cookie(
            self.cookie_name,
            self.seals.seal(session),
            path="/",
            httponly=True,
            secure=self.rooms.secure,
            samesite="lax",
        )
