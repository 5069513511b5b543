"""Whether a caller may be offered a callback now, and why not.

Pure. Nothing is offered that could not be kept: not past the cap, and not when the line holds more work than
the agents can do before we close.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from callbacks.policy import CallbackPolicy
from queueing.staffing import Plan, agent_seconds


class Why(StrEnum):
    """Why no callback is offered."""

    NEVER = "never"
    """This centre does not call back."""
    SWITCHED_OFF = "switched_off"
    """A supervisor switched the offer off for now."""
    NOT_KEEPING = "not_keeping"
    """A supervisor switched the ringing back off: a promise would not be kept."""
    BEING_ASKED = "being_asked"
    """An agent is being asked to take the call."""
    ALREADY = "already"
    """This number has an open promise."""
    WITHHELD = "withheld"
    """The number is withheld, and no other may be typed."""
    NOT_DIALABLE = "not_dialable"
    """It is a number we do not ring, and no other may be typed."""
    CAP = "cap"
    """As many promises are open as may be."""
    BUDGET = "budget"
    """The callbacks in line are as much work as they may be."""
    TOO_LONG = "too_long"
    """The wait is longer than a callback may be promised for."""
    CLOSED = "closed"
    """We are closed."""
    CLOSING = "closing"
    """It could not be kept before we close."""
    SHORT_WAIT = "short_wait"
    """The wait is short enough to hold."""
    LATELY = "lately"
    """It was offered a few announcements ago."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one caller and the line. Times in milliseconds, the announced wait in seconds."""

    announced_s: float | None = None
    """The far end (p90) of the wait that is told; None when none can honestly be told."""
    waited_ms: int = 0
    announcements: int = 0
    """Announcements made so far, one being made now included; 0 at entry."""
    offers: int = 0
    """How often it was offered to this caller."""
    offered_at: int = 0
    """At which announcement it was offered last."""
    asked: bool = False
    """The caller asks for it (by key, text or page): how long the wait is does not matter then."""

    offering: bool = True
    keeping: bool = True
    max_open: int | None = None
    """A supervisor's cap of today; None is the policy's."""
    open_promises: int = 0
    """Of the centre, those that are due later as well."""

    promises: int = 0
    """Promises in line: those whose work is to be done before we close."""
    live: int = 1
    """Live callers in line, this one among them: promises and calls are one line."""
    owed_s: float = 0.0
    """These agents' work in the promises in line, in seconds of handling."""
    agents: int = 0
    """Agents who take from this queue: ready, talking or in wrap-up."""
    plan: Plan = ()
    """How many there will be until we close, by the roster; (): nobody planned, and they stay as many."""
    handling_s: float | None = None
    """Mean time one contact occupies an agent; None when it is not known, and nothing is refused for it."""
    closes_in_ms: int | None = None
    """Until closing time; None when we never close, 0 when we are closed."""

    withheld: bool = False
    undialable: str = ""
    """Why the calling number is not dialled: a ``carrier.numbers.NotDialled``, "" when it is dialled."""
    has_promise: bool = False
    being_asked: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """It may be offered. ``type_number``: the calling number cannot be rung, another must be typed.
    ``again``: it was offered before."""

    type_number: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """It may not. ``reason`` is for logs and reports; ``say`` is the phrase for a caller who asks, "" when
    there is nothing to say (the caller is told the present place, or is about to be connected)."""

    why: Why
    reason: str
    say: str = "promise_not_now"


def decide(policy: CallbackPolicy, facts: Facts) -> Offer | Refusal:
    """Offer a callback, or the first reason not to, in the order of ``Why``."""
    return (
        _switched_off(policy, facts)
        or _this_caller(policy, facts)
        or _not_kept(policy, facts)
        or (None if facts.asked else _not_now(policy, facts))
        or Offer(type_number=facts.withheld or bool(facts.undialable), again=facts.offers > 0)
    )


