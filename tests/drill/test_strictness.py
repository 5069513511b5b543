"""TwiML is read as strictly as it can be: each rule has a document that breaks it."""

from __future__ import annotations

import pytest

from drill.network.strictness import Unreadable, read, schema
from tests.drill.product import Answered, Rehearsal, heard, twiml

WAIT = "enqueue.waitUrl"

FINE = [
    "",
    "<Say>Hello.</Say>",
    "<Say voice='Polly.Joanna-Neural' language='en-US'>Hello <emphasis level='strong'>you</emphasis>.</Say>",
    "<Say voice='Google.es-US-Standard-A' language='es-US'>Hola.</Say>",
    "<Play>/clip.wav</Play>",
    "<Play digits='12w3'/>",
    "<Pause/>",
    "<Gather input='dtmf speech' numDigits='1' finishOnKey='' speechTimeout='auto'><Say>One?</Say></Gather>",
    "<Redirect/>",
    "<Redirect method='GET'>?x=1</Redirect>",
    "<Reject/>",
    "<Enqueue waitUrl='' action='/left'>support.p1</Enqueue>",
    "<Dial>+14155550123</Dial>",
    "<Dial action='/after' timeout='10'><Number>+14155550123</Number><Client>agent1</Client></Dial>",
    "<Dial><Conference statusCallbackEvent='start end join leave' waitUrl=''>room</Conference></Dial>",
    "<Dial><Queue url='/whisper'>support</Queue></Dial>",
    "<Record maxLength='60' action='/done' recordingStatusCallback='/recorded'/>",
    "<!-- a comment --><Hangup/>",
]


@pytest.mark.parametrize("verbs", FINE)
def test_what_twilio_takes_passes(verbs: str) -> None:
    _, breaches = read(twiml(verbs).encode(), "text/xml; charset=utf-8", "http://127.0.0.1/", "voice.answer")
    assert breaches == []


