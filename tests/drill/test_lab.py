"""The laboratory: its centre is lawful, its scores are right by hand, the estimator earns its keep there."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from drill.bench import __main__ as benches
from drill.lab import __main__ as lab
from drill.lab import bench, cost
from drill.lab.centre import Centre
from drill.lab.rivals import RIVALS
from drill.lab.scenarios import SCENARIOS, STRICT, Scenario
from drill.lab.scores import pinball, score
from queueing.estimates import Estimate, Estimator

SMALL = Scenario(
    name="small",
    title="an hour of three agents",
    target=9.0,
    calls_per_s=0.014,
    staff=((0, 3), (1200, 4)),
    horizon_s=3600,
    bands=(0.3, 0.7),
    accepts_callback=0.3,
)


class Witness:
    """An estimator that only writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, float, int]] = []

    def __getattr__(self, verb: str):
        def hear(t: float, contact: int, *rest: object) -> None:
            self.heard.append((verb, t, contact))

        return hear


def test_the_centre_tells_a_lawful_story():
    """Time goes on; nobody is served twice or after hanging up; never more busy than agents."""
    witness = Witness()
    Centre(SMALL, 3, {"witness": witness}).run()
    times = [t for _, t, _ in witness.heard]
    assert times == sorted(times)
    busy, agents, state = 0, 0, dict[int, str]()
    for verb, _, contact in witness.heard:
        if verb == "on_agents":
            agents = contact
        elif verb == "on_start":
            assert state[contact] in ("on_arrival", "on_convert")
            busy += 1
            assert busy <= agents
        elif verb == "on_end":
            busy -= 1
        elif verb == "on_abandon":
            assert state[contact] == "on_arrival"
        if verb not in ("estimate", "on_agents"):
            state[contact] = verb
    assert set(state.values()) == {"on_end", "on_abandon"}


def test_who_hangs_up_has_the_wait_of_the_next_one_taken():
    """Everyone's wait is known, hung up or not; within a band waits end in the order of arrival."""
    centre = Centre(replace(SMALL, patience_s=300.0), 4, {"ours": Estimator(handling_s=300.0)})
    calls = centre.run()
    gone = [call for call in calls if call.state == "gone"]
    assert gone
    for band in (0, 1):
        ends = [call.at + (call.wait_s or 0) for call in centre.calls.values() if call.band == band]
        assert all(one <= other for one, other in itertools.pairwise(ends))


def test_higher_bands_come_first_in_the_key():
    assert max(each.horizon_s for each in SCENARIOS.values()) < STRICT


def test_the_same_seed_is_the_same_run():
    first, again = (bench.simulate(("six", 1, False)) for _ in range(2))
    assert first == again
    assert bench.simulate(("six", 2, False)) != first


def test_scores_by_hand():
    told = [(Estimate(50, 100, 150, 110), 100.0), (Estimate(50, 100, 150, 90), 200.0), (None, 5.0)]
    got = score([told])
    assert got.mean_s == 150
    assert got.rrmse == pytest.approx(((10**2 + 110**2) / 2) ** 0.5 / 150)
    assert got.bias == pytest.approx((10 - 110) / 2 / 150)
    assert (got.covered, got.late) == (0.5, 0.5)
    assert got.mae_s == 50
    assert got.silent == pytest.approx(1 / 3)
    assert pinball(told[0][0] or Estimate(0, 0, 0, 0), 100.0) == pytest.approx((5 + 0 + 5) / 3)


def test_nothing_told_is_no_score():
    with pytest.raises(ValueError, match="nothing was told"):
        score([[(None, 3.0)]])


@pytest.mark.parametrize("name", ["surge", "low", "promises"])
def test_the_estimator_beats_every_rival(name: str):
    """On one seed of its own, and by how much it should: the full table is the benchmark's."""
    row = bench.row(name, [bench.simulate((name, 41, True))])
    ours = row.scores["ours"]
    assert all(ours.rrmse < row.scores[rival].rrmse for rival in RIVALS)
    assert ours.pinball_s < 0.75 * min(row.scores[rival].pinball_s for rival in RIVALS)
    assert 0.6 < ours.covered < 0.99
    assert ours.silent == 0


def test_the_command_prints_the_table(capsys, monkeypatch):
    monkeypatch.setattr(cost, "measure", lambda: cost.Cost(100.0, 50.0, 20.0, 9.0, 30.0))
    monkeypatch.setitem(SCENARIOS, "small", SMALL)
    monkeypatch.setattr(
        bench, "rows", lambda names, seeds: [bench.row(n, [bench.simulate((n, 1, True))]) for n in names]
    )
    code = benches.main(["estimates", "small", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["rows"][0]["scores"]["ours"]["calls"] > 0
    assert code == (0 if told["met"] else 1)
    lab.main(["small", "--markdown"])
    assert capsys.readouterr().out.count("an hour of three agents") == 1


def test_the_documents_table_is_the_one_that_the_command_prints():
    text = (Path(__file__).parents[2] / "docs" / "estimates.md").read_text("utf-8")
    row = bench.row("six", [bench.simulate(("six", 1, True))])
    head, rule, _ = lab.markdown([row]).splitlines()
    told = text.partition(f"{head}\n{rule}\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split(" | ")[0] for line in told] == [f"| {each.title}" for each in SCENARIOS.values()]
    assert [line.split(" | ")[2] for line in told] == [f"≤ {each.target:g}" for each in SCENARIOS.values()]


def test_an_unknown_scenario_is_named(capsys):
    with pytest.raises(SystemExit):
        lab.main(["nowhere"])
    assert "nowhere" in capsys.readouterr().err


def test_the_price_is_measured():
    price = cost.measure(rounds=3, waiting=50)
    assert min(price.one_us, price.event_us, price.all_ms, price.pulse_ms, price.look_up_us) > 0
