"""The benchmarks measure what they say they do. How fast it is, is no test's business."""

from __future__ import annotations

import json
import os

import pytest
from rich.console import Console

from drill.bench import __main__ as bench
from drill.bench import doors, line

SAY = Console(quiet=True)


@pytest.fixture(autouse=True)
def unpinned():
    """The benchmarks keep their own process to one CPU: the next test may have them all."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    yield
    if allowed:
        os.sched_setaffinity(0, allowed)


async def test_every_move_of_the_line_is_compared_with_a_script_that_does_nothing():
    rows = {row["operation"]: row for row in await bench.bench_line(1, 1, (60, 120), SAY)}
    assert set(rows) == {"nothing", "enter", "enter again", "position", "hold", "ready", "leave"}
    assert rows["nothing"]["ratios"] == {60: 1.0, 120: 1.0}
    assert all(row["us"] > 0 and set(row["ratios"]) == {60, 120} for row in rows.values())
    assert {name for name, row in rows.items() if row["target"]} == set(line.TARGETS)


async def test_ours_and_the_idiomatic_stack_answer_alike_and_are_compared():
    rows = await doors.run(1, 12, SAY)  # raises Mendable when one document differs
    assert [row["stack"] for row in rows] == ["empty", "ours", "idiomatic"]
    assert all(row["us"] > 0 for row in rows)
    assert [row["target"] for row in rows] == [None, doors.TARGET, None]
    assert rows[2]["of_idiomatic"] == 1.0


@pytest.mark.parametrize(("met", "code"), [(True, 0), (False, 1)])
def test_json_is_all_there_is_on_the_output_and_a_missed_target_is_told(monkeypatch, capsys, met, code):
    shares = {"us": 1.0, "of_empty": 1.0, "of_idiomatic": 1.0, "target": 0.25, "met": met}
    moves = {"operation": "enter", "ratios": {100: 1.0}, "growth": 1.0, "us": 1.0, "target": None}

    async def measured(what, rounds, say):
        say.print("measuring")
        return [{"stack": "ours", **shares}] if what == "doors" else [{**moves, "met": True}]

    monkeypatch.setattr(bench, "measured", measured)
    assert bench.main(["all", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["met"] is met
    assert set(told["benches"]) == {"line", "doors"}


@pytest.mark.parametrize("right", [True, False])
async def test_one_document_that_differs_stops_the_benchmark(right):
    class Web:
        def __init__(self, document):
            self.document = document

        async def ask(self, questions):
            return [self.document] * len(questions)

    other = b'<R b="2" a="1"/>' if right else b'<R a="1"/>'
    if right:
        await doors._compare(Web(b'<R a="1" b="2"/>'), Web(other), 3)
    else:
        with pytest.raises(doors.Mendable, match="3 of 3"):
            await doors._compare(Web(b'<R a="1" b="2"/>'), Web(other), 3)
