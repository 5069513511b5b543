"""People on the line who act by script."""

from __future__ import annotations

from typing import Any

import pytest

from drill.network.people import Script
from foundation.errors import Mendable
from tests.drill.product import Rehearsal, heard

MENU = (
    "<Gather input='dtmf speech' numDigits='1' action='/voice/menu' timeout='5'>"
    "<Say>For payments, press 1. For anything else, tell us in a few words.</Say></Gather>"
)
WAITING = "<Enqueue waitUrl='/voice/wait' action='/voice/left'>support</Enqueue>"


async def test_a_key_is_pressed_when_the_words_are_out(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings(MENU, script={"presses": [{"when": "FOR PAYMENTS", "digits": "1"}]})
    await rehearsal.passes(4)
    assert "/voice/menu" not in rehearsal.product.paths()
    await rehearsal.passes(2)
    assert rehearsal.product.last("/voice/menu").fields["Digits"] == "1"
    assert any(line.kind == "press" for line in leg.heard)


async def test_words_are_said(rehearsal: Rehearsal) -> None:
    script = {"speaks": [{"when": "in a few words", "text": "my till is frozen"}]}
    await rehearsal.rings(MENU, script=script)
    await rehearsal.passes(15)
    assert rehearsal.product.last("/voice/menu").fields["SpeechResult"] == "my till is frozen"


async def test_a_rule_acts_once_or_as_often_as_it_says(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/menu"] = "<Redirect>/voice/incoming</Redirect>"
    script = {"presses": [{"when": "for payments", "digits": "1", "times": 2}]}
    await rehearsal.rings(MENU, script=script)
    await rehearsal.passes(25)
    assert len(rehearsal.product.all("/voice/menu")) == 2


async def test_patience_runs_from_the_queue_on(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/wait"] = "<Play>/clip.wav</Play>"
    leg = await rehearsal.rings("<Pause length='10'/>" + WAITING, script={"patience_s": 90})
    await rehearsal.passes(99)
    assert leg.stage == "queue"
    await rehearsal.passes(2)
    assert leg.ended
    assert rehearsal.product.last("/voice/left").fields["QueueResult"] == "hangup"


async def test_who_talks_is_not_impatient(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/wait"] = "<Play>/clip.wav</Play>"
    rehearsal.product.says["/connect"] = "<Dial><Conference>c1</Conference></Dial>"
    leg = await rehearsal.rings(WAITING, script={"patience_s": 60})
    await rehearsal.passes(30)
    await rehearsal.post(f"Calls/{leg.sid}", Url="http://127.0.0.1:8080/connect")
    await rehearsal.rings("<Dial><Conference>c1</Conference></Dial>", from_="client:agent1")
    await rehearsal.passes(60)
    assert leg.stage == "talking"


@pytest.mark.parametrize(
    ("leaving", "after_s"),
    [
        ({"after_s": 7}, 7),
        ({"when": "for payments"}, 5),
        ({"when": "for payments", "after_s": 3}, 8),
        ({"stage": "menu"}, 0),
        ({"stage": "menu", "after_s": 2}, 2),
    ],
)
async def test_people_hang_up_when_they_like(
    rehearsal: Rehearsal, leaving: dict[str, Any], after_s: float
) -> None:
    leg = await rehearsal.rings(MENU + "<Pause length='60'/>", script={"hang_up": leaving})
    await rehearsal.passes(max(0, after_s - 1))
    assert leg.ended == (after_s == 0)
    await rehearsal.passes(2)
    assert leg.ended


@pytest.mark.parametrize("stage", ["menu", "queue", "conference", "talking", "recording"])
async def test_a_hang_up_at_every_point_leaves_nothing_behind(rehearsal: Rehearsal, stage: str) -> None:
    says = rehearsal.product.says
    says["/voice/wait"] = "<Say>Wait.</Say><Leave/>"
    says["/voice/left"] = "<Dial action='/voice/after'><Conference>c1</Conference></Dial>"
    says["/voice/after"] = "<Record/>"
    script = {"hang_up": {"stage": stage, "after_s": 0.2}}
    leg = await rehearsal.rings(
        "<Say>Hello.</Say><Enqueue waitUrl='/voice/wait' action='/voice/left'>support</Enqueue>",
        script=script,
    )
    await rehearsal.passes(5)
    other = await rehearsal.rings("<Dial><Conference>c1</Conference></Dial>", from_="client:agent1")
    await rehearsal.passes(5)
    if stage == "recording":
        (room,) = (await rehearsal.get("Conferences"))["conferences"]
        await rehearsal.delete(f"Conferences/{room['sid']}/Participants/{leg.sid}")
        await rehearsal.passes(1)
    assert leg.ended
    assert (leg.queue, leg.participant, leg.bridge) == (None, None, None)
    rehearsal.exchange.end(other)
    await rehearsal.settles()
    assert rehearsal.exchange.active() == 0
    assert not rehearsal.exchange.open_rooms
    assert sum(len(queue) for queue in rehearsal.exchange.queues.values()) == 0
    assert rehearsal.product.last("/voice/status").fields["CallStatus"] == "completed"


async def test_nobody_reacts_after_the_end(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings(MENU, script={"presses": [{"when": "payments", "digits": "1"}]})
    rehearsal.exchange.end(leg)
    await rehearsal.passes(30)
    assert "/voice/menu" not in rehearsal.product.paths()
    assert heard(leg)


@pytest.mark.parametrize(
    "script",
    [
        {"patience": 9},
        {"patience_s": "long"},
        {"presses": [{"digits": "1"}]},
        {"presses": [{"when": "("}]},
        {"hang_up": {"stage": "lunch"}},
        {"speaks": "hello"},
    ],
)
def test_a_script_that_makes_no_sense_is_refused(script: dict[str, Any]) -> None:
    with pytest.raises(Mendable):
        Script.of(script)
