"""The demo: what a new user sees first, as a whole, with real processes."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from foundation.errors import Mendable
from processes import demo, panel
from processes.cast import Cast
from processes.demo import CannotStart, Wishes, check_ports, duration_s, environment
from processes.settings import Settings
from processes.verdict import logged_errors, told

ROOT = Path(__file__).parents[2]


@pytest.fixture
def port() -> int:
    """A port that is free, as its neighbour is: the demo needs both."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(contextlib.closing(socket.socket()))
            first.bind(("127.0.0.1", 0))
            number = int(first.getsockname()[1])
            second = stack.enter_context(contextlib.closing(socket.socket()))
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", number + 1))
                return number


@pytest.fixture
def taken(port: int) -> Iterator[int]:
    with contextlib.closing(socket.socket()) as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        yield port


@pytest.mark.faults
@pytest.mark.timeout(240)
def test_every_call_of_a_demo_gets_its_outcome_and_nothing_is_left_behind(tmp_path: Path, port: int) -> None:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "SURGELINE_"))
    }
    words = ["demo", "--headless", "--for", "25s", "--speed", "8", "--json", "--port", str(port)]
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "processes", *words],
        cwd=tmp_path,
        env={**clean, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=230,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    outcome = json.loads(ran.stdout)
    assert (outcome["lost"], outcome["errors"]) == (0, 0)
    assert outcome["answered"] > 0
    assert outcome["missing"] == 0  # of the ledger
    assert {"deflected", "texted", "followed_up", "open"} <= set(outcome)
    assert outcome["offered"] >= outcome["answered"] + outcome["abandoned"] + outcome["waiting"]
    assert processes_of(tmp_path) == []
    check_ports(Wishes(port=port))


def processes_of(folder: Path) -> list[str]:
    """Processes that work in ``folder`` or were told of it."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line]


def test_a_port_in_use_is_named_with_a_way_out(taken: int) -> None:
    with pytest.raises(CannotStart, match=f"Port {taken} is in use.*--port {taken + 10}"):
        check_ports(Wishes(port=taken))
    with pytest.raises(CannotStart, match=f"Port {taken} is in use"):
        check_ports(Wishes(port=taken - 1))


def test_nothing_of_a_real_set_up_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TWILIO_AUTH_TOKEN", "SURGELINE_SECRET_KEY", "REDIS_URL", "DATABASE_URL_FILE"):
        monkeypatch.setenv(name, "the real one")
    environ = environment(Wishes(port=9000), tmp_path, 1)
    assert "the real one" not in environ.values()
    assert environ["TWILIO_API_BASE_URL"] == "http://127.0.0.1:9001"
    assert environ["SURGELINE_PUBLIC_URL"] == "http://127.0.0.1:9000"
    assert environ["DATABASE_URL"].startswith("sqlite:///")
    assert str(tmp_path) in environ["DATABASE_URL"]


def test_it_does_not_start_beside_a_real_account_unless_told_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("TWILIO_AUTH_TOKEN=real\n")
    with pytest.raises(Mendable, match="--simulated"):
        demo.refuse_beside_a_real_account(Wishes())
    demo.refuse_beside_a_real_account(Wishes(simulated=True))


def test_a_bad_saturday_is_quiet_first_and_the_rate_is_the_worst_of_it(tmp_path: Path) -> None:
    bad, calm = Wishes(), Wishes(calm=True)
    assert bad.worst >= 5 * bad.usual > 0
    assert calm.worst == calm.usual == 6
    assert (Wishes(rate=60).worst, Wishes(rate=60).usual) == (60, bad.usual)
    assert (Wishes(rate=0).worst, Wishes(rate=0).usual) == (0, 0)
    environ = environment(bad, tmp_path, 1)
    settings = Settings.model_validate({name.lower(): value for name, value in environ.items()})
    for wishes, goes_wrong in ((bad, True), (calm, False)):
        argv = demo.people(wishes, settings, tmp_path / "roster.json", tmp_path).argv
        assert ("--usual" in argv) is goes_wrong
        assert str(tmp_path / demo.MERCHANTS) in argv


def test_what_is_printed_tells_when_what_happens(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    environ = environment(Wishes(), tmp_path, 1)
    settings = Settings.model_validate({name.lower(): value for name, value in environ.items()})
    cast = Cast((), "a password", settings, {})
    panel.show(cast, Wishes(speed=2), 1.0, tmp_path)
    bad = capsys.readouterr().out
    assert "0:30  Register 3 tills begin to freeze" in bad
    assert "Surge console" in bad
    panel.show(cast, Wishes(calm=True), 1.0, tmp_path)
    assert "Register 3" not in capsys.readouterr().out


def test_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    environ = environment(Wishes(), tmp_path, 1)
    settings = Settings.model_validate({name.lower(): value for name, value in environ.items()})
    assert settings.listen_host == "127.0.0.1"
    assert settings.refuse_unsafe().api_is_loopback


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("1h", 3600), ("12", 12), ("0.5s", 0.5)]
)
def test_how_long_it_runs(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["soon", "", "5 min", "-3s"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Mendable, match="30s or 5m"):
        duration_s(text)


def test_an_error_in_any_log_counts(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text('{"level": "error"}\n{"level": "warning"}\nnot json\n')
    (tmp_path / "worker.log").write_text(
        'Traceback (most recent call last):\n  File "x"\n{"level": "critical"}\n'
    )
    assert logged_errors(tmp_path) == 3


def test_the_outcome_in_words() -> None:
    outcome = {
        "offered": 3,
        "answered": 2,
        "abandoned": 0,
        "promised": 0,
        "waiting": 1,
        "deflected": 0,
        "texted": 0,
        "followed_up": 0,
        "open": 0,
        "lost": 0,
        "errors": 0,
    }
    assert told(outcome, as_json=False).startswith("✓ 3 offered, 2 answered")
    assert told({**outcome, "lost": 1}, as_json=False).startswith("■")
    assert json.loads(told(outcome, as_json=True)) == outcome
