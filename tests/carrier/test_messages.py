"""Texts over REST: sent, refused, not answered, and looked up."""

from __future__ import annotations

import pytest

from carrier.twilio_rest import Ambiguous, Busy, Carrier, Refused
from foundation.errors import Unavailable
from tests.drill.product import CALLER, HOOK, OURS, Rehearsal


async def test_a_text_is_sent_and_reported(rehearsal: Rehearsal, carrier: Carrier) -> None:
    sid = await carrier.text(CALLER, OURS, "Hello.", status_callback=f"{HOOK}/sms/status")
    await rehearsal.passes(5)
    message = await carrier.message(sid)
    assert message is not None
    assert (message.to, message.from_, message.body) == (CALLER, OURS, "Hello.")
    assert (message.status, message.direction, message.error) == ("delivered", "outbound-api", "")
    told = [each.fields["MessageStatus"] for each in rehearsal.product.all("/sms/status")]
    assert told == ["sent", "delivered"]
    assert await carrier.message("SM" + "0" * 32) is None


async def test_texts_are_listed_newest_first_since_a_moment(rehearsal: Rehearsal, carrier: Carrier) -> None:
    first = await carrier.text(CALLER, OURS, "One.")
    await rehearsal.passes(60)
    since_ms = rehearsal.clock.now_ms() + 400
    second = await carrier.text(CALLER, OURS, "Two.")
    await carrier.text("+14155550124", OURS, "To somebody else.")
    assert [each.sid for each in await carrier.texts(to=CALLER, from_=OURS)] == [second, first]
    assert [each.sid for each in await carrier.texts(to=CALLER, since_ms=since_ms)] == [second]
    assert len(await carrier.texts(limit=2)) == 2


@pytest.mark.parametrize(("to", "code"), [("+15005550004", 21610), ("+15005550009", 21614), ("me", 21211)])
async def test_what_is_refused_says_why(carrier: Carrier, to: str, code: int) -> None:
    with pytest.raises(Refused) as refused:
        await carrier.text(to, OURS, "Hello.")
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("kind", "raised", "made"),
    [
        ("busy", Busy, 0),
        ("fail_before", Ambiguous, 0),
        ("fail_after", Ambiguous, 1),
        ("lose_answer", Ambiguous, 1),
    ],
)
async def test_what_may_have_happened_is_told_apart(
    rehearsal: Rehearsal, carrier: Carrier, kind: str, raised: type[Exception], made: int
) -> None:
    rule = {"on": "rest", "kind": kind, "match": "/Messages", "method": "POST"}
    rehearsal.exchange.courier.faults.replace({"rules": [rule]})
    with pytest.raises(raised):
        await carrier.text(CALLER, OURS, "Hello.")
    assert len(rehearsal.exchange.messages) == made


async def test_a_look_up_may_be_repeated(rehearsal: Rehearsal, carrier: Carrier) -> None:
    rule = {"on": "rest", "kind": "fail_before", "match": "/Messages", "method": "GET"}
    rehearsal.exchange.courier.faults.replace({"rules": [rule]})
    with pytest.raises(Unavailable):
        await carrier.texts(to=CALLER)
