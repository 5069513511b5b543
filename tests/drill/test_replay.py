"""A call history replayed: what is read, what is left out by name, and scores that are those of the rows."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from drill.replay.__main__ import main
from drill.replay.history import Call, read_calls, read_staff
from drill.replay.report import learned, report
from drill.replay.run import OURS, replay
from foundation.errors import Mendable
from queueing.priors import Priors

HEAD = "call_id,queue,band,entered_s,answered_s,abandoned_s,service_end_s\n"
EXAMPLES = Path(__file__).parents[2] / "examples"


def calls(*rows: str) -> str:
    return HEAD + "".join(f"{row}\n" for row in rows)


def test_a_row_is_read_as_it_stands() -> None:
    first = read_calls(calls("a,support,1,10,12,,100")).calls[0]
    assert first == Call(2, "a", "support", 1, 1e10 + 10, 10.0, 12.0, None, 100.0)
    named = read_calls(calls("b,billing,p1,700.5,,800,")).calls[0]
    assert (named.band, named.key, named.abandoned) == (1, 100.5, 800.0)


def test_columns_may_stand_elsewhere_and_in_a_spreadsheets_way() -> None:
    text = (
        "\ufeffqueue;call_id;agent;entered_s;band;answered_s;abandoned_s;service_end_s\r\ns;x;ann;1;;2;;3\r\n"
    )
    (call,) = read_calls(text).calls
    assert (call.id, call.queue, call.band, call.ended) == ("x", "s", 0, 3.0)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("x,s,0,,5,,9", "entered_s is empty"),
        (",s,0,1,5,,9", "call_id is empty"),
        ("x,s,0,1,5,6,9", "keep the one that happened"),
        ("x,s,0,9,5,,10", "answered_s 5 is before entered_s 9"),
        ("x,s,0,1,,0,", "abandoned_s 0 is before entered_s 1"),
        ("x,s,0,1,5,,4", "service_end_s 4 is before answered_s 5"),
        ("x,s,0,1,,3,9", "service_end_s is given without answered_s"),
        ("x,s,0,12:30,5,,9", "'12:30' is no number: write seconds"),
        ("x,s,0,1714567890000,,,", "seconds, not milliseconds"),
        ("x,s,gold,1,5,,9", "band 'gold'"),
        ("x,s,0,nan,5,,9", "out of range"),
        ("ok,s,0,7,8,,9", "call_id ok stands in line 2 too"),
    ],
)
def test_a_bad_row_is_named_and_left_out(row: str, words: str) -> None:
    history = read_calls(calls("ok,s,0,1,2,,3", row), "calls.csv")
    assert [call.id for call in history.calls] == ["ok"]
    (trouble,) = history.troubles
    assert (trouble.file, trouble.line) == ("calls.csv", 3)
    assert words in trouble.what


def test_a_call_without_an_end_is_believed_at_the_end_of_the_history_only() -> None:
    rows = [f"c{at},s,0,{at * 100},{at * 100 + 5},,{at * 100 + 60}" for at in range(10)]
    history = read_calls(
        calls("lost,s,0,50,,,", "stuck,s,0,60,70,,", *rows, "waits,s,0,950,,,", "talks,s,0,901,906,,")
    )
    assert {trouble.line: trouble.what.split(":")[0] for trouble in history.troubles} == {
        2: "neither answered nor abandoned, yet calls after it were",
        3: "answered and never over, though the history goes on",
    }
    assert {"waits", "talks"} <= {call.id for call in history.calls}


def test_another_kind_of_file_is_refused() -> None:
    with pytest.raises(Mendable, match="no column queue, band"):
        read_calls("call_id,entered_s,answered_s,abandoned_s,service_end_s\n")
    with pytest.raises(Mendable, match="numbers in some rows and names in others"):
        read_calls(calls("a,s,0,1,2,,3", "b,s,p1,1,2,,3"))
    with pytest.raises(Mendable, match="holds no staffing"):
        read_staff("time_s,agents\n")
    with pytest.raises(Mendable, match="every row names its queue"):
        read_staff("time_s,agents,queue\n0,3,s\n0,4,\n")


def test_staffing_is_read_by_queue_and_its_bad_rows_named() -> None:
    staff, troubles = read_staff("time_s,agents,queue\n60,4,s\n0,3,s\n0,2,b\n1,2.5,b\n")
    assert staff == {"s": [(0.0, 3), (60.0, 4)], "b": [(0.0, 2)]}
    assert [trouble.line for trouble in troubles] == [5]


def one_agent(count: int = 40, *, hangs_up: int = -1) -> str:
    """One agent, 100 s a call, a call every 90 s: the n-th waits 10 n seconds."""
    rows, free = [], 0.0
    for n in range(count):
        entered = n * 90.0
        if n == hangs_up:
            rows.append(f"c{n},s,0,{entered},,{entered + 20},")
            continue
        begun = max(entered, free)
        free = begun + 100
        rows.append(f"c{n},s,0,{entered},{begun},,{free}")
    return calls(*rows)


def test_everyone_is_asked_and_the_usual_ways_say_what_they_do() -> None:
    history = read_calls(one_agent())
    history.staff = {"": [(0.0, 1)]}
    done = replay(history)
    tenth = done.asked[10]
    assert tenth.wait_s == pytest.approx(100)
    assert tenth.told["last wait"] is not None
    assert tenth.told["last wait"].mean == pytest.approx(90 if done.asked[9].wait_s == 90 else 80, abs=11)
    assert done.asked[1].told[OURS] is None  # too little was seen
    told = report(done.asked)
    assert told.asked == 40
    assert told.passed == 1
    assert told.total is not None
    assert told.silent + told.total[OURS].calls == 39
    assert told.total[OURS].calls == told.total["Asterisk"].calls


def test_who_hangs_up_is_held_to_when_the_line_passed_the_place() -> None:
    history = read_calls(one_agent(hangs_up=20))
    done = {each.call.id: each for each in replay(history).asked}
    assert done["c20"].wait_s == pytest.approx((done["c21"].wait_s or 0) + 90)


def test_queues_with_agents_of_their_own_do_not_take_from_each_other() -> None:
    rows = one_agent().removeprefix(HEAD)
    both = HEAD + rows + rows.replace("c", "d").replace(",s,", ",b,")
    apart, alone = read_calls(both), read_calls(HEAD + rows)
    apart.staff = {"s": [(0.0, 1)], "b": [(0.0, 1)]}
    alone.staff = {"s": [(0.0, 1)]}
    told = {each.call.id: each.told[OURS] for each in replay(apart).asked}
    assert all(told[each.call.id] == each.told[OURS] for each in replay(alone).asked)


def test_what_was_learned_begins_another_centre() -> None:
    found = learned(read_calls(one_agent()).calls)
    assert found.handling_s == {"s": 100.0, "": 100.0}
    assert found.hangup_per_s < 1 / 900
    again = Priors.unpacked(found.packed())
    assert again == found
    history = read_calls(one_agent())
    assert replay(history, again).asked[3].told[OURS] is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ("[1]", "Priors are"),
        ('{"aht": 3}', "aht is none of them"),
        ('{"handling_s": {"s": -1}}', "handling_s must be more than nought"),
        ('{"hangup_per_s": true}', "hangup_per_s must be"),
    ],
)
def test_priors_that_are_none_are_refused(text: str, words: str) -> None:
    with pytest.raises(Mendable, match=words):
        Priors.unpacked(text)


def test_the_command_on_the_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the example's outage ours is far better than the usual ways, and the picture is one."""
    svg, saved = tmp_path / "told.svg", tmp_path / "priors.json"
    given = [str(EXAMPLES / "call-history.csv"), "--agents", str(EXAMPLES / "call-staffing.csv"), "--roster"]
    code = main([*given, "--svg", str(svg), "--save", str(saved), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["rows_left_out"] == []
    scores = told["scores"]
    assert scores["ours"]["rmse_s"] < 0.4 * min(s["rmse_s"] for name, s in scores.items() if name != "ours")
    assert 0.6 < scores["ours"]["coverage"] < 0.98
    assert {group["by"] for group in told["groups"]} == {"hour", "wait told", "end"}
    assert (
        sum(g["scores"]["ours"]["calls"] for g in told["groups"] if g["by"] == "end")
        == scores["ours"]["calls"]
    )
    root = ET.parse(svg).getroot()
    assert len(root.findall("{http://www.w3.org/2000/svg}circle")) > 1000
    assert 200 < Priors.unpacked(saved.read_text()).handling_s["support"] < 500


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.csv")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    file = tmp_path / "calls.csv"
    file.write_text(calls("a,s,0,1,2,,3", "b,s,0,x,2,,3"))
    assert main([str(file), "--svg", ""]) == 1
    seen = capsys.readouterr()
    assert "calls.csv, line 3: entered_s 'x' is no number" in seen.err.replace("\n", "")
    assert "nothing to score" in seen.out.replace("\n", " ")
