"""Whether a waiting caller is offered a callback now, and in what words. No store is asked: the facts are
those the question was first answered from, so that its repeat is answered alike.
"""

from __future__ import annotations

from announcements import catalog, pacing
from announcements.catalog import Utterance
from announcements.pacing import Announcement
from callbacks import offering
from callbacks.offering import Facts, Refusal
from ivr import callers, glance
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.memory import Memory
from ivr.slips import Slip
from ivr.visits import Away, Visit
from queueing import hours
from queueing.estimates import Estimate
from queueing.pulse import QueuePulse
from queueing.records import Hold


def now(
    desk: Desk,
    visit: Visit,
    slip: Slip,
    hold: Hold,
    kept: Memory,
    announcement: Announcement | None,
    wait: Estimate | None,
) -> tuple[Utterance, ...]:
    """The offer in words, or none. On the way into the line it comes with the wait, later after the place."""
    entering = wait is not None and kept.said is None and not kept.offered
    if desk.office is None or kept.owed or not (announcement or entering):
        return ()
    decided = offering.decide(desk.office.policy, _facts(desk, hold, kept, announcement, wait))
    if isinstance(decided, Refusal):
        return ()
    # Reading the number is the dearest part, so it comes last.
    number = callers.identify(desk, visit).number
    refused = not number or desk.office.refusal(number)
    if refused and not desk.office.policy.other_number:
        return ()
    told = pacing.announced_range(wait.p10, wait.p90) if wait and not announcement else None
    return (catalog.offer(slip.language, told, again=decided.again, type_number=bool(refused)),)


async def asked_for(desk: Desk, visit: Visit, slip: Slip, caller: Caller, queue: QueuePulse | None) -> bool:
    """Whether a caller who is not yet in the line may be offered a callback in place of it, however long the
    wait. ``queue``: its figures, None when nobody knows."""
    facts = await visit.enrich(desk.glance.facts(visit.now_ms))
    if desk.office is None or isinstance(facts, Away):
        return False
    notice, owing = glance.callbacks(facts, slip.queue)
    wanted = Facts(
        asked=True,
        offering=notice.offering,
        keeping=notice.keeping,
        max_open=notice.max_open,
        open_promises=notice.open_promises,
        live=1 + (queue.waiting if queue else 0),
        owed_s=owing.owed_s,
        agents=owing.agents,
        plan=owing.plan,
        handling_s=owing.handling_s,
        closes_in_ms=_closes_in_ms(desk, visit.now_ms),
        withheld=not caller.number,
        undialable=(desk.office.refusal(caller.number) or "") if caller.number else "",
    )
    return not isinstance(offering.decide(desk.office.policy, wanted), Refusal)


def _facts(
    desk: Desk, hold: Hold, kept: Memory, announcement: Announcement | None, wait: Estimate | None
) -> Facts:
    notice, owing = glance.callbacks(hold.facts, hold.queue)
    return Facts(
        announced_s=wait.p90 if wait else None,
        waited_ms=hold.asked_ms - hold.entered_ms,
        announcements=announcement.said.count if announcement else 0,
        offers=1 if kept.offered else 0,
        offered_at=kept.offered,
        offering=notice.offering,
        keeping=notice.keeping,
        max_open=notice.max_open,
        open_promises=notice.open_promises,
        live=hold.waiting,
        owed_s=owing.owed_s,
        agents=owing.agents,
        plan=owing.plan,
        handling_s=owing.handling_s,
        closes_in_ms=_closes_in_ms(desk, hold.asked_ms),
    )


def _closes_in_ms(desk: Desk, now_ms: int) -> int | None:
    times = desk.centre.hours
    if times is None:
        return None
    closes = hours.closes_at(times, now_ms)
    return 0 if closes is None else max(0, round(closes.timestamp() * 1000) - now_ms)