BROKEN = [
    ("<Speak>Hello.</Speak>", "voice.answer", "Speak: not allowed inside <Response>"),
    ("<say>Hello.</say>", "voice.answer", "say: not allowed inside <Response>"),
    ("<Say tone='kind'>Hello.</Say>", "voice.answer", "no attribute 'tone'"),
    ("<Say Language='en-US'>Hello.</Say>", "voice.answer", "no attribute 'Language'"),
    ("<Say language='xx-XX'>Hello.</Say>", "voice.answer", "'xx-XX' is not one of"),
    ("<Say voice='Joanna'>Hello.</Say>", "voice.answer", "does not fit"),
    ("<Say voice='Google.es-US-Standard-A' language='en-US'>Hi.</Say>", "voice.answer", "does not speak"),
    ("<Say> </Say>", "voice.answer", "nothing to say"),
    ("<Say><Play>/x.wav</Play></Say>", "voice.answer", "not allowed inside <Say>"),
    ("<Play/>", "voice.answer", "either a URL or digits"),
    ("<Play digits='1'>/clip.wav</Play>", "voice.answer", "either a URL or digits"),
    ("<Play>no clip.wav</Play>", "voice.answer", "is not a URL"),
    ("<Pause length='0'/>", "voice.answer", "outside 1"),
    ("<Pause length='2.5'/>", "voice.answer", "not a whole number"),
    ("<Gather><Dial>+14155550123</Dial></Gather>", "voice.answer", "not allowed inside <Gather>"),
    ("<Gather><Enqueue>q</Enqueue></Gather>", "voice.answer", "not allowed inside <Gather>"),
    ("<Gather input='keys'/>", "voice.answer", "not a space-separated list"),
    ("<Gather numDigits='one'/>", "voice.answer", "not a whole number"),
    ("<Gather finishOnKey='##'/>", "voice.answer", "does not fit"),
    ("<Gather action=''/>", "voice.answer", "an empty URL"),
    ("<Gather actionOnEmptyResult='True'/>", "voice.answer", "neither true nor false"),
    ("<Gather hints='" + "x" * 101 + "'/>", "voice.answer", "above 100 characters"),
    ("<Gather>stray words</Gather>", "voice.answer", "no text belongs here"),
    ("stray words", "voice.answer", "no text belongs here"),
    ("<Redirect>ftp://example.com/x</Redirect>", "voice.answer", "not an http URL"),
    ("<Say>First.</Say><Reject/>", "voice.answer", "only as the first verb"),
    ("<Enqueue/>", "voice.answer", "the queue has no name"),
    ("<Enqueue>" + "q" * 65 + "</Enqueue>", "voice.answer", "64 characters at most"),
    ("<Enqueue waitUrlMethod='PUT'>q</Enqueue>", "voice.answer", "'PUT' is not one of"),
    ("<Queue>support</Queue>", "voice.answer", "not allowed inside <Response>"),
    ("<Conference>room</Conference>", "voice.answer", "not allowed inside <Response>"),
    ("<Dial/>", "voice.answer", "nobody to dial"),
    ("<Dial>+14155550123<Number>+14155550124</Number></Dial>", "voice.answer", "not both"),
    ("<Dial>5550123</Dial>", "voice.answer", "nobody to dial"),
    ("<Dial><Number>555-0123</Number></Dial>", "voice.answer", "not a number in E.164"),
    ("<Dial><Conference/></Dial>", "voice.answer", "the name is missing"),
    (
        "<Dial><Conference>a</Conference><Number>+14155550123</Number></Dial>",
        "voice.answer",
        "dialled alone",
    ),
    ("<Dial>" + "<Number>+14155550123</Number>" * 11 + "</Dial>", "voice.answer", "more than 10"),
    ("<Dial><Conference maxParticipants='251'>a</Conference></Dial>", "voice.answer", "outside 1 to 250"),
    (
        "<Dial><Conference statusCallbackEvent=\"['start', 'end']\">a</Conference></Dial>",
        "voice.answer",
        "not a space-separated list",
    ),
    (
        "<Dial><Conference participantLabel='" + "x" * 129 + "'>a</Conference></Dial>",
        "voice.answer",
        "128 at most",
    ),
    (
        "<Dial><Number statusCallback='http://our_host/x'>+14155550123</Number></Dial>",
        "voice.answer",
        "no host with an underscore",
    ),
    ("<Leave reason='bored'/>", WAIT, "no attribute 'reason'"),
    ("<Record/>", WAIT, "not allowed in a enqueue.waitUrl document"),
    ("<Dial>+14155550123</Dial>", WAIT, "not allowed in a enqueue.waitUrl document"),
    ("<Enqueue>q</Enqueue>", WAIT, "not allowed in a enqueue.waitUrl document"),
    ("<Reject/>", WAIT, "not allowed in a enqueue.waitUrl document"),
    ("<Redirect/>", "dial.number.url", "not allowed in a dial.number.url document"),
    ("<Gather/>", "dial.queue.url", "not allowed in a dial.queue.url document"),
    ("<Gather/>", "dial.conference.waitUrl", "not allowed in a dial.conference.waitUrl document"),
    ("<Hangup/>", "participant.holdUrl", "not allowed in a participant.holdUrl document"),
]


@pytest.mark.parametrize(("verbs", "context", "breach"), BROKEN)
def test_what_breaks_a_rule_is_named(verbs: str, context: str, breach: str) -> None:
    _, breaches = read(twiml(verbs).encode(), "text/xml", "http://127.0.0.1/", context)
    assert any(breach in each for each in breaches), breaches


UNREADABLE = [
    (b"", "text/xml", 12100),
    (b"<Response><Say>open", "text/xml", 12100),
    (b" \n<?xml version='1.0'?><Response/>", "text/xml", 12100),
    (b"\xef\xbb\xbfx<?xml version='1.0'?><Response/>", "text/xml", 12100),
    (b"<Response><Say>Fish & chips</Say></Response>", "text/xml", 12100),
    (b"<Response><Say>bell \x07</Say></Response>", "text/xml", 12100),
    (b"<response/>", "text/xml", 12100),
    (b"<Say>Hello</Say>", "text/xml", 12100),
    (b'{"say": "hello"}', "application/json", 12300),
    (b"<Response/>", None, 12300),
    (b"<Response/>", "text/plain", 12300),
    (b"<Response><Say>" + b"x" * 65_536 + b"</Say></Response>", "text/xml", 11750),
]


