"""The live figures, as the doors see them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ivr import glance
from ivr.glance import Glance, Owing
from queueing.keys import Keys
from queueing.policy import LinePolicy
from queueing.pulse import Pulse, publish
from tests.waits import ladder, queue_pulse

KEYS = Keys.of(LinePolicy())
NOW = 1_700_000_000_000
FIGURES = {"support": queue_pulse(5, 3, promises=2), "billing": queue_pulse(0, 0, 180.5)}


async def test_the_figures_survive_the_packing(redis):
    await publish(redis, KEYS, Pulse(NOW, FIGURES))
    look = Glance(redis, KEYS)
    facts = await look.facts(NOW)
    assert glance.wait(facts, "support", "p2", 5) == ladder(5, 80.0).at(5)
    assert glance.wait(facts, "support", "p2", 7) == ladder(5, 80.0).at(7)
    assert glance.wait(facts, "billing", "p2", 1) is None
    assert glance.callbacks(facts, "support")[1] == Owing(3, 240.0, 480.0)
    assert await look.facts(NOW, "billing") == "billing 0 180.5 !nobody/ 0"
    seen = await look.pulse(NOW)
    assert seen is not None
    assert (seen.queues["support"].waiting, seen.queues["support"].promised) == (5, 0.4)


async def test_the_roster_goes_with_them(redis):
    plans = ((0.0, 3.0), (1800.0, 5.0)), ((0.0, 3.0), (1800.0, 7.0))
    figures = {"support": replace(FIGURES["support"], plan=plans[0])}
    await publish(redis, KEYS, Pulse(NOW, figures, plan=plans[1]))
    look = Glance(redis, KEYS)
    facts = await look.facts(NOW)
    assert glance.callbacks(facts, "support")[1] == Owing(3, 240.0, 480.0, plans[0])
    assert glance.wait(facts, "support", "p2", 5) == ladder(5, 80.0).at(5)
    seen = await look.pulse(NOW)
    assert seen is not None
    assert (seen.plan, seen.queues["support"].plan) == (plans[1], plans[0])


async def test_they_are_read_once_a_second_and_not_believed_when_old(redis):
    look = Glance(redis, KEYS)
    assert await look.facts(NOW) == ""
    await publish(redis, KEYS, Pulse(NOW, FIGURES))
    assert await look.facts(NOW + 999) == ""
    assert await look.facts(NOW + 1000) != ""
    await redis.flushall()
    assert await look.facts(NOW + 1500) != ""
    assert await look.facts(NOW + 2100) == ""
    await publish(redis, KEYS, Pulse(NOW, FIGURES))
    assert await look.facts(NOW + 20_000) == ""


@pytest.mark.parametrize(
    "facts", ["", ";", "support", "support ", "support 1 2.0 x 0", "other 1 2.0 1:1:2:3:2/ 0"]
)
def test_without_figures_there_is_no_wait(facts):
    assert glance.wait(facts, "support", "p2", 1) is None
    assert glance.wait("support 3 240.0 1:40:80:120:80/ 0", "support", "p2", 0) is None
