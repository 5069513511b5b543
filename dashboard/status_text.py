"""The text an agent sends to a merchant who is owed a callback: that it is not forgotten, and its link."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from announcements.written import written
from callbacks import links
from callbacks.tables import Promise
from carrier import texts
from carrier.tables import Text
from dashboard import promise_actions
from dashboard.problems import Problem
from dashboard.rooms import Rooms
from dashboard.views import Said

AGAIN_MS = 10 * 60_000
"""The same text goes out once in this time, however often the button is pressed."""


async def send(rooms: Rooms, promise: str) -> Said:
    """Write the text down; it is sent with the others. Raises Problem when they did not agree to texts."""
    row = await promise_actions.one(rooms, promise)
    if not row.texts:
        raise Problem("not-now", "They did not agree to be texted about it.")
    now_ms = rooms.clock.now_ms()
    text = Text(
        id=f"{row.id}.status.{now_ms // AGAIN_MS}",
        number=row.number,
        kind="status",
        promise=row.id,
        body=words(rooms, row),
        made_ms=now_ms,
        not_before_ms=now_ms,
    )
    async with rooms.sql.session() as session:
        fresh = await texts.write(session, text)
        skipped = text.state == texts.TextState.SKIPPED
    if skipped:
        return Said("near", "No text was sent", "This number has said STOP.")
    if not fresh:
        return Said("near", "A status text went out just now", "The next one can go in ten minutes.")
    return Said("good", "The status text is on its way")


def words(rooms: Rooms, row: Promise) -> str:
    """In the merchant's language, with the time on the merchant's own clock."""
    link = links.link(rooms.office.secret, rooms.office.public_url, row.id)
    if not row.by_ms or row.by_ms < rooms.clock.now_ms():
        return written(row.language, "status_text_turn", centre=rooms.centre_name, link=link)
    zone = ZoneInfo(row.time_zone or rooms.time_zone)
    time = datetime.fromtimestamp(row.by_ms / 1000, UTC).astimezone(zone).strftime("%H:%M")
    return written(row.language, "status_text", centre=rooms.centre_name, time=time, link=link)
