"""Whatever genuine request comes, in whatever shape: 200, TwiML without a fault, and no door ever breaks."""

from __future__ import annotations

from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from ivr.app import DOORS
from tests.doors.handset import ACCOUNT, Handset

SIDS = st.sampled_from(["CA" + "1" * 32, "CA" + "2" * 32, "CA|x", "@ann", "?", "", "CA" + "é" * 5])
ODD = st.text(max_size=30) | st.sampled_from(
    ["", "1", "0", "9", "*", "#", "-1", "99999999999999999999", "\x00", "é"]
)
NAMES = "lang m loc topic q b t own ids clip said_at said_pos n contact agent fence since held why"
QUERY = st.dictionaries(
    st.sampled_from(NAMES.split()),
    ODD | SIDS | st.sampled_from(["en", "es", "p1", "payments", "support", "transfer"]),
    max_size=8,
)
FIELDS = """
    Digits SpeechResult QueueResult QueueTime CallStatus From To contact fence StatusCallbackEvent
    ParticipantLabel Direction DialCallStatus RecordingUrl RecordingSid RecordingDuration RecordingStatus
    ErrorCode ErrorUrl
"""
VALUES = """
    completed in-progress busy hangup leave redirected error queue-full client:ann anonymous +14155550001
    conference-start conference-end participant-join participant-leave agent caller absent
"""
FORM = st.dictionaries(
    st.sampled_from(FIELDS.split()),
    ODD | SIDS | st.sampled_from([*VALUES.split(), "a" * 10_000]),
    max_size=8,
)


STEPS = "press speak silence listen hang_up leave fetch"


def slips_of_ours() -> float:
    """Doors that broke, and enrichments that failed otherwise than by a store's absence."""
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name in ("surgeline_door_answers_total", "surgeline_door_base_answers_total")
        and (sample.labels.get("kind") == "last_resort" or sample.labels.get("why") == "error")
    )


@given(
    st.lists(st.tuples(st.sampled_from(DOORS), SIDS, QUERY, FORM, st.integers(1, 3)), min_size=1, max_size=6)
)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_request_to_any_door_in_any_order(web, desk, agent, requests):
    await desk.redis.flushall()
    await agent("ann")
    before = slips_of_ours()
    for door, sid, query, form, times in requests:
        path = f"{door.path}?{urlencode(query)}" if query else door.path
        for _ in range(times):
            await web.twilio(path, {"CallSid": sid, "AccountSid": ACCOUNT, **form})
    assert slips_of_ours() == before


@given(
    st.lists(st.sampled_from(STEPS.split()), max_size=10),
    st.data(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_webhook_of_a_call_may_come_three_times(web, desk, clock, caller, steps, data):
    """A repeat, with nothing else between, is answered word for word alike."""
    await desk.redis.flushall()
    shop: Handset = caller("+14155550002")
    await shop.ring()
    for step in steps:
        clock.advance(s=data.draw(st.integers(0, 40)))
        heard = shop.heard
        if step == "press" and heard.has("Gather"):
            await shop.press(data.draw(st.sampled_from(["0", "1", "2", "9", "*", "7"])))
        elif step == "speak" and heard.has("Gather"):
            await shop.speak(data.draw(st.sampled_from(["pagos", "english", "", "bla"])))
        elif step in ("silence", "listen") and heard.has("Redirect"):
            await shop.listen(10)
        elif step == "leave" and heard.has("Leave"):
            await shop.left("leave")
        elif step == "fetch" and shop.enqueued:
            await shop.left("redirected")
        elif heard.has("Enqueue"):
            await shop.wait()
        path, form, first = web.asked[-1]
        for _ in range(2):
            assert (await web.twilio(path, form)).body == first.body