@pytest.mark.parametrize(("body", "kind", "code"), UNREADABLE)
def test_what_cannot_be_used_has_twilios_code(body: bytes, kind: str | None, code: int) -> None:
    with pytest.raises(Unreadable) as unreadable:
        read(body, kind, "http://127.0.0.1/", "voice.answer")
    assert unreadable.value.code == code


def test_a_document_of_just_the_longest_length_is_read() -> None:
    body = b"<Response><Say>" + b"x" * (65_536 - 32) + b"</Say></Response>"
    document, breaches = read(body + b" " * (65_536 - len(body)), "text/xml", "", "voice.answer")
    assert breaches == []
    assert document.verbs[0].tag == "Say"


def test_audio_may_stand_for_a_wait_document() -> None:
    document, breaches = read(b"RIFF....", "audio/wav", "http://127.0.0.1/x.wav", WAIT)
    assert [(verb.tag, verb.text) for verb in document.verbs] == [("Play", "http://127.0.0.1/x.wav")]
    assert breaches == []


def test_every_context_is_known() -> None:
    for context in schema()["contexts"]:
        if context.startswith(("voice", "enqueue", "dial", "participant")):
            assert read(b"<Response/>", "text/xml", "", context)[1] == []


async def test_a_breach_fails_the_call_loudly(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/fallback"] = "<Say>Please hold.</Say>"
    leg = await rehearsal.rings("<Speak>Hello.</Speak>")
    await rehearsal.passes(2)
    fallback = rehearsal.product.last("/voice/fallback").fields
    assert fallback["ErrorCode"] == "12200"
    assert fallback["ErrorUrl"] == "http://127.0.0.1:8080/voice/incoming"
    assert heard(leg) == ["Please hold."]
    assert rehearsal.violations == ["12200 Response/Speak: not allowed inside <Response>"]


async def test_all_breaches_of_a_document_are_named_at_once(rehearsal: Rehearsal) -> None:
    await rehearsal.rings("<Say tone='x'>Hello.</Say><Pause length='0'/>")
    assert len(rehearsal.violations) >= 2


async def test_without_a_fallback_the_caller_hears_the_apology(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/fallback"] = Answered("oh no", status=500)
    leg = await rehearsal.rings("<Speak>Hello.</Speak>")
    await rehearsal.passes(10)
    assert heard(leg) == ["We are sorry, an application error has occurred. Goodbye."]
    assert leg.status == "completed"


async def test_a_lenient_double_goes_on_as_twilio_does_and_still_notes_it(rehearsal: Rehearsal) -> None:
    rehearsal.exchange.strict = False
    leg = await rehearsal.rings(
        "<Speak>Hello.</Speak><Gather timeout='1'><Dial>+14155550123</Dial></Gather><Say>On.</Say>"
    )
    await rehearsal.passes(1.2)
    assert heard(leg) == ["On."]
    assert len(rehearsal.violations) == 2


async def test_documents_that_lead_in_a_circle_are_stopped(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings("<Redirect>/voice/incoming</Redirect>")
    await rehearsal.passes(30)
    assert leg.ended
    assert any(violation.startswith("11215") for violation in rehearsal.violations)


async def test_a_wait_document_that_takes_no_time_is_noted_and_slowed(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/wait"] = ""
    await rehearsal.rings("<Enqueue waitUrl='/voice/wait'>support</Enqueue>")
    await rehearsal.passes(3)
    assert len(rehearsal.product.all("/voice/wait")) <= 5
    assert "0 the wait document takes no time" in rehearsal.violations
