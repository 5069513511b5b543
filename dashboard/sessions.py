"""Who is signed in, carried by the browser: a signed cookie, and what else we sign for people.

Nothing is kept on the server but what was ended early. Times are people's time, not the line's.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

IDLE_MS = 30 * 60_000
ABSOLUTE_MS = 12 * 3_600_000
RENEW_MS = 60_000
LINK_MS = 10 * 60_000
VISIT_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Session:
    """``stamp`` is the account's fingerprint at sign-in: another password or role ends it."""

    agent: str
    sid: str
    stamp: str
    issued_ms: int
    seen_ms: int

    def over(self, now_ms: int) -> bool:
        """Unused for half an hour, or twelve hours old."""
        return now_ms - self.seen_ms > IDLE_MS or now_ms - self.issued_ms > ABSOLUTE_MS

    def due_for_renewal(self, now_ms: int) -> bool:
        return now_ms - self.seen_ms > RENEW_MS


class Seals:
    """Signs and opens what browsers carry. Each use has a salt of its own, so none passes for another."""

    def __init__(self, secret_key: str) -> None:
        self._secret = secret_key.encode()
        self._session = URLSafeSerializer(secret_key, salt="dashboard.session")
        self._link = URLSafeSerializer(secret_key, salt="dashboard.link")
        self._visit = URLSafeSerializer(secret_key, salt="dashboard.visit")
        self._screen = URLSafeSerializer(secret_key, salt="dashboard.screen")

    def begin(self, agent: str, stamp: str, now_ms: int) -> Session:
        return Session(agent, secrets.token_urlsafe(18), stamp, now_ms, now_ms)

    def seal(self, session: Session) -> str:
        return str(
            self._session.dumps(
                [session.agent, session.sid, session.stamp, session.issued_ms, session.seen_ms]
            )
        )

    def unseal(self, cookie: str, now_ms: int) -> Session | None:
        """The session of a cookie, or None when it is not ours or is over."""
        told = _opened(self._session, cookie)
        if not isinstance(told, list) or len(told) != 5:
            return None
        session = Session(str(told[0]), str(told[1]), str(told[2]), int(told[3]), int(told[4]))
        return None if session.over(now_ms) else session

    def csrf(self, session: Session) -> str:
        """The token every unsafe request of this session carries."""
        return hmac.new(self._secret, b"dashboard.csrf " + session.sid.encode(), sha256).hexdigest()

    def csrf_fits(self, session: Session, token: str) -> bool:
        return hmac.compare_digest(self.csrf(session).encode(), token.encode())

    def link(self, agent: str, now_ms: int) -> str:
        """A token that signs ``agent`` in once, within ten minutes."""
        return str(self._link.dumps([agent, secrets.token_urlsafe(12), now_ms]))

    def read_link(self, token: str, now_ms: int) -> tuple[str, str] | None:
        """Agent and nonce of a link's token, or None when it is not ours or too old."""
        told = _opened(self._link, token)
        if not isinstance(told, list) or len(told) != 3 or now_ms - int(told[2]) > LINK_MS:
            return None
        return str(told[0]), str(told[1])

    def visit(self, now_ms: int) -> str:
        """The token of a sign-in form: it lies in the form and in a cookie, so no other site can post it."""
        return str(self._visit.dumps([secrets.token_urlsafe(12), now_ms]))

    def visit_fits(self, form: str, cookie: str, now_ms: int) -> bool:
        if not form or not hmac.compare_digest(form.encode(), cookie.encode()):
            return False
        told = _opened(self._visit, form)
        return isinstance(told, list) and len(told) == 2 and now_ms - int(told[1]) <= VISIT_MS

    def screen(self, name: str) -> str:
        """A token that shows the wallboard and nothing else, until the secret key is changed."""
        return str(self._screen.dumps(name))

    def read_screen(self, token: str) -> str | None:
        """The screen's name, or None when the token is not ours."""
        told = _opened(self._screen, token)
        return told if isinstance(told, str) else None


def _opened(serializer: URLSafeSerializer, token: str) -> Any:
    try:
        return serializer.loads(token)
    except (BadSignature, ValueError):
        return None


def sign_in_link(secret_key: str, public_url: str, agent: str, now_ms: int) -> str:
    """A link that signs ``agent`` in once, within ten minutes of ``now_ms`` (the wall clock)."""
    return f"{public_url.rstrip('/')}/sign-in/{Seals(secret_key).link(agent, now_ms)}"


def screen_link(secret_key: str, public_url: str, name: str = "wall") -> str:
    """A link to the wallboard for a screen without a keyboard: read only, no sign-in."""
    return f"{public_url.rstrip('/')}/wallboard/{Seals(secret_key).screen(name)}"
