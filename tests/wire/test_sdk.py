"""Twilio's own client, as anybody would use it, against the double on a loopback port."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from foundation.clock import ManualClock
from tests.drill.loopback import listening
from tests.drill.product import ACCOUNT, CALLER, HOOK, OURS, TOKEN, Rehearsal


@pytest.fixture
async def rehearsal(clock: ManualClock) -> AsyncIterator[Rehearsal]:
    rehearsal = Rehearsal(clock)
    yield rehearsal
    await rehearsal.close()


@pytest.fixture
async def client(rehearsal: Rehearsal) -> AsyncIterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # how the SDK signs in to aiohttp
        async with listening(rehearsal.network) as url:
            http = AsyncTwilioHttpClient()
            client = Client(ACCOUNT.sid, TOKEN, http_client=http)
            client.api.base_url = url
            yield client
            await http.close()


async def test_queues_and_their_members(rehearsal: Rehearsal, client: Any) -> None:
    made = [await client.queues.create_async(friendly_name=f"support.p{i}", max_size=5000) for i in range(3)]
    rehearsal.product.says["/wait"] = "<Play>/clip.wav</Play>"
    for i in range(5):
        await rehearsal.rings("<Enqueue waitUrl='/wait'>support.p0</Enqueue>", from_=f"+1415555017{i}")
    await rehearsal.passes(10)
    assert [queue.sid for queue in await client.queues.list_async(page_size=2)] == [each.sid for each in made]
    queue = await client.queues(made[0].sid).fetch_async()
    assert (queue.current_size, queue.max_size, queue.average_wait_time) == (5, 5000, 10)
    members = await client.queues(queue.sid).members.list_async(page_size=2)
    assert [member.position for member in members] == [1, 2, 3, 4, 5]
    front = await client.queues(queue.sid).members("Front").fetch_async()
    assert front.call_sid == members[0].call_sid
    assert front.date_enqueued.timestamp() * 1000 == rehearsal.clock.now_ms() - 10_000
    with pytest.raises(TwilioRestException) as refused:
        await client.queues(made[1].sid).members("Front").update_async(url=f"{HOOK}/x")
    assert (refused.value.status, refused.value.code) == (404, 20404)
    assert await client.queues(made[2].sid).delete_async()
    assert rehearsal.violations == []


async def test_calls_and_their_filters(rehearsal: Rehearsal, client: Any) -> None:
    rehearsal.product.says["/answer"] = "<Pause length='30'/>"
    call = await client.calls.create_async(
        to=CALLER,
        from_=OURS,
        url=f"{HOOK}/answer",
        status_callback=f"{HOOK}/told",
        status_callback_event=["initiated", "answered", "completed"],
        machine_detection="Enable",
        async_amd="true",
        async_amd_status_callback=f"{HOOK}/amd",
        timeout=20,
    )
    assert call.status == "queued"
    await rehearsal.passes(8)
    assert rehearsal.product.last("/amd").fields["AnsweredBy"] == "human"
    (found,) = await client.calls.list_async(status="in-progress", to=CALLER)
    assert (found.sid, found.answered_by, found.direction) == (call.sid, "human", "outbound-api")
    await client.calls(call.sid).update_async(twiml="<Response><Say>Sorry.</Say><Hangup/></Response>")
    await rehearsal.passes(2)
    over = await client.calls(call.sid).fetch_async()
    assert (over.status, over.duration) == ("completed", "5")
    told = [each.fields["CallStatus"] for each in rehearsal.product.all("/told")]
    assert told == ["initiated", "in-progress", "completed"]
    with pytest.raises(TwilioRestException) as refused:
        await client.calls(call.sid).update_async(status="completed")
    assert refused.value.code == 21220
    assert rehearsal.violations == []


async def test_python_style_booleans_are_taken_as_twilio_takes_them(
    rehearsal: Rehearsal, client: Any
) -> None:
    call = await client.calls.create_async(
        to=CALLER, from_=OURS, url=f"{HOOK}/x", machine_detection="Enable", async_amd=True
    )
    assert call.sid.startswith("CA")


async def test_texts_are_queued_sent_delivered_and_reported(rehearsal: Rehearsal, client: Any) -> None:
    texts = [
        await client.messages.create_async(
            to=CALLER, from_=OURS, body="Tills work again. " * 10, status_callback=f"{HOOK}/sms/status"
        )
        for _ in range(3)
    ]
    assert [(text.status, text.num_segments) for text in texts] == [("queued", "2")] * 3
    await rehearsal.passes(3)
    statuses = [(await client.messages(text.sid).fetch_async()).status for text in texts]
    assert statuses == ["delivered", "sent", "queued"]
    await rehearsal.passes(10)
    told = rehearsal.product.all("/sms/status")
    first = [each.fields["MessageStatus"] for each in told if each.fields["MessageSid"] == texts[0].sid]
    assert first == ["sent", "delivered"]
    assert len(await client.messages.list_async(to=CALLER, limit=2)) == 2


async def test_a_list_page_that_is_refused(client: Any) -> None:
    with pytest.raises(Exception, match="Unable to fetch page"):
        await client.queues("QU" + "0" * 32).members.list_async()


async def test_the_account_is_there(client: Any) -> None:
    account = await client.api.accounts(ACCOUNT.sid).fetch_async()
    assert (account.sid, account.status) == (ACCOUNT.sid, "active")
