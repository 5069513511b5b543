"""Who is on the line, by Twilio's word."""

from __future__ import annotations

import pytest
import structlog
from redis.asyncio import Redis

from carrier.twilio_rest import Call, Carrier, Member, TwilioQueue
from foundation.clock import ManualClock
from processes.reconcile import SETTLE_MS, Drift, Reconciler, Standing, lasting
from queueing.line import Card, Line
from queueing.policy import LinePolicy
from queueing.states import ContactState, Disposition

POLICY = LinePolicy()


class Twilio(Carrier):
    """Twilio as a few lists: who waits in the one queue ``name``, and which calls live."""

    def __init__(self) -> None:
        super().__init__("AC" + "0" * 32, "token")
        self.waiting: dict[str, int] = {}
        self.name = "support.p2"
        self.live: set[str] = set()
        self.redirected: list[tuple[str, str]] = []
        self.ensured: list[tuple[str, int]] = []

    async def ensure_queue(self, name: str, max_size: int = 5000) -> str:
        self.ensured.append((name, max_size))
        return "QU3"

    async def queues(self) -> list[TwilioQueue]:
        return [
            TwilioQueue("QU1", self.name, len(self.waiting), 5000),
            TwilioQueue("QU2", "somebody else's", 9, 100),
        ]

    async def members(self, queue: str) -> list[Member]:
        assert queue == "QU1"
        return [
            Member(sid, queue, n, entered_ms, 0)
            for n, (sid, entered_ms) in enumerate(self.waiting.items(), 1)
        ]

    async def call(self, call_sid: str) -> Call | None:
        status = "in-progress" if call_sid in self.live else "completed"
        return Call(call_sid, "+14155550100", "+14155550101", status, "inbound", None)

    async def redirect(self, call_sid: str, url: str) -> None:
        self.redirected.append((call_sid, url))


@pytest.fixture
def twilio() -> Twilio:
    return Twilio()


@pytest.fixture
def line(redis: Redis) -> Line:
    return Line(redis, POLICY)


@pytest.fixture
def reconciler(twilio: Twilio, line: Line, clock: ManualClock) -> Reconciler:
    return Reconciler(twilio, line, clock, POLICY, "https://phone.example.com")


async def wait(line: Line, twilio: Twilio, clock: ManualClock, contact: str = "CA1") -> None:
    """A caller who waits, and is known to both."""
    await line.enter(contact, queue="support", band="p2", card=Card(), now_ms=clock.now_ms())
    twilio.waiting[contact] = clock.now_ms()
    twilio.live.add(contact)


async def look_twice(reconciler: Reconciler, clock: ManualClock) -> Drift:
    await reconciler.look()
    clock.advance(s=30)
    return await reconciler.look()


async def test_where_both_agree_nothing_is_done(
    reconciler: Reconciler, line: Line, twilio: Twilio, clock: ManualClock
) -> None:
    await wait(line, twilio, clock)
    clock.advance(s=60)
    assert await look_twice(reconciler, clock) == Drift()


async def test_a_call_the_line_does_not_know_is_taken_in_as_old_as_it_is(
    reconciler: Reconciler, line: Line, twilio: Twilio, clock: ManualClock
) -> None:
    """Redis came back empty: the callers are still there, and who was first stays first."""
    twilio.waiting = {"CA2": clock.now_ms(), "CA1": clock.now_ms() - 60_000}
    clock.advance(s=60)
    await look_twice(reconciler, clock)
    adopted = await line.contact("CA1")
    assert adopted is not None
    assert (adopted.state, adopted.queue, adopted.band) == (ContactState.WAITING, "support", "p2")
    assert [contact.contact for contact in await line.waiting("support")] == ["CA1", "CA2"]


async def test_a_call_that_ended_unnoticed_has_left(
    reconciler: Reconciler, line: Line, twilio: Twilio, clock: ManualClock
) -> None:
    await wait(line, twilio, clock)
    twilio.waiting.clear()
    twilio.live.clear()
    clock.advance(s=60)
    await look_twice(reconciler, clock)
    gone = await line.contact("CA1")
    assert gone is not None
    assert (gone.state, gone.disposition) == (ContactState.ENDED, Disposition.ABANDONED)


async def test_a_live_call_outside_its_queue_is_sent_back(
    reconciler: Reconciler, line: Line, twilio: Twilio, clock: ManualClock
) -> None:
    await wait(line, twilio, clock)
    twilio.waiting.clear()
    clock.advance(s=60)
    await look_twice(reconciler, clock)
    ((contact, url),) = twilio.redirected
    assert contact == "CA1"
    assert url.startswith("https://phone.example.com/voice/requeue?")


