"""The live figures, as the doors see them."""

from __future__ import annotations

import pytest

from ivr import glance
from ivr.glance import Glance
from queueing.estimates import plain_wait
from queueing.keys import Keys
from queueing.policy import LinePolicy
from queueing.pulse import Lessons, Pulse, QueuePulse, publish

KEYS = Keys.of(LinePolicy())
NOW = 1_700_000_000_000
FIGURES = {"support": QueuePulse(5, 3, 240.0, 1 / 600, promises=2), "billing": QueuePulse(0, 0, 180.5, 0.0)}


async def test_the_figures_survive_the_packing(redis):
    await publish(redis, KEYS, Pulse(NOW, FIGURES), Lessons())
    facts = await Glance(redis, KEYS).facts(NOW)
    assert facts == "support:3,240.0,0.001667,0.40;billing:0,180.5,0.000000,0.00"
    assert glance.wait(facts, "support", 5) == plain_wait(4, 3, 240.0, 0.001667, promised=0.4)
    assert glance.wait(facts, "billing", 1) is None


async def test_they_are_read_once_a_second_and_not_believed_when_old(redis):
    look = Glance(redis, KEYS)
    assert await look.facts(NOW) == ""
    await publish(redis, KEYS, Pulse(NOW, FIGURES), Lessons())
    assert await look.facts(NOW + 999) == ""
    assert await look.facts(NOW + 1000) != ""
    await redis.flushall()
    assert await look.facts(NOW + 1500) != ""
    assert await look.facts(NOW + 2100) == ""
    await publish(redis, KEYS, Pulse(NOW, FIGURES), Lessons())
    assert await look.facts(NOW + 20_000) == ""


@pytest.mark.parametrize("facts", ["", ";", "support", "support:", "support:1,2,3", "other:1,2,3,0"])
def test_without_figures_there_is_no_wait(facts):
    assert glance.wait(facts, "support", 1) is None
    assert glance.wait("support:3,240.0,0.001,0.00", "support", 0) is None