def can_be_kept(promises: int, live: int, plan: Plan, handling_s: float | None, left_ms: int | None) -> bool:
    """Whether the agents can do the work that is in line in the time that is left.

    (promises + live) x handling_s <= the plan's agents x their seconds within left_ms / 1000. True when the
    handling time is not known or we never close.
    """
    if left_ms is None or handling_s is None:
        return True
    return (promises + live) * handling_s <= agent_seconds(plan, left_ms / 1000)


def within_budget(owed_s: float, plan: Plan, handling_s: float | None, budget_ms: int) -> bool:
    """Whether the agents can call back all who are owed it, and one more, in ``budget_ms``, were there
    nobody else. Who waits on the phone hangs up where the line is too long; a promise does not, so the
    promises are what has to be held within what can be done.

    owed_s + handling_s <= the plan's agents x their seconds. True when the handling time is not known.
    """
    return handling_s is None or owed_s + handling_s <= agent_seconds(plan, budget_ms / 1000)


def _switched_off(policy: CallbackPolicy, facts: Facts) -> Refusal | None:
    if not policy.enabled:
        return Refusal(Why.NEVER, "this centre does not call back")
    if not facts.offering:
        return Refusal(Why.SWITCHED_OFF, "the offer is switched off")
    if not facts.keeping:
        return Refusal(Why.NOT_KEEPING, "ringing back is switched off, so nothing is promised")
    return None


def _this_caller(policy: CallbackPolicy, facts: Facts) -> Refusal | None:
    if facts.being_asked:
        return Refusal(Why.BEING_ASKED, "an agent is being asked to take the call", say="")
    if facts.has_promise:
        return Refusal(Why.ALREADY, "this number has an open promise", say="")
    if policy.other_number:
        return None
    if facts.withheld:
        return Refusal(Why.WITHHELD, "the number is withheld", say="promise_number_withheld")
    if facts.undialable:
        reason = f"the number is not dialled: {facts.undialable}"
        return Refusal(Why.NOT_DIALABLE, reason, say=f"number_refused_{facts.undialable}")
    return None


def _not_kept(policy: CallbackPolicy, facts: Facts) -> Refusal | None:
    cap = policy.max_open if facts.max_open is None else facts.max_open
    if facts.open_promises >= cap:
        return Refusal(Why.CAP, f"{facts.open_promises} promises are open, and {cap} may be")
    plan = facts.plan or [(0.0, facts.agents)]
    if policy.budget_ms and not within_budget(facts.owed_s, plan, facts.handling_s, policy.budget_ms):
        has_s = int(agent_seconds(plan, policy.budget_ms / 1000))
        reason = f"{facts.owed_s:.0f} s of callbacks are in line, and the agents have {has_s} s for them"
        return Refusal(Why.BUDGET, reason)
    if policy.longest_wait_ms and (facts.announced_s or 0) * 1000 > policy.longest_wait_ms:
        return Refusal(Why.TOO_LONG, f"the wait is up to {facts.announced_s:.0f} s")
    if facts.closes_in_ms is not None and facts.closes_in_ms <= 0:
        return Refusal(Why.CLOSED, "we are closed")
    if not can_be_kept(facts.promises, facts.live, plan, facts.handling_s, facts.closes_in_ms):
        work_s = round((facts.promises + facts.live) * (facts.handling_s or 0))
        left_s = int(agent_seconds(plan, (facts.closes_in_ms or 0) / 1000))
        reason = f"{work_s} s of work are in line, and the agents have {left_s} s until we close"
        return Refusal(Why.CLOSING, reason)
    return None


def _not_now(policy: CallbackPolicy, facts: Facts) -> Refusal | None:
    if facts.offers and facts.announcements - facts.offered_at < policy.offer_every:
        return Refusal(Why.LATELY, "it was offered a few announcements ago")
    long_wait = facts.announced_s is not None and facts.announced_s * 1000 > policy.offer_wait_ms
    if not long_wait and facts.waited_ms < policy.offer_after_ms:
        return Refusal(Why.SHORT_WAIT, "the wait is short enough to hold")
    return None
