"""TwiML: the only module that knows Twilio's verbs.

Each function gives one verb as text; ``answer`` puts verbs into a document. The text is built by hand
because the hold loop is asked for all day (a fiftieth of the SDK builder's cost); property tests hold
every verb to the SDK's own tree. Whatever is put in, what comes out is XML 1.0: characters it does not
allow are dropped, since one of them would turn the whole document into an error message for the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from announcements.catalog import LOCALES, VOICES, Utterance

MEDIA_TYPE = "text/xml"
MAX_SAID = 3000
"""Characters of one <Say>: four minutes of speech."""
MAX_TEXT = 1600
"""Characters of one <Message>."""

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_SAY = {
    language: f'<Say voice="{VOICES[language]}" language="{locale}">' for language, locale in LOCALES.items()
}


def escape(text: str) -> str:
    """``text`` as it may stand in an element or a quoted attribute."""
    if not text.isascii() or not text.isprintable():
        text = _ILLEGAL.sub("", text)
    if "&" in text:
        text = text.replace("&", "&amp;")
    for character, escaped in _ESCAPES.items():
        if character in text:
            text = text.replace(character, escaped)
    return text


def answer(*verbs: str) -> str:
    """A whole document."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{"".join(verbs)}</Response>'


def say(utterance: Utterance) -> str:
    return f"{_SAY[utterance.language]}{escape(utterance.text[:MAX_SAID])}</Say>"


def say_all(utterances: Iterable[Utterance]) -> str:
    return "".join([say(utterance) for utterance in utterances])


@lru_cache(maxsize=256)  # the music's few clips, all day
def play(url: str) -> str:
    return f"<Play>{escape(url)}</Play>"


def message(text: str) -> str:
    """An answer to a text, to whoever wrote it."""
    return f"<Message>{escape(text[:MAX_TEXT])}</Message>"


def pause(length_s: int) -> str:
    return f'<Pause length="{length_s}"/>'


def redirect(url: str) -> str:
    return f'<Redirect method="POST">{escape(url)}</Redirect>'


def hang_up() -> str:
    return "<Hangup/>"


def leave() -> str:
    """Out of the queue: Twilio then asks the Enqueue's action what is next."""
    return "<Leave/>"


def gather_key(action: str, inside: str, *, timeout_s: int = 1) -> str:
    """One key, also while ``inside`` (Say, Play, Pause) is heard. No key: the next verb runs."""
    return (
        f'<Gather input="dtmf" numDigits="1" timeout="{timeout_s}" method="POST" action="{escape(action)}">'
        f"{inside}</Gather>"
    )


def gather_number(action: str, inside: str, *, timeout_s: int = 6) -> str:
    """A telephone number, ended by # or by a pause. Nothing: the next verb runs."""
    return (
        f'<Gather input="dtmf" numDigits="15" finishOnKey="#" timeout="{timeout_s}" method="POST" '
        f'action="{escape(action)}">{inside}</Gather>'
    )


def gather_choice(action: str, inside: str, *, language: str, hints: str, timeout_s: int = 5) -> str:
    """One key or a spoken sentence, whichever comes first. Nothing: the next verb of the document runs."""
    return (
        f'<Gather input="dtmf speech" numDigits="1" timeout="{timeout_s}" speechTimeout="auto" '
        f'language="{LOCALES[language]}" hints="{escape(hints)}" method="POST" action="{escape(action)}">'
        f"{inside}</Gather>"
    )


def enqueue(queue: str, *, wait_url: str, action: str) -> str:
    return (
        f'<Enqueue waitUrl="{escape(wait_url)}" waitUrlMethod="POST" action="{escape(action)}" method="POST">'
        f"{escape(queue)}</Enqueue>"
    )


def record(*, action: str, recorded: str, max_s: int) -> str:
    """A message after the tone, ended by # or silence. ``recorded`` is told when it can be fetched."""
    return (
        f'<Record action="{escape(action)}" method="POST" maxLength="{max_s}" timeout="5" finishOnKey="#" '
        f'playBeep="true" recordingStatusCallback="{escape(recorded)}" recordingStatusCallbackMethod="POST" '
        'recordingStatusCallbackEvent="completed absent"/>'
    )


def conference(name: str, *, label: str, action: str, wait_url: str, status: str) -> str:
    """Meet in the conference ``name``. It starts when two are in, and ends for both when one of them goes.

    ``status`` is asked about joins and leaves; Twilio keeps the first participant's, so all give the same.
    """
    return (
        f'<Dial action="{escape(action)}" method="POST"><Conference participantLabel="{escape(label)}" '
        f'beep="false" startConferenceOnEnter="true" endConferenceOnExit="true" waitUrl="{escape(wait_url)}" '
        f'waitMethod="POST" statusCallback="{escape(status)}" statusCallbackMethod="POST" '
        f'statusCallbackEvent="start end join leave">{escape(name)}</Conference></Dial>'
    )
