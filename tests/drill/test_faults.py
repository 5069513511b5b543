"""Mischief on demand: what befalls a webhook, and what is noted of the product's answers to it."""

from __future__ import annotations

from typing import Any

import pytest

from drill.network.faults import Faults
from foundation.errors import Mendable
from tests.drill.product import HOOK, Asked, Rehearsal, heard


def befalls(rehearsal: Rehearsal, kind: str, match: str = "", **more: Any) -> None:
    rule = {"on": "webhook", "kind": kind, "match": match, **more}
    rehearsal.exchange.courier.faults.replace({"seed": 7, "rules": [rule]})


async def test_a_doubled_request_is_the_same_request(rehearsal: Rehearsal) -> None:
    befalls(rehearsal, "duplicate", "incoming")
    leg = await rehearsal.rings("<Say>Hello.</Say>")
    first, second = rehearsal.product.all("/voice/incoming")
    assert first.pairs == second.pairs
    assert first.headers["i-twilio-idempotency-token"] == second.headers["i-twilio-idempotency-token"]
    assert heard(leg) == ["Hello."]
    assert rehearsal.violations == []


async def test_another_answer_to_a_repeat_is_a_violation(rehearsal: Rehearsal) -> None:
    befalls(rehearsal, "duplicate", "incoming")
    rehearsal.product.says["/voice/incoming"] = ["<Say>First.</Say>", "<Say>Second.</Say>"]
    leg = await rehearsal.rings()
    assert heard(leg) == ["First."]
    assert rehearsal.violations == ["0 a repeated request was answered otherwise"]
    assert rehearsal.exchange.ledger.violations[0].kind == "repeat"


async def test_a_late_request_arrives_late_and_the_call_waits_for_it(rehearsal: Rehearsal) -> None:
    befalls(rehearsal, "delay", "incoming", ms=4000)
    leg = await rehearsal.rings("<Say>Hello.</Say>")
    await rehearsal.passes(3.9)
    assert heard(leg) == []
    await rehearsal.passes(0.2)
    assert heard(leg) == ["Hello."]


async def test_a_request_later_than_the_limit_still_arrives_but_the_call_has_gone_on(
    rehearsal: Rehearsal,
) -> None:
    befalls(rehearsal, "delay", "incoming", ms=20_000)
    rehearsal.product.says["/voice/fallback"] = "<Say>Please hold.</Say><Pause length='60'/>"
    leg = await rehearsal.rings("<Say>Hello.</Say>")
    await rehearsal.passes(21)
    assert rehearsal.product.paths() == ["/voice/fallback", "/voice/incoming"]
    assert heard(leg) == ["Please hold."]
    assert rehearsal.violations == []


async def test_a_dropped_document_leads_to_the_fallback_and_is_nobodys_fault(rehearsal: Rehearsal) -> None:
    befalls(rehearsal, "drop", "incoming")
    rehearsal.product.says["/voice/fallback"] = "<Say>Please hold.</Say>"
    leg = await rehearsal.rings("<Say>Hello.</Say>")
    assert rehearsal.product.paths() == ["/voice/fallback"]
    assert heard(leg) == ["Please hold."]
    assert rehearsal.violations == []


async def test_a_lost_answer_was_asked_and_leads_to_the_fallback(rehearsal: Rehearsal) -> None:
    befalls(rehearsal, "lose_answer", "incoming")
    await rehearsal.rings("<Say>Hello.</Say>")
    assert rehearsal.product.paths() == ["/voice/incoming", "/voice/fallback"]


async def test_a_dropped_callback_never_comes(rehearsal: Rehearsal) -> None:
    befalls(rehearsal, "drop", "status")
    await rehearsal.rings("<Hangup/>")
    await rehearsal.passes(60)
    assert "/voice/status" not in rehearsal.product.paths()


def placed(rehearsal: Rehearsal) -> dict[str, str]:
    return {
        "To": "+14155550177",
        "From": "+14155550100",
        "Url": f"{HOOK}/answer",
        "StatusCallback": f"{HOOK}/told",
        "StatusCallbackEvent": "initiated",
    }


async def test_callbacks_arrive_out_of_order(rehearsal: Rehearsal) -> None:
    befalls(rehearsal, "reorder", "told", times=1)
    rehearsal.product.says["/answer"] = "<Hangup/>"
    every = ["initiated", "ringing", "answered", "completed"]
    await rehearsal.rest.post(
        rehearsal._path("Calls"), data={**placed(rehearsal), "StatusCallbackEvent": every}
    )
    await rehearsal.passes(10)
    numbers = [int(asked.fields["SequenceNumber"]) for asked in rehearsal.product.all("/told")]
    assert sorted(numbers) == [0, 1, 2, 3]
    assert numbers != [0, 1, 2, 3]


async def test_a_callback_held_back_with_none_to_follow_comes_in_the_end(rehearsal: Rehearsal) -> None:
    befalls(rehearsal, "reorder", "status")
    await rehearsal.rings("<Hangup/>")
    assert "/voice/status" not in rehearsal.product.paths()
    await rehearsal.passes(4)
    assert rehearsal.product.paths().count("/voice/status") == 1


async def test_a_share_is_drawn_with_seeded_dice(rehearsal: Rehearsal) -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults()
        faults.replace({"seed": seed, "rules": [{"on": "webhook", "kind": "drop", "share": 0.3}]})
        return [faults.for_webhook("/voice", "POST").drop for _ in range(1000)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 200 < sum(struck(1)) < 400


async def test_the_duplicate_comes_after_the_hang_up_too(rehearsal: Rehearsal) -> None:
    befalls(rehearsal, "duplicate", "status")
    await rehearsal.rings("<Hangup/>")
    first, second = rehearsal.product.all("/voice/status")
    assert first.fields == second.fields


@pytest.mark.parametrize(
    "rules",
    [
        [{"on": "weather", "kind": "drop"}],
        [{"on": "webhook", "kind": "busy"}],
        [{"on": "rest", "kind": "duplicate"}],
        [{"on": "webhook", "kind": "drop", "match": "("}],
        [{"on": "webhook", "kind": "drop", "share": "often"}],
        [{"on": "webhook", "kind": "drop", "sahre": 1}],
        [{"on": "webhook", "kind": "delay", "ms": []}],
        "drop everything",
        ["drop"],
    ],
)
def test_rules_that_make_no_sense_are_refused_and_change_nothing(rules: Any) -> None:
    faults = Faults()
    faults.replace({"rules": [{"on": "webhook", "kind": "drop"}]})
    with pytest.raises(Mendable):
        faults.replace({"rules": rules})
    assert len(faults.rules) == 1


async def test_the_product_is_not_told_of_the_mischief(rehearsal: Rehearsal) -> None:
    befalls(rehearsal, "duplicate")
    names: set[str] = set()

    def look(asked: Asked) -> str:
        names.update(asked.headers)
        return "<Hangup/>"

    rehearsal.product.says["/voice/incoming"] = look
    await rehearsal.rings()
    assert not any("fault" in name or "double" in name for name in names)
