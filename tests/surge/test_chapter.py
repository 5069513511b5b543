"""The support chapter of a post-mortem."""

from __future__ import annotations

from datetime import UTC, datetime

from surge.chapter import Due, Facts, Promises, Said, Volume, Waits, write


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


START, END, NOW = ms("2024-05-11T18:00"), ms("2024-05-11T21:30"), ms("2024-05-14T12:00")
FACTS = Facts(
    title="Registers cannot connect",
    severity="critical",
    from_ms=START,
    to_ms=END,
    time_zone="America/New_York",
    volume=Volume(
        offered=1200,
        answered=300,
        abandoned=240,
        promised=360,
        deflected=240,
        messages=36,
        other=24,
        peak_per_min=24.5,
        peak_ms=ms("2024-05-11T18:40"),
        usual_per_min=2.1,
        service_level=0.125,
        service_level_without_short=0.14,
        asa_ms=485_000,
        longest_wait_ms=3_900_000,
    ),
    said=(
        Said(ms("2024-05-11T19:00"), "identified", "We know why: a broker is slow.", "lead"),
        Said(ms("2024-05-11T18:04"), "investigating", "Registers | tablets *cannot* connect.", "lead"),
    ),
    waits=Waits(told=900, within=720, longer=90),
    promises=Promises(made=360, kept=340, on_time=300, unreachable=10, withdrawn=10),
    called_again=24,
    follow_ups=(("works", 400), ("not_wanted", 6), ("open", 10), ("served", 0)),
    follow_ups_open=10,
    commitments=(
        Due("Post the whole story", "lead", ms("2024-05-13T12:00")),
        Due("Ring every V1 reader", "desk", ms("2024-05-12T12:00"), ms("2024-05-12T11:00")),
    ),
    first_said_ms=ms("2024-05-11T18:04"),
)


def test_the_whole_chapter():
    assert (
        write(FACTS, NOW)
        == """\
## Support during “Registers cannot connect”

Severity critical; declared 2024-05-11 14:00, resolved 2024-05-11 17:30 (3 h 30 min). Callers were first \
told after 4 min. Times are America/New_York.

### What came in

|  |  |
| --- | --- |
| Calls offered | 1,200 |
| Answered | 300 (25%) |
| Abandoned | 240 (20%) |
| Took a callback | 360 (30%) |
| Took a text instead | 240 (20%) |
| Left a message | 36 (3%) |
| Ended otherwise | 24 (2%) |
| Peak | 24.5 calls a minute at 2024-05-11 14:40, where 2.1 are usual |
| Service level 80/30, of all offered | 12% |
| The same, short abandons left out | 14% |
| Average speed of answer | 8 min |
| Longest wait | 1 h 5 min |

### What was said, and when

| Time | What | Words | By |
| --- | --- | --- | --- |
| 2024-05-11 14:04 | investigating | Registers \\| tablets \\*cannot\\* connect. | lead |
| 2024-05-11 15:00 | identified | We know why: a broker is slow. | lead |

### What we promised

- Callbacks promised: 360; kept 340 (94%), on time 300; not reached 10, withdrawn 10, expired 0, still open 0.
- Waits announced: 900; within what was told 720 (80%), longer 90 (10%).
- Turned to a text: 240; rang again within 30 minutes 24 (10%).

### Follow-ups

406 (98%) of 416 follow-ups are done; 10 are open.

| State | Callers |
| --- | --- |
| works | 400 |
| not wanted | 6 |
| open | 10 |

### What we said we would do

- [x] Ring every V1 reader: desk, by 2024-05-12 08:00
- [ ] Post the whole story: lead, by 2024-05-13 08:00 (overdue)
"""
    )


def test_an_incident_that_nobody_called_about():
    quiet = write(Facts("Tills", "minor", START, None, "UTC"), START + 59_000)
    assert "not resolved yet (59 s)" in quiet
    assert "Callers were never told." in quiet
    assert "| Service level 80/30, of all offered | unknown |" in quiet
    assert "Nothing was said." in quiet
    assert "Nobody was left to follow up with." in quiet
    assert "What we said we would do" not in quiet


def test_what_people_wrote_cannot_shape_the_page():
    evil = Facts("x\n# <script>alert(1)</script>", "minor", START, None, "UTC")
    page = write(evil, NOW)
    assert "\n# " not in page
    assert "<script>" not in page.replace("\\<script\\>", "")
    assert page.count("\n### ") == 4
