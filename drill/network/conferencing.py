"""Dial a conference: join the room, hear what one hears there, until one leaves or is put out."""

from __future__ import annotations

import asyncio
from urllib.parse import urljoin

from drill.network.interpreter import DocumentFailed, Ending, Interpreter, Step
from drill.network.legs import Callback, Course, Stage
from drill.network.rooms import Participant, Room, events_of, open_room, room_named
from drill.network.strictness import Document, Element

MUSIC_MS = 30_000


async def dial_conference(talk: Interpreter, dial: Element, noun: Element, document: Document) -> Step:
    """Take part until one leaves, is removed, or the conference ends; then the Dial's action."""
    room = room_named(talk.exchange, noun.text) or _open(talk, noun, document)
    label = noun.get("participantLabel")
    if label and room.find(label):
        talk.exchange.breach("twiml", 16025, "this participant label is taken", document.url, talk.leg)
        return _after(talk, dial, document, "failed")
    if len(room.participants) >= min(room.most, noun.whole("maxParticipants", 250)):
        talk.note("the conference is full")
        return _after(talk, dial, document, "failed")
    now_ms = talk.clock.now_ms()
    participant = Participant(
        talk.leg,
        room,
        label,
        now_ms,
        starts=noun.flag("startConferenceOnEnter", True),
        ends=noun.flag("endConferenceOnExit"),
        muted=noun.flag("muted"),
        updated_ms=now_ms,
    )
    speaker = Speaker(talk, noun, document, participant)
    participant.tune = speaker.tune
    talk.leg.stand(Stage.CONFERENCE)
    try:
        room.join(participant)
        await participant.gone
    except asyncio.CancelledError:
        if talk.leg.ended:
            talk.tell(document, dial.get("action"), dial.get("method"), {"DialCallStatus": "answered"})
        raise
    finally:
        speaker.hush()
        room.leave(participant, "participant_left")
    talk.leg.stand(Stage.MENU)
    return _after(talk, dial, document, "answered")


def _after(talk: Interpreter, dial: Element, document: Document, status: str) -> Step:
    if not dial.get("action"):
        return Ending.NEXT
    return talk.course(document, dial.get("action"), dial.get("method"), {"DialCallStatus": status})


def _open(talk: Interpreter, noun: Element, document: Document) -> Room:
    """The first participant's callback and events are the conference's for good."""
    room = open_room(talk.exchange, noun.text)
    if noun.get("statusCallback"):
        room.callback = Callback(
            urljoin(document.url, noun.get("statusCallback")),
            noun.get("statusCallbackMethod") or "POST",
            events_of(noun.words("statusCallbackEvent")),
        )
    return room


class Speaker:
    """What one participant hears beside the others: waiting music before the start, music on hold."""

    def __init__(
        self, talk: Interpreter, noun: Element, document: Document, participant: Participant
    ) -> None:
        self.talk = talk
        self.noun = noun
        self.document = document
        self.participant = participant
        self.playing: asyncio.Task[None] | None = None
        self.now = ""

    def tune(self) -> None:
        """Play what fits the moment; go on playing it when it is the same."""
        fits = "talk"
        if self.participant.hold:
            fits = f"hold {self.participant.hold_url}"
        elif self.participant.room.status == "init":
            fits = "wait"
        if fits == self.now:
            return
        self.hush()
        self.now = fits
        leg = self.talk.leg
        if fits == "talk":
            leg.stand(Stage.TALKING)
            self.talk.note("you are connected")
            return
        if self.participant.hold:
            self.talk.note("you are on hold")
        leg.stand(Stage.CONFERENCE)
        self.playing = asyncio.ensure_future(self._play())

    def hush(self) -> None:
        if self.playing is not None:
            self.playing.cancel()
            self.playing = None

    async def _play(self) -> None:
        """The document once (it is not looped); without one, Twilio's music for ever."""
        if self.participant.hold:
            url, method = self.participant.hold_url, self.participant.hold_method
            silent = False
        else:
            url, method = self.noun.get("waitUrl"), self.noun.get("waitMethod")
            silent = "waitUrl" in self.noun.attributes
        while not url and not silent:
            self.talk.hear("play", "Twilio's hold music", "", MUSIC_MS)
            await self.talk.clock.sleep(MUSIC_MS)
        if not url:
            return
        context = "participant.holdUrl" if self.participant.hold else "dial.conference.waitUrl"
        try:
            await self.talk.follow(Course(urljoin(self.document.url, url), method or "POST", {}, context))
        except DocumentFailed:
            self.talk.note("silence")
