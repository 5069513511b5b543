"""Texts in: stored once, STOP obeyed whatever is broken, words carried out, and no chatter."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from carrier import texts
from carrier.optouts import Notes
from carrier.tables import InboundText, OptOut, Text
from foundation.errors import Unavailable
from ivr import last_resort, texting
from ivr.doorway import Door, Doorway
from ivr.texting import Told, meaning
from tests.doors.handset import ACCOUNT, NUMBER, Web

SHOP = "+14155550001"
SPANISH_SHOP = "+14155550002"
WHAT_TO_WRITE = "Corner Pay: reply STATUS for your place in line, LATER"
_sids = itertools.count(1)


class Away:
    """A store that does not answer."""

    def __getattr__(self, name):
        def away(*_, **__):
            raise Unavailable("away")

        return away


class Centre:
    """The door for texts, with commands that remember what they were told."""

    def __init__(self, desk):
        self.desk = desk
        self.told: list[tuple[str, Told]] = []
        self.says: dict[str, list[str | Exception]] = {}

    async def writes(self, body, number=SHOP, sid="", **more):
        """What is answered; "" for nothing."""
        form = {
            "MessageSid": sid or f"SM{next(_sids):032x}",
            "AccountSid": ACCOUNT,
            "From": number,
            "To": NUMBER,
            "Body": body,
            "NumMedia": "0",
        } | more
        door = Door("/sms/incoming", texting.incoming(self.commands()), last_resort.silence)
        reply = await Web(Doorway(self.desk, door)).twilio("/sms/incoming", form)
        return " ".join(each.text for each in reply.document.verbs)

    def commands(self):
        def command(name):
            async def carry_out(desk, told):
                self.told.append((name, told))
                said = self.says.get(name, [f"{name} in {told.language}"])
                answer = said.pop(0) if len(said) > 1 else said[0]
                if isinstance(answer, Exception):
                    raise answer
                return answer

            return carry_out

        return {name: command(name) for name in texting.COMMANDS}

    async def rows(self, table):
        async with self.desk.sql.reading() as session:
            return list(await session.exec(select(table)))


@pytest.fixture
def centre(desk):
    return Centre(desk)


async def is_out(centre, number=SHOP):
    async with centre.desk.sql.reading() as session:
        return await texts.is_opted_out(session, number)


# --- what a text means ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "meant", "language"),
    [
        ("STOP", "stop", ""),
        (" stop\n", "stop", ""),
        ("“Stop.”", "stop", ""),
        ("OptOut", "stop", ""),
        ("STOP please", "", ""),
        ("nonstop", "", ""),
        ("Yes", "start", ""),
        ("info?", "help", ""),
        ("Status", "status", ""),
        ("estado", "status", "es"),
        ("LUEGO!", "later", "es"),
        ("no  call", "nocall", ""),
        ("NOLLAMAR", "nocall", "es"),
        ("", "", ""),
    ],
)
def test_only_the_whole_text_is_a_word(body, meant, language):
    means = meaning(body)
    assert (means.meant, means.language) == (meant, language)


def test_words_that_were_set_up_at_twilio_count():
    assert meaning("ya basta", "STOP").meant == "stop"
    assert meaning("status", "HELP").meant == "help"


# --- STOP and START -------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", sorted(texting.STOP))
async def test_stop_is_obeyed_and_not_answered(centre, word):
    assert await centre.writes(word.lower()) == ""
    (out,) = await centre.rows(OptOut)
    assert (out.number, out.why) == (SHOP, word)
    (row,) = await centre.rows(InboundText)
    assert (row.number, row.body, row.meant, row.answer) == (SHOP, word.lower(), "stop", "")
    assert centre.told == []


async def test_stop_takes_what_waits_with_it_and_start_lets_new_ones_go(centre, clock):
    async with centre.desk.sql.session() as session:
        await texts.write(session, Text(id="PR1.kept", number=SHOP, kind="kept", body="Your turn."))
    await centre.writes("STOP")
    (text,) = await centre.rows(Text)
    assert text.state == "skipped"
    assert await centre.writes("START") == ""
    assert not await is_out(centre)


async def test_an_old_stop_that_comes_again_does_not_undo_start(centre):
    await centre.writes("STOP", sid="SM1")
    await centre.writes("START", sid="SM2")
    await centre.writes("STOP", sid="SM1")
    assert not await is_out(centre)
    assert len(await centre.rows(InboundText)) == 2


@pytest.mark.parametrize("books", ["none", "away"])
async def test_a_stop_without_sql_is_noted_and_heeded(centre, books, redis):
    whole = centre.desk
    centre.desk = replace(whole, sql=None if books == "none" else Away())
    with capture_logs():
        assert await centre.writes("STOP", sid="SM7") == ""
    centre.desk = whole
    assert await centre.rows(OptOut) == []
    async with whole.sql.session() as session:
        await texts.write(session, Text(id="PR1.kept", number=SHOP, kind="kept", body="Your turn."))
    notes = Notes(redis, whole.policy.centre)
    sent = await texts.send(
        whole.sql, Away(), "PR1.kept", from_=NUMBER, callback="https://x", clock=whole.clock, notes=notes
    )
    assert sent is None
    assert await is_out(centre)
    await centre.writes("START")
    await centre.writes("STOP", sid="SM7")
    assert not await is_out(centre)


async def test_a_later_start_is_not_undone_by_an_earlier_note(centre):
    whole = centre.desk
    centre.desk = replace(whole, sql=None)
    await centre.writes("STOP")
    centre.desk = whole
    await centre.writes("START")
    assert not await is_out(centre)
    assert await Notes(whole.redis, whole.policy.centre).bring_in(whole.sql) == 0


async def test_with_nothing_left_the_log_names_the_message_and_not_the_number(centre):
    centre.desk = replace(centre.desk, sql=Away(), redis=Away())
    with capture_logs() as logs:
        assert await centre.writes("STOP", sid="SM5") == ""
    assert [line["message"] for line in logs if line["event"] == "opt_out_not_kept"] == ["SM5"]
    assert SHOP not in str(logs)


async def test_stop_is_obeyed_while_redis_is_away(centre):
    centre.desk = replace(centre.desk, redis=Away())
    await centre.writes("STOP")
    assert await is_out(centre)


# --- commands -------------------------------------------------------------------------------------------


async def test_a_command_is_carried_out_once_and_a_repeat_answered_alike(centre, clock):
    centre.says["status"] = ["You are number 3.", "You are number 2."]
    assert await centre.writes("status", sid="SM1") == "You are number 3."
    assert await centre.writes("status", sid="SM1") == "You are number 3."
    assert centre.told == [("status", Told(SHOP, "SM1", "en", clock.now_ms()))]
    assert await centre.writes("status", sid="SM2") == "You are number 2."


async def test_the_word_says_the_language(centre):
    assert await centre.writes("ESTADO") == "status in es"
    assert await centre.writes("luego") == "later in es"
    assert await centre.writes("NOCALL") == "nocall in en"
    assert await centre.writes("STATUS", number=SPANISH_SHOP) == "status in es"


async def test_a_command_that_failed_is_tried_again_by_a_repeat(centre):
    centre.says["later"] = [Unavailable("away"), "All right."]
    with capture_logs():
        assert await centre.writes("LATER", sid="SM1") == ""
    assert await centre.writes("LATER", sid="SM1") == "All right."


async def test_a_command_after_stop_is_carried_out_and_not_answered(centre):
    await centre.writes("STOP")
    assert await centre.writes("NOCALL") == ""
    assert [name for name, _ in centre.told] == ["nocall"]


async def test_what_is_answered_may_hold_anything(centre):
    centre.says["status"] = ["<Tom & Jerry's>\nline \x07two"]
    assert await centre.writes("status") == "<Tom & Jerry's> line two"


# --- not understood -------------------------------------------------------------------------------------


async def test_who_is_not_understood_is_told_once_an_hour(centre, clock):
    assert (await centre.writes("my till is dead", sid="SM1")).startswith(WHAT_TO_WRITE)
    assert (await centre.writes("my till is dead", sid="SM1")).startswith(WHAT_TO_WRITE)
    assert await centre.writes("hello?") == ""
    assert (await centre.writes("hello", number="+14155550003")).startswith(WHAT_TO_WRITE)
    clock.advance(minutes=61)
    assert (await centre.writes("hello?")).startswith(WHAT_TO_WRITE)
    assert centre.told == []


async def test_in_the_merchants_language(centre):
    assert "responda STATUS" in await centre.writes("hola", number=SPANISH_SHOP)


async def test_without_commands_nothing_is_held_out(centre):
    centre.commands = dict
    assert await centre.writes("status") == (
        "Corner Pay: sorry, nobody reads texts here. Please call +1 415-555-0100."
    )


async def test_after_stop_nobody_is_told_anything(centre):
    await centre.writes("STOP")
    assert await centre.writes("what was that?") == ""
    assert await centre.writes("HELP") == ""


async def test_help_is_twilios_to_answer(centre):
    assert await centre.writes("HELP") == ""
    assert [row.meant for row in await centre.rows(InboundText)] == ["help"]


@pytest.mark.parametrize("sid", ["x", "SM1; drop", ""])
async def test_what_is_no_message_is_not_kept(centre, sid):
    assert await centre.writes("hello", MessageSid=sid) == ""
    assert await centre.rows(InboundText) == []


async def test_an_anonymous_or_odd_sender_is_answered_with_nothing(centre):
    for number in ("anonymous", "12345", "", "+266696687"):
        assert await centre.writes("hello", number=number) == ""
    assert await centre.rows(InboundText) == []


@pytest.mark.parametrize("body", ["hello", "status"])
async def test_without_sql_there_is_no_answer(centre, body):
    for sql in (None, Away()):
        centre.desk = replace(centre.desk, sql=sql)
        with capture_logs():
            assert await centre.writes(body) == ""


# --- what became of our texts ---------------------------------------------------------------------------


async def test_a_report_finds_its_text(centre, web):
    async with centre.desk.sql.session() as session:
        await texts.write(session, Text(id="PR1.kept", number=SHOP, kind="kept", body="Your turn."))
        await texts.take(session, "PR1.kept", centre.desk.clock.now_ms())
    form = {"MessageSid": "SM9", "AccountSid": ACCOUNT, "MessageStatus": "undelivered", "ErrorCode": "30006"}
    for _ in range(2):
        reply = await web.twilio("/sms/status?text=PR1.kept", form)
        assert reply.verbs == []
    await web.twilio("/sms/status?text=PR1.kept", form | {"MessageStatus": "sent", "ErrorCode": ""})
    (text,) = await centre.rows(Text)
    assert (text.state, text.error, text.message_sid) == ("undelivered", "30006", "SM9")
