"""Gather and Record: the verbs that listen."""

from __future__ import annotations

from collections import deque

from drill.network.exchange import Recording, new_sid, rfc2822
from drill.network.interpreter import VERBS, DocumentFailed, Ending, Interpreter, Step, performs, speaking_ms
from drill.network.legs import Course, Stage
from drill.network.strictness import Document, Element

LONGEST_SPEECH_MS = 60_000
AUTO_SILENCE_MS = 1_000
PROMPTS = frozenset({"Say", "Play", "Pause"})


@performs("Gather")
async def gather(talk: Interpreter, verb: Element, document: Document) -> Step:
    """Play the prompts, listening from the start; then wait for keys or words."""
    kinds = verb.words("input", "dtmf")
    keypad = talk.leg.keypad
    keypad.listen(*kinds)
    talk.hear("gather", " ".join(sorted(kinds)))
    try:
        for prompt in verb.children:
            if prompt.tag not in PROMPTS:
                continue
            await VERBS[prompt.tag](talk, prompt, document)
            if keypad.keys or keypad.words:
                break
        result = await _collect(talk, verb, document)
    finally:
        keypad.listen()
    talk.leg.verb = "Gather"
    if result is None:
        if not verb.flag("actionOnEmptyResult"):
            return Ending.NEXT
        result = {"Digits": ""} if "dtmf" in kinds else {"SpeechResult": ""}
    return _submit(talk, verb, document, result)


def _submit(talk: Interpreter, verb: Element, document: Document, result: dict[str, str]) -> Course:
    return talk.course(document, verb.get("action"), verb.get("method"), {"msg": "Gather End", **result})


async def _collect(talk: Interpreter, verb: Element, document: Document) -> dict[str, str] | None:
    """What was keyed or said, as Twilio's parameters; None when nothing was."""
    keypad = talk.leg.keypad
    finish = verb.get("finishOnKey", "#")
    wanted = verb.whole("numDigits", 0)
    digits = ""
    while True:
        while keypad.keys:
            key = keypad.keys.popleft()
            if key == finish and finish:
                return {"Digits": digits, "FinishedOnKey": key} if digits else None
            digits += key
            if wanted and len(digits) == wanted:
                return {"Digits": digits, "FinishedOnKey": ""}
        if keypad.words and not digits:
            return await _heard(talk, verb, document, keypad.words.popleft())
        keypad.words.clear()
        if not await talk.pause(verb.whole("timeout", 5) * 1000):
            return {"Digits": digits, "FinishedOnKey": ""} if digits else None


async def _heard(talk: Interpreter, verb: Element, document: Document, text: str) -> dict[str, str]:
    """The caller speaks; silence after it ends the turn; then it is written down."""
    talk.leg.keypad.listen()
    partial = {"UnstableSpeechResult": text[: len(text) // 2], "Stability": "0.5"}
    method = verb.get("partialResultCallbackMethod")
    talk.tell(document, verb.get("partialResultCallback"), method, partial)
    silence = verb.get("speechTimeout") or verb.get("timeout", "5")
    silence_ms = AUTO_SILENCE_MS if silence == "auto" else int(silence) * 1000
    await talk.pause(min(speaking_ms(text), LONGEST_SPEECH_MS) + silence_ms)
    return {"SpeechResult": text, "Confidence": "0.9", "Language": verb.get("language", "en-US")}


@performs("Record")
async def record(talk: Interpreter, verb: Element, document: Document) -> Step:
    """Record until a key, silence or the longest time. Nothing said: no recording, on to the next verb.

    A caller who hangs up leaves what was said so far; the action is still asked (Digits=hangup).
    """
    leg, keypad = talk.leg, talk.leg.keypad
    leg.stand(Stage.RECORDING)
    talk.note("beep: recording" if verb.flag("playBeep", True) else "recording")
    keypad.listen("dtmf", "speech")
    said: list[str] = []
    spoken_ms = 0
    digits = ""
    try:
        most_ms = verb.whole("maxLength", 3600) * 1000
        while spoken_ms < most_ms:
            if not await talk.pause(verb.whole("timeout", 5) * 1000):
                break
            if keypad.keys:
                digits = _finishing(keypad.keys, verb.get("finishOnKey", "1234567890*#"))
                if digits:
                    break
            if keypad.words:
                said.append(keypad.words.popleft())
                spoken_ms += speaking_ms(said[-1])
                await talk.clock.sleep(min(speaking_ms(said[-1]), most_ms))
    finally:
        keypad.listen()
        if leg.ended and said:
            _keep(talk, verb, document, said, min(spoken_ms, most_ms), "hangup")
    if not said:
        return Ending.NEXT
    leg.stand(Stage.MENU)
    return _keep(talk, verb, document, said, min(spoken_ms, most_ms), digits)


def _finishing(keys: deque[str], finish: str) -> str:
    """The first key that ends the recording; others are forgotten."""
    while keys:
        key = keys.popleft()
        if key in finish:
            return key
    return ""


def _keep(
    talk: Interpreter, verb: Element, document: Document, said: list[str], ms: int, digits: str
) -> Course:
    """Store the recording, tell the recording callback, and lead to the action."""
    exchange = talk.exchange
    recording = Recording(
        new_sid("RE"), talk.leg.sid, talk.clock.now_ms(), max(1, round(ms / 1000)), " ".join(said)
    )
    exchange.recordings[recording.sid] = recording
    url = recording_url(exchange.base_url, exchange.account.sid, recording.sid)
    facts = {
        "RecordingSid": recording.sid,
        "RecordingUrl": url,
        "RecordingDuration": str(recording.duration_s),
    }
    events = verb.words("recordingStatusCallbackEvent", "completed")
    if "completed" in events:
        more = {
            "RecordingStatus": "completed",
            "RecordingChannels": "1",
            "RecordingSource": "RecordVerb",
            "RecordingStartTime": rfc2822(recording.created_ms - ms),
        }
        method = verb.get("recordingStatusCallbackMethod", "POST")
        talk.tell(document, verb.get("recordingStatusCallback"), method, {**facts, **more})
    params = {**facts, "Digits": digits}
    if digits == "hangup":
        try:
            course = talk.course(document, verb.get("action"), verb.get("method"), params)
        except DocumentFailed as failed:
            return failed.course
        exchange.tell(talk.leg, course.url, course.method, course.params)
        return course
    return talk.course(document, verb.get("action"), verb.get("method"), params)


def recording_url(base_url: str, account_sid: str, sid: str) -> str:
    return f"{base_url}/2010-04-01/Accounts/{account_sid}/Recordings/{sid}"
