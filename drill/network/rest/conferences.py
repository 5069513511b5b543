"""Conferences and their participants over REST."""

from __future__ import annotations

from typing import Any

from drill.network.exchange import API_VERSION, Exchange, rfc2822
from drill.network.rest.calls import DAY_S, moment_ms
from drill.network.rest.door import Ask, Reply, operation, page
from drill.network.rest.refusals import Refusal
from drill.network.rooms import Participant, Room


@operation("ListConference")
async def listed(ask: Ask) -> Reply:
    rooms = [room for room in reversed(ask.exchange.rooms.values()) if _fits(ask, room)]
    return page(ask, "conferences", rooms, view)


@operation("FetchConference")
async def fetch(ask: Ask) -> Reply:
    return Reply(view(ask.exchange, _room(ask, "Sid")))


@operation("UpdateConference", "Status")
async def update(ask: Ask) -> Reply:
    room = _room(ask, "Sid")
    if ask.text("Status") == "completed":
        room.end("conference-ended-via-api")
    return Reply(view(ask.exchange, room))


@operation("ListParticipant")
async def participants(ask: Ask) -> Reply:
    room = _room(ask, "ConferenceSid")
    wanted = {name: ask.flag(name) for name in ("Muted", "Hold", "Coaching") if name in ask.values}
    found = [
        each
        for each in room.participants.values()
        if wanted.get("Muted", each.muted) == each.muted
        and wanted.get("Hold", each.hold) == each.hold
        and not wanted.get("Coaching", False)
    ]
    return page(ask, "participants", found, participant_view)


@operation("FetchParticipant")
async def participant(ask: Ask) -> Reply:
    return Reply(participant_view(ask.exchange, _participant(ask)))


@operation("UpdateParticipant", "Muted Hold HoldUrl HoldMethod EndConferenceOnExit")
async def change(ask: Ask) -> Reply:
    """Hold or take back, mute or unmute, or change whether the conference ends with this one."""
    found = _participant(ask)
    hold, muted, ends = ask.flag("Hold"), ask.flag("Muted"), ask.flag("EndConferenceOnExit")
    hold_url = ask.url("HoldUrl")
    if hold is not None:
        found.room.set_hold(found, hold, hold_url, ask.text("HoldMethod", "POST"))
    if muted is not None:
        found.room.set_mute(found, muted)
    if ends is not None:
        found.ends = ends
        found.room.tell("participant-modify", found)
    found.updated_ms = ask.exchange.now_ms()
    return Reply(participant_view(ask.exchange, found))


@operation("DeleteParticipant")
async def remove(ask: Ask) -> Reply:
    """Out of the conference; the call goes on after its Dial."""
    found = _participant(ask)
    found.room.leave(found, "participant_updated_via_api")
    return Reply(None, 204)


def view(exchange: Exchange, room: Room) -> dict[str, Any]:
    base = f"/{API_VERSION}/Accounts/{exchange.account.sid}/Conferences/{room.sid}"
    ended = {"reason_conference_ended": room.ended_reason} if room.ended_reason else {}
    return {
        "sid": room.sid,
        "account_sid": exchange.account.sid,
        "friendly_name": room.name,
        "status": room.status,
        "region": "us1",
        "api_version": API_VERSION,
        "date_created": rfc2822(room.created_ms),
        "date_updated": rfc2822(room.updated_ms or room.created_ms),
        **ended,  # the description has no null for it
        "call_sid_ending_conference": room.ended_by,
        "uri": f"{base}.json",
        "subresource_uris": {
            "participants": f"{base}/Participants.json",
            "recordings": f"{base}/Recordings.json",
        },
    }


def participant_view(exchange: Exchange, found: Participant) -> dict[str, Any]:
    base = f"/{API_VERSION}/Accounts/{exchange.account.sid}/Conferences/{found.room.sid}"
    return {
        "account_sid": exchange.account.sid,
        "call_sid": found.leg.sid,
        "label": found.label or None,
        "call_sid_to_coach": None,
        "coaching": False,
        "conference_sid": found.room.sid,
        "date_created": rfc2822(found.created_ms),
        "date_updated": rfc2822(found.updated_ms),
        "end_conference_on_exit": found.ends,
        "muted": found.muted,
        "hold": found.hold,
        "start_conference_on_enter": found.starts,
        "status": "connected",
        "queue_time": str(found.leg.queue_ms),
        "uri": f"{base}/Participants/{found.leg.sid}.json",
    }


def _room(ask: Ask, name: str) -> Room:
    room: Room | None = ask.exchange.rooms.get(ask.named[name])
    if room is None:
        raise Refusal(20404, ask.path)
    return room


def _participant(ask: Ask) -> Participant:
    found = _room(ask, "ConferenceSid").find(ask.named["CallSid"])
    if found is None:
        raise Refusal(20404, ask.path)
    return found


def _fits(ask: Ask, room: Room) -> bool:
    if ask.text("FriendlyName", room.name) != room.name or ask.text("Status", room.status) != room.status:
        return False
    dates = {"DateCreated": room.created_ms, "DateUpdated": room.updated_ms or room.created_ms}
    return all(
        _on_day(ms, ask.text(name + compared), compared)
        for name, ms in dates.items()
        for compared in ("", "<", ">")
        if ask.text(name + compared)
    )


def _on_day(ms: int, text: str, compared: str) -> bool:
    start_ms = moment_ms(text)
    if compared == "<":
        return ms < start_ms + DAY_S * 1000
    if compared == ">":
        return ms >= start_ms
    return start_ms <= ms < start_ms + DAY_S * 1000
