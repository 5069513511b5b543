"""The history of drills, and when the next one is due."""

from __future__ import annotations

import json

from surge.rehearsals import QUARTER_MS, Rehearsal, due_ms, history, keep

MAY = Rehearsal(1_000_000, "upserve", "Upserve", 1)
JUNE = Rehearsal(2_000_000, "flood", "A flood", 4, ("Nobody is served twice",))


def test_who_never_held_one_is_due_now(tmp_path):
    assert history(tmp_path) == history(None) == []
    assert due_ms(None) is None


def test_the_latest_comes_first_and_is_due_a_quarter_later(tmp_path):
    for each in (JUNE, MAY):
        keep(tmp_path, each, {"title": each.title})
    first, second = history(tmp_path)
    assert (first.scenario, first.broken, second.scenario) == (
        "flood",
        ("Nobody is served twice",),
        "upserve",
    )
    assert due_ms(first) == 2_000_000 + QUARTER_MS


def test_the_figures_are_kept_beside(tmp_path):
    path = keep(tmp_path, MAY, {"title": "Upserve", "runs": []})
    assert json.loads(path.read_text()) == {"title": "Upserve", "runs": []}
    assert history(tmp_path)[0].card == path.name


def test_a_line_that_cannot_be_read_is_left_out(tmp_path):
    keep(tmp_path, MAY, {})
    with (tmp_path / "drills" / "history.jsonl").open("a") as file:
        file.write('{"at_ms": 1}\nnot json\n{"at_ms": 3, "strange": 1}\n')
    assert [each.scenario for each in history(tmp_path)] == ["upserve"]
