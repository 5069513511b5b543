"""What went wrong, as people and programs are told: RFC 9457 problem details, and the same as a page.

Every kind has one row in ``KINDS``; the API's page lists them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from foundation.errors import SurgelineError

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """``title`` never changes for a kind; ``mend`` says what the reader can do about it."""

    status: int
    title: str
    mend: str


KINDS: dict[str, Kind] = {
    "not-signed-in": Kind(401, "You are not signed in", "Sign in, then try again."),
    "wrong-login": Kind(
        401, "Login or password is wrong", "Check both; an administrator can set a new password."
    ),
    "not-allowed": Kind(403, "Your role does not reach here", "Ask somebody whose role does."),
    "forged": Kind(
        403,
        "The request did not come from one of our pages",
        "Send the X-CSRF-Token of GET /api/v1/me (or load the page anew and press again).",
    ),
    "not-signed": Kind(
        401, "The signature does not fit", "Sign the raw body with one of the secrets set here, within 5 min."
    ),
    "not-found": Kind(404, "There is no such thing here", "Check the address."),
    "wrong-method": Kind(405, "That is not done here", "See Allow for what is."),
    "lost-race": Kind(409, "The contact has moved on", "Look at GET /api/v1/me for how things stand now."),
    "promise-moved": Kind(
        409,
        "The promise has moved on",
        "Look at the promise again; `who` names who was first, if known.",
    ),
    "surge-moved": Kind(
        409,
        "Somebody else was first",
        "Look at `who` did `what`, then decide; send the version you have seen.",
    ),
    "not-now": Kind(409, "That cannot be done from where things stand", "Look at GET /api/v1/me first."),
    "link-spent": Kind(
        410, "This sign-in link is over", "Links work once and for ten minutes. Get a new one."
    ),
    "too-large": Kind(413, "That is too much at once", "Send less."),
    "not-understood": Kind(422, "The request is not understood", "See `errors` for each field."),
    "bad-input": Kind(422, "Something in it needs mending", "See `detail`."),
    "too-many": Kind(429, "Too many attempts", "Wait for the time in Retry-After."),
    "failed": Kind(500, "Something broke on our side", "Try once more; if it stays, tell who runs this."),
    "away": Kind(503, "A store does not answer", "Calls in progress go on. Try again in a few seconds."),
}


@dataclass
class Problem(SurgelineError):
    """Raised anywhere below a route; the entrance turns it into an answer.

    ``kind`` is a row of ``KINDS``; ``more`` is added to the JSON; ``headers`` to the answer.
    """

    kind: str
    detail: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.detail or KINDS[self.kind].title)

    @property
    def status(self) -> int:
        return KINDS[self.kind].status

    @property
    def title(self) -> str:
        return KINDS[self.kind].title

    @property
    def mend(self) -> str:
        return KINDS[self.kind].mend

    def details(self, instance: str = "") -> dict[str, Any]:
        """The members of the problem document (RFC 9457, 3.1), with our extension ``mend``."""
        told = {
            "type": f"/api/docs#problem-{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": str(self),
            "mend": self.mend,
        }
        if instance:
            told["instance"] = instance
        return told | self.more
