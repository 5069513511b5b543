"""One merchant's past, for the desk: calls, promises and texts."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from callbacks import lists
from callbacks.lists import Past
from callbacks.turns import promise_of
from dashboard.desk_view import PastContact
from dashboard.promise_views import CALLBACK_OUTCOMES, STATE_WORDS
from dashboard.rooms import Rooms
from dashboard.views import END_WORDS, sentence
from queueing.records import ContactNow

LONGEST = 160


async def history_of(rooms: Rooms, now: ContactNow) -> list[PastContact]:
    """What happened before with the merchant in hand, the newest first. Raises Unavailable."""
    card = now.card
    but = (now.contact, promise_of(now.contact) or card.promise)
    told = await lists.history(rooms.sql, merchant_id=card.merchant_id, number=card.caller, but=but)
    words = {**dict(CALLBACK_OUTCOMES), **dict(rooms.outcomes)}
    zone = ZoneInfo(rooms.time_zone)
    return [
        PastContact(
            when=datetime.fromtimestamp(past.at_ms / 1000, zone).strftime("%-d %b, %H:%M"),
            topic=sentence(past.topic),
            end=_end(past, words),
            note=past.note if len(past.note) <= LONGEST else f"{past.note[:LONGEST]}…",
            kind=past.kind,
        )
        for past in told
    ]


def _end(past: Past, words: dict[str, str]) -> str:
    if past.kind == "call":
        return words.get(past.outcome, "") or END_WORDS.get(past.end, past.end)
    if past.kind == "promise":
        word = STATE_WORDS.get(past.end, past.end)
        return f"{word}: {past.outcome}" if past.outcome else word
    return past.end.replace("_", " ")
