"""Conferences: who is in the room, who hears what, and which events the first comer's callback is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from drill.network.exchange import Exchange, new_sid, rfc2822
from drill.network.legs import Callback, Leg
from drill.network.webhooks import Webhook

EVENTS = {
    "start": ("conference-start",),
    "end": ("conference-end",),
    "join": ("participant-join",),
    "leave": ("participant-leave",),
    "mute": ("participant-mute", "participant-unmute"),
    "hold": ("participant-hold", "participant-unhold"),
    "modify": ("participant-modify",),
    "speaker": ("participant-speech-start", "participant-speech-stop"),
    "announcement": ("announcement-end", "announcement-fail"),
}
KEPT_ROOMS = 10_000
"""Beyond so many, the oldest conferences that are over are forgotten."""


@dataclass(eq=False)
class Participant:
    """One call in a conference."""

    leg: Leg
    room: Room
    label: str
    created_ms: int
    starts: bool = True
    ends: bool = False
    muted: bool = False
    hold: bool = False
    updated_ms: int = 0
    gone: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    tune: Callable[[], None] = lambda: None
    """Change what this participant hears: set by the performer, called when that may have changed."""
    hold_url: str = ""
    hold_method: str = "POST"


@dataclass(eq=False)
class Room:
    """A conference. ``status``: init, in-progress, completed."""

    exchange: Exchange
    sid: str
    name: str
    created_ms: int
    callback: Callback | None = None
    status: str = "init"
    updated_ms: int = 0
    sequence: int = 0
    most: int = 250
    participants: dict[str, Participant] = field(default_factory=dict)
    ended_reason: str | None = None
    ended_by: str | None = None

    # -- coming and going --------------------------------------------------------------------------

    def join(self, participant: Participant) -> None:
        self.participants[participant.leg.sid] = participant
        participant.leg.participant = participant
        self.tell("participant-join", participant)
        starters = any(each.starts for each in self.participants.values())
        if self.status == "init" and starters and len(self.participants) > 1:
            self.status = "in-progress"
            self.updated_ms = self.exchange.now_ms()
            self.tell("conference-start", None)
        self.retune()

    def leave(self, participant: Participant, reason: str) -> None:
        """A participant goes; with the last one, or one who takes it along, the conference ends."""
        if self.participants.pop(participant.leg.sid, None) is None:
            return
        participant.leg.participant = None
        if not participant.gone.done():
            participant.gone.set_result(reason)
        more = {
            "ParticipantCallStatus": participant.leg.status.value,
            "ReasonParticipantLeft": reason,
        }
        self.tell("participant-leave", participant, more)
        kicked = reason == "participant_updated_via_api"
        if participant.ends:
            word = "kicked" if kicked else "left"
            self.end(f"participant-with-end-conference-on-exit-{word}", participant)
        elif not self.participants:
            self.end("last-participant-kicked" if kicked else "last-participant-left", participant)

    def end(self, reason: str, by: Participant | None = None) -> None:
        if self.status == "completed":
            return
        self.status = "completed"
        self.exchange.open_rooms.pop(self.name, None)
        self.ended_reason = reason
        self.ended_by = by.leg.sid if by else None
        self.updated_ms = self.exchange.now_ms()
        for participant in list(self.participants.values()):
            self.leave(participant, "conference_ended")
        more = {"ReasonConferenceEnded": reason, "Reason": reason.replace("-", " ")}
        if by is not None:
            more["CallSidEndingConference"] = by.leg.sid
            if by.label:
                more["ParticipantLabelEndingConference"] = by.label
        self.tell("conference-end", None, more)

    def retune(self) -> None:
        for participant in list(self.participants.values()):
            participant.tune()

    # -- changes over REST -------------------------------------------------------------------------

    def set_hold(self, participant: Participant, hold: bool, url: str, method: str) -> None:
        participant.hold_url, participant.hold_method = url, method or "POST"
        if participant.hold is not hold:
            participant.hold = hold
            self.tell("participant-hold" if hold else "participant-unhold", participant)
        participant.tune()

    def set_mute(self, participant: Participant, muted: bool) -> None:
        if participant.muted is not muted:
            participant.muted = muted
            self.tell("participant-mute" if muted else "participant-unmute", participant)

    # -- finding and telling -----------------------------------------------------------------------

    def find(self, key: str) -> Participant | None:
        """By CallSid, or by label."""
        found = self.participants.get(key)
        return found or next((each for each in self.participants.values() if each.label == key), None)

    def tell(self, event: str, participant: Participant | None, more: dict[str, str] | None = None) -> None:
        self.sequence += 1
        self.exchange.ledger.counts[event] += 1
        if self.callback is None or event not in self.callback.events:
            return
        fields = {
            "ConferenceSid": self.sid,
            "FriendlyName": self.name,
            "AccountSid": self.exchange.account.sid,
            "SequenceNumber": str(self.sequence),
            "Timestamp": rfc2822(self.exchange.now_ms()),
            "StatusCallbackEvent": event,
        }
        if participant is not None:
            fields |= {
                "CallSid": participant.leg.sid,
                "Muted": _word(participant.muted),
                "Hold": _word(participant.hold),
                "Coaching": "false",
                "EndConferenceOnExit": _word(participant.ends),
                "StartConferenceOnEnter": _word(participant.starts),
            }
            if participant.label:
                fields["ParticipantLabel"] = participant.label
        self.exchange.courier.tell(
            Webhook(self.callback.url, self.callback.method, {**fields, **(more or {})}, self.sid)
        )


def room_named(exchange: Exchange, name: str) -> Room | None:
    """The conference of that name that is not over."""
    room: Room | None = exchange.open_rooms.get(name)
    return room


def open_room(exchange: Exchange, name: str) -> Room:
    now_ms = exchange.now_ms()
    room = Room(exchange, new_sid("CF"), name, now_ms, updated_ms=now_ms)
    exchange.rooms[room.sid] = room
    exchange.open_rooms[name] = room
    while len(exchange.rooms) > KEPT_ROOMS and next(iter(exchange.rooms.values())).status == "completed":
        del exchange.rooms[next(iter(exchange.rooms))]
    return room


def events_of(words: frozenset[str]) -> frozenset[str]:
    """``statusCallbackEvent="start join"`` as the events that are told."""
    return frozenset(event for word in words for event in EVENTS.get(word, ()))


def _word(value: bool) -> str:
    return "true" if value else "false"
