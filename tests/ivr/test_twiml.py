"""What we write by hand is what Twilio's own builder writes; whatever is put in, it is XML."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from announcements.catalog import LANGUAGES, LOCALES, VOICES, Utterance
from ivr import twiml

LEGAL = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=60
)
ANY = st.text(st.characters(), max_size=60)
LANGUAGE = st.sampled_from(LANGUAGES)


def tree(document: str) -> object:
    def shape(node: ElementTree.Element) -> object:
        return node.tag, dict(node.attrib), node.text or "", [shape(child) for child in node], node.tail or ""

    return shape(ElementTree.fromstring(document.encode()))


@given(LEGAL, LEGAL, LANGUAGE, st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_the_hold_loop_document_is_the_sdks(text, url, language, length):
    sdk = VoiceResponse()
    gather = Gather(input="dtmf", num_digits=1, timeout=length, method="POST", action=url)
    gather.say(text, voice=VOICES[language], language=LOCALES[language])
    gather.play(url)
    sdk.append(gather)
    sdk.redirect(url, method="POST")
    ours = twiml.answer(
        twiml.gather_key(url, twiml.say(Utterance(language, text)) + twiml.play(url), timeout_s=length),
        twiml.redirect(url),
    )
    assert tree(ours) == tree(str(sdk))


@given(LEGAL, LEGAL, LANGUAGE)
@settings(max_examples=200, deadline=None)
def test_every_other_verb_is_the_sdks(text, url, language):
    sdk = VoiceResponse()
    gather = Gather(
        input="dtmf speech",
        num_digits=1,
        timeout=5,
        speech_timeout="auto",
        language=LOCALES[language],
        hints=text,
        method="POST",
        action=url,
    )
    gather.pause(length=2)
    sdk.append(gather)
    sdk.enqueue(text, wait_url=url, wait_url_method="POST", action=url, method="POST")
    sdk.record(
        action=url,
        method="POST",
        max_length=120,
        timeout=5,
        finish_on_key="#",
        play_beep=True,
        recording_status_callback=url,
        recording_status_callback_method="POST",
        recording_status_callback_event="completed absent",
    )
    dial = Dial(action=url, method="POST")
    dial.conference(
        text,
        participant_label="caller",
        beep=False,
        start_conference_on_enter=True,
        end_conference_on_exit=True,
        wait_url=url,
        wait_method="POST",
        status_callback=url,
        status_callback_method="POST",
        status_callback_event="start end join leave",
    )
    sdk.append(dial)
    sdk.leave()
    sdk.hangup()
    ours = twiml.answer(
        twiml.gather_choice(url, twiml.pause(2), language=language, hints=text),
        twiml.enqueue(text, wait_url=url, action=url),
        twiml.record(action=url, recorded=url, max_s=120),
        twiml.conference(text, label="caller", action=url, wait_url=url, status=url),
        twiml.leave(),
        twiml.hang_up(),
    )
    assert tree(ours) == tree(str(sdk))


@given(ANY)
@settings(max_examples=2000, deadline=None)
def test_whatever_is_said_the_document_is_xml_and_the_legal_part_is_heard(text):
    document = twiml.answer(twiml.say(Utterance("en", text)), twiml.redirect(text))
    root = ElementTree.fromstring(document.encode("utf-8"))
    legal = "".join(c for c in text if twiml._ILLEGAL.match(c) is None)
    assert (root[0].text or "") == legal
    assert (root[1].text or "") == legal


def test_an_endless_sentence_is_cut():
    assert len(twiml.say(Utterance("es", "bla " * 5000))) < twiml.MAX_SAID + 100


def test_markup_in_a_name_is_spoken_not_obeyed():
    document = twiml.answer(twiml.say(Utterance("en", 'Tom & <Hangup/> "Jerry"')))
    assert ElementTree.fromstring(document)[0].text == 'Tom & <Hangup/> "Jerry"'


@given(LEGAL)
@settings(max_examples=200, deadline=None)
def test_an_answer_to_a_text_is_the_sdks(text):
    sdk = MessagingResponse()
    sdk.message(text)
    assert tree(twiml.answer(twiml.message(text))) == tree(str(sdk))


@given(ANY)
@settings(max_examples=200, deadline=None)
def test_whatever_is_answered_to_a_text_is_xml(text):
    ElementTree.fromstring(twiml.answer(twiml.message(text * 100)).encode("utf-8", "replace"))