async def test_a_callback_in_the_line_is_nothing_for_twilio_to_know(
    reconciler: Reconciler, line: Line, twilio: Twilio, clock: ManualClock
) -> None:
    await wait(line, twilio, clock)
    await line.promise("CA1", "PR00000000000000aa.1", card=Card(), now_ms=clock.now_ms())
    twilio.waiting.clear()
    twilio.live.clear()
    clock.advance(s=60)
    assert await look_twice(reconciler, clock) == Drift()
    assert await line.position("PR00000000000000aa.1") == 1


async def test_one_look_is_not_believed(
    reconciler: Reconciler, line: Line, twilio: Twilio, clock: ManualClock
) -> None:
    await wait(line, twilio, clock)
    twilio.waiting = {"CA9": clock.now_ms()}
    clock.advance(s=60)
    assert await reconciler.look() == Drift()
    assert twilio.redirected == []


async def test_what_is_young_is_still_on_its_way(
    reconciler: Reconciler, line: Line, twilio: Twilio, clock: ManualClock
) -> None:
    twilio.waiting = {"CA1": clock.now_ms()}
    await reconciler.look()
    clock.advance(ms=SETTLE_MS - 1)
    assert await reconciler.look() == Drift()


async def test_a_contact_with_an_agent_is_nobodys_stranger(
    reconciler: Reconciler, line: Line, twilio: Twilio, clock: ManualClock
) -> None:
    """Reserved, it still stands in Twilio's queue until it is fetched."""
    await wait(line, twilio, clock)
    await line.leave("CA1", Disposition.ABANDONED, clock.now_ms())
    clock.advance(s=60)
    await look_twice(reconciler, clock)
    known = await line.contact("CA1")
    assert known is not None
    assert known.state is ContactState.ENDED


def test_only_what_two_looks_agree_on_lasts() -> None:
    one, two = Standing("CA1", "support", "p2", 0), Standing("CA2", "support", "p2", 0)
    before, now = Drift((one,), ("CA5", "CA6")), Drift((one, two), ("CA6", "CA7"))
    assert lasting(before, now) == Drift((one,), ("CA6",))


async def test_every_queue_is_made_as_large_as_twilio_allows(reconciler: Reconciler, twilio: Twilio) -> None:
    """Made on demand by the first caller, it would hold a thousand, or a hundred."""
    assert await reconciler.make_room() == 2
    assert twilio.ensured == [("support.p0", 5000), ("support.p1", 5000)]


async def test_a_promise_that_waits_is_not_looked_for_on_a_telephone(
    reconciler: Reconciler, line: Line, clock: ManualClock
) -> None:
    turn = "PR0123456789abcdef.1"
    await line.enter(turn, queue="support", band="p2", card=Card(), now_ms=clock.now_ms())
    clock.advance(s=60)
    assert await look_twice(reconciler, clock) == Drift()


async def test_callers_in_a_numbered_queue_wait_where_they_should(
    reconciler: Reconciler, line: Line, twilio: Twilio, clock: ManualClock
) -> None:
    """Also when fewer may wait now, and this number is used no more: nobody is sent again."""
    twilio.name = "support.p2.3"
    await wait(line, twilio, clock)
    twilio.waiting["CA2"] = clock.now_ms()
    clock.advance(s=60)
    drift = await look_twice(reconciler, clock)
    assert [stranger.contact for stranger in drift.strangers] == ["CA2"]
    assert (drift.missing, twilio.redirected) == ((), [])
    adopted = await line.contact("CA2")
    assert adopted is not None
    assert (adopted.queue, adopted.band) == ("support", "p2")


@pytest.mark.parametrize(
    ("disposition", "said"),
    [(Disposition.PROMISED, []), (Disposition.ABANDONED, ["a call waits that the line has ended"])],
)
async def test_who_was_promised_a_callback_is_still_told_so_on_the_line(
    reconciler: Reconciler,
    line: Line,
    twilio: Twilio,
    clock: ManualClock,
    disposition: Disposition,
    said: list[str],
) -> None:
    await wait(line, twilio, clock)
    await line.leave("CA1", disposition, clock.now_ms())
    clock.advance(s=60)
    with structlog.testing.capture_logs() as logs:
        await look_twice(reconciler, clock)
    assert [log["event"] for log in logs if log["log_level"] == "error"] == said


async def test_a_call_that_ends_while_twilios_list_is_on_its_way_is_no_disagreement(
    reconciler: Reconciler, line: Line, twilio: Twilio, clock: ManualClock
) -> None:
    twilio.waiting["CA1"] = clock.now_ms()  # the line does not know it
    clock.advance(s=60)
    await reconciler.look()
    await line.turn_away("CA1", Disposition.ABANDONED, Card(), clock.now_ms(), over=True)
    with structlog.testing.capture_logs() as logs:
        await reconciler.look()
    assert [log["event"] for log in logs if log["log_level"] == "error"] == []
    assert await line.waiting("support") == []
