"""Who may use which route: the whole law, in one table.

Rule 1: a route without a row is shut to everyone, and does not even come into being (``entrance.Doorway``).

Rule 2: roles are a ladder; who may do what an agent may is an agent or anyone above.

Rule 3: a row says who may knock. What somebody may do to a contact (only its own agent holds it) is checked
where it is done, by the line itself.
"""

from __future__ import annotations

from enum import IntEnum


class Access(IntEnum):
    """What a route asks of its visitor. The roles' names are the words of an account's ``role``."""

    OPEN = 0
    """Anybody, signed in or not."""

    SCREEN = 1
    """Anybody signed in, or a wallboard that carries a screen's token."""

    AGENT = 2
    """Takes contacts at a desk."""

    LEAD = 3
    """Sees the line, its history and the reports; sees to the promises, and switches them on and off."""

    SUPERVISOR = 4
    """Sees numbers in full and hears messages."""

    ADMIN = 5
    """Adds people, sets passwords, imports merchants."""


ROLES: dict[str, Access] = {
    "agent": Access.AGENT,
    "lead": Access.LEAD,
    "supervisor": Access.SUPERVISOR,
    "admin": Access.ADMIN,
}

_OPEN = """
    GET /  GET /sign-in  POST /sign-in  GET /sign-in/{token}
    GET /c/{token}  POST /c/{token}/later  POST /c/{token}/window
    POST /c/{token}/turn  POST /c/{token}/cancel
    GET /status  GET /status.json  GET /status.rss  GET /status/text-me  POST /status/text-me
    POST /status/code  POST /hooks/pagerduty  POST /hooks/generic
    GET /assets/{name:path}  GET /api/docs  GET /api/v1/openapi.json  GET /{rest:path}
"""
_SCREEN = """
    GET /events  GET /wallboard/{kiosk}
"""
_AGENT = """
    POST /sign-out  GET /session  GET /wallboard
    GET /desk  POST /desk/ready  POST /desk/away  POST /desk/off  POST /desk/accept  POST /desk/decline
    POST /desk/hold  POST /desk/unhold  POST /desk/transfer  POST /desk/hang-up  POST /desk/wrap-up
    POST /desk/call  POST /desk/skip  POST /desk/claim  POST /desk/later  POST /desk/text
    GET /api/v1/promises  GET /api/v1/promises/{promise}  POST /api/v1/promises/{promise}/claim
    POST /api/v1/promises/{promise}/skip  POST /api/v1/promises/{promise}/later
    GET /api/v1/incidents  GET /api/v1/incidents/{incident}  GET /api/v1/level
    GET /api/v1/me  POST /api/v1/me/ready  POST /api/v1/me/away  POST /api/v1/me/off
    POST /api/v1/contacts/{contact}/accept  POST /api/v1/contacts/{contact}/decline
    POST /api/v1/contacts/{contact}/hold  POST /api/v1/contacts/{contact}/unhold
    POST /api/v1/contacts/{contact}/transfer  POST /api/v1/contacts/{contact}/hang-up
    POST /api/v1/contacts/{contact}/wrap-up  GET /api/v1/softphone  GET /api/v1/queues
    GET /api/v1/{rest:path}  POST /api/v1/{rest:path}  PUT /api/v1/{rest:path}
    PATCH /api/v1/{rest:path}  DELETE /api/v1/{rest:path}  HEAD /api/v1/{rest:path}
    OPTIONS /api/v1/{rest:path}  TRACE /api/v1/{rest:path}
"""
_LEAD = """
    GET /callbacks  POST /callbacks/move  POST /callbacks/cancel  POST /callbacks/assign
    POST /callbacks/switch
    GET /surge  POST /surge/level  POST /surge/second  POST /surge/undo  POST /surge/renew
    POST /surge/detector  POST /surge/preview  POST /surge/incidents
    POST /surge/incidents/{incident}/update  POST /surge/incidents/{incident}/edit
    POST /surge/incidents/{incident}/reopen  POST /surge/suggestions/{suggestion}
    GET /surge/incidents/{incident}  GET /surge/incidents/{incident}/chapter.md
    POST /surge/incidents/{incident}/commitments  POST /surge/commitments/{commitment}/done
    GET /followups  POST /followups/many  POST /followups/close  POST /followups/notices
    POST /api/v1/incidents  POST /api/v1/incidents/{incident}/updates  POST /api/v1/level
    POST /api/v1/incidents/{incident}/close
    GET /api/v1/followups  POST /api/v1/followups/{followup}
    POST /api/v1/promises/{promise}/cancel  POST /api/v1/promises/{promise}/reschedule
    GET /reports  GET /reports.csv  GET /reports/callbacks.csv  GET /contacts  GET /contacts/{contact}
    GET /reports/waits.csv
    GET /api/v1/contacts  GET /api/v1/contacts/{contact}  GET /api/v1/agents  GET /api/v1/figures
"""
_SUPERVISOR = """
    GET /staffing  GET /staffing.csv
    GET /staffing/roster  GET /staffing/roster.csv  POST /staffing/roster  POST /staffing/roster/clear
    GET /messages  POST /messages/{message}/done
"""
_ADMIN = """
    GET /admin  POST /admin/accounts  POST /admin/accounts/{agent}  POST /admin/accounts/{agent}/password
    POST /admin/accounts/{agent}/deactivate  POST /admin/accounts/{agent}/activate
    GET /admin/operations  POST /admin/operations/{job}/again
    GET /admin/merchants  POST /admin/merchants  GET /admin/screens  POST /admin/screens
"""


def _rows(text: str, access: Access) -> dict[tuple[str, str], Access]:
    words = text.split()
    return {(method, path): access for method, path in zip(words[::2], words[1::2], strict=True)}


RULES: dict[tuple[str, str], Access] = {
    **_rows(_OPEN, Access.OPEN),
    **_rows(_SCREEN, Access.SCREEN),
    **_rows(_AGENT, Access.AGENT),
    **_rows(_LEAD, Access.LEAD),
    **_rows(_SUPERVISOR, Access.SUPERVISOR),
    **_rows(_ADMIN, Access.ADMIN),
}


def rule(method: str, path: str) -> Access:
    """What the route asks. Raises KeyError for a route that has no row."""
    return RULES[method, path]


def allowed(role: str | None, needed: Access) -> bool:
    """Whether somebody with that role (None: not signed in) may enter. An unknown role may nothing."""
    if needed is Access.OPEN:
        return True
    return role is not None and ROLES.get(role, Access.OPEN) >= needed


def sees_numbers(role: str) -> bool:
    """Whether phone numbers are shown in full: to supervisors and up, whose work calling back is."""
    return allowed(role, Access.SUPERVISOR)
