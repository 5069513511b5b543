"""Twilio's error answers: codes, HTTP statuses, and the numbers that always go wrong."""

from __future__ import annotations

from typing import Any

from foundation.errors import SurgelineError

CODES: dict[int, tuple[int, str]] = {
    20001: (400, "Bad request"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal server error"),
    20503: (503, "Service unavailable"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url is not a valid URL"),
    21210: (400, "The 'From' number is not verified for this account"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid 'From' Number (caller ID)"),
    21213: (400, "'From' phone number is required"),
    21214: (400, "'To' phone number cannot be reached"),
    21215: (400, "Account not authorized to call the number: geographic permission is not enabled"),
    21216: (400, "Account not allowed to call the number"),
    21217: (400, "Phone number does not appear to be valid"),
    21220: (400, "Call is not in-progress. Cannot redirect."),
    21405: (400, "VoiceFallbackUrl needs a VoiceUrl"),
    21408: (400, "Permission to send an SMS has not been enabled for the region of the 'To' number"),
    21602: (400, "Message body is required"),
    21606: (400, "The 'From' number is not a valid, SMS-capable number of this account"),
    21609: (400, "Invalid 'StatusCallback' URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (400, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "The 'To' number is not currently reachable via SMS"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    22005: (400, "Call queue full: more than 24 hours of calls at this account's calls per second"),
}

CALL_FROM = {"+15005550001": 21212}
CALL_TO = {"+15005550001": 21217, "+15005550002": 21214, "+15005550003": 21215, "+15005550004": 21216}
TEXT_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
TEXT_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
ALWAYS_OURS = "+15005550006"
"""Twilio's test number that may always be used as a sender."""


class Refusal(SurgelineError):
    """A request that is answered with an error."""

    def __init__(self, code: int, detail: str = "", status: int = 0) -> None:
        known_status, message = CODES.get(code, (400, "Bad request"))
        super().__init__(f"{message}: {detail}" if detail else message)
        self.code = code
        self.status = status or known_status

    def body(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
