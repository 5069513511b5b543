"""The command line: what it prints, and with which code it ends."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from processes.cli import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Ran]


@pytest.fixture
def surgeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``surgeline("users", "list")`` in an empty folder, with an environment of its own."""
    for name in list(os.environ):
        if name.startswith(("TWILIO_", "SURGELINE_", "REDIS_URL", "DATABASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str, stdin: str = "", **environ: str) -> Ran:
        with monkeypatch.context() as here:
            for name, value in environ.items():
                here.setenv(name, value)
            here.setattr(sys, "argv", ["surgeline", *words])
            here.setattr(sys, "stdin", io.StringIO(stdin))
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run


def answer(ran: Ran) -> dict[str, Any]:
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def test_help_lists_what_there_is(surgeline: Run) -> None:
    ran = surgeline("--help")
    assert ran.returncode == 0
    for verb in (
        "demo",
        "serve",
        "web",
        "worker",
        "sweeper",
        "scribe",
        "double",
        "migrate",
        "users",
        "doctor",
    ):
        assert f" {verb} " in ran.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("demo",),
        ("serve",),
        ("migrate",),
        ("users", "add"),
        ("merchants", "import"),
        ("roster", "import"),
        ("doctor",),
        ("provision",),
    ],
)
def test_every_verb_shows_an_example(surgeline: Run, words: tuple[str, ...]) -> None:
    ran = surgeline(*words, "--help")
    assert ran.returncode == 0
    assert "Example: " in ran.stdout


def test_what_is_no_verb_is_wrong_use(surgeline: Run) -> None:
    assert surgeline("dance").returncode == 2
    assert surgeline("users", "add").returncode == 2


def test_bad_settings_are_wrong_use_and_named(surgeline: Run) -> None:
    ran = surgeline("worker", SURGELINE_LOG_LEVEL="loud")
    assert ran.returncode == 2
    assert "SURGELINE_LOG_LEVEL" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_unsafe_settings_start_nothing(surgeline: Run) -> None:
    for program in ("serve", "web", "worker", "sweeper", "scribe"):
        ran = surgeline(program, SURGELINE_PUBLIC_URL="https://phone.example.com")
        assert ran.returncode == 2
        assert "TWILIO_AUTH_TOKEN is missing" in ran.stderr


def test_a_program_alone_says_that_it_needs_a_redis(surgeline: Run) -> None:
    ran = surgeline("sweeper")
    assert ran.returncode == 2
    assert "REDIS_URL is not set" in ran.stderr


def test_config_show_masks_secrets_and_names_sources(surgeline: Run) -> None:
    shown = answer(surgeline("config", "show", "--json", TWILIO_AUTH_TOKEN="do-not-tell"))
    assert shown["TWILIO_AUTH_TOKEN"] == {"value": "•••• (11 characters)", "from": "environment"}
    assert shown["REDIS_URL"] == {"value": "", "from": "default"}


def test_config_check_names_every_fault(surgeline: Run, tmp_path: Path) -> None:
    (tmp_path / "centre.toml").write_text('default_band = "p9"\n')
    ran = surgeline(
        "config",
        "check",
        "--json",
        SURGELINE_CENTRE="centre.toml",
        SURGELINE_PUBLIC_URL="http://phone.example.com",
        SURGELINE_PUBLICURL="a slip",
    )
    assert ran.returncode == 2
    told = json.loads(ran.stdout)
    assert "SURGELINE_PUBLIC_URL is plain http" in told["faults"][0]
    assert "there is no band p9" in told["faults"][1]
    assert told["warnings"] == ["SURGELINE_PUBLICURL is set, but there is no such setting."]


def test_config_check_of_good_settings(surgeline: Run) -> None:
    assert surgeline("config", "check").stdout == "✓ The settings are usable and safe.\n"


def test_migrate_takes_the_steps_once(surgeline: Run) -> None:
    assert surgeline("migrate", "--check").returncode == 1
    first = answer(surgeline("migrate", "--json"))
    assert (first["before"], first["up_to_date"]) == ("", True)
    assert answer(surgeline("migrate", "--json"))["before"] == first["after"]
    assert surgeline("migrate", "--check").returncode == 0


def test_a_database_that_is_away_is_a_failure(surgeline: Run) -> None:
    ran = surgeline("migrate", DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert ran.returncode == 1
    assert "Not answering" in ran.stderr


def test_accounts_are_added_listed_changed_and_shut(surgeline: Run) -> None:
    added = answer(surgeline("users", "add", "Ann", "--role", "admin", "--queue", "support:30", "--json"))
    assert (added["agent"], added["role"], added["skills"]) == ("ann", "admin", {"support": 30_000})
    assert len(added["password"]) >= 12
    surgeline("users", "add", "bob", "--password-stdin", stdin="a long enough password\n")
    listed = answer(surgeline("users", "list", "--json"))["accounts"]
    assert [(one["agent"], one["role"], one["active"]) for one in listed] == [
        ("ann", "admin", True),
        ("bob", "agent", True),
    ]
    assert surgeline("users", "password", "bob").returncode == 0
    assert answer(surgeline("users", "deactivate", "bob", "--json")) == {"agent": "bob", "active": False}


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (("users", "add", "ann", "--role", "queen"), "", "There is no role"),
        (("users", "add", "ann", "--queue", "dance"), "", "There is no queue"),
        (("users", "add", "ann", "--queue", "support:soon"), "", "whole seconds"),
        (("users", "add", "ann", "--password-stdin"), "short\n", "A password has"),
        (("users", "add", "no spaces"), "", "A login is"),
        (("users", "deactivate", "nobody"), "", "There is no login"),
    ],
)
def test_an_account_that_cannot_be_is_refused_with_what_to_mend(
    surgeline: Run, words: tuple[str, ...], stdin: str, said: str
) -> None:
    ran = surgeline(*words, stdin=stdin)
    assert ran.returncode == 2
    assert said in ran.stderr


def test_a_merchants_file_is_taken_in_whole_or_not_at_all(surgeline: Run, tmp_path: Path) -> None:
    file = tmp_path / "merchants.csv"
    file.write_text("name,tier,numbers\nCorner Bakery,gold,415 555 0100\nBlue Cafe,none,12\n")
    bad = surgeline("merchants", "import", "merchants.csv")
    assert bad.returncode == 2
    assert "line 3" in bad.stderr
    file.write_text("name,tier,numbers\nCorner Bakery,gold,415 555 0100\n")
    assert answer(surgeline("merchants", "import", "merchants.csv", "--json"))["added"] == 1
    assert surgeline("merchants", "import", "nowhere.csv").returncode == 2


def test_a_roster_is_taken_in_shown_and_cleared(surgeline: Run, tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text("day,from,to,agents\nMon-Tue,9:00,17:00,6\nFunday,9:00,17:00,6\n")
    bad = surgeline("roster", "import", "roster.csv")
    assert bad.returncode == 2
    assert "line 3: 'Funday' is no day" in bad.stderr
    assert answer(surgeline("roster", "show", "--json")) == {"shifts": []}
    file.write_text("day,from,to,agents\nMon-Tue,9:00,17:00,6\n")
    told = answer(surgeline("roster", "import", "roster.csv", "--json"))
    assert told == {"shifts": 2, "replaced": 0, "days": ["monday", "tuesday"]}
    shown = surgeline("roster", "show").stdout
    assert shown.splitlines()[1:] == ["monday,09:00,17:00,6,", "tuesday,09:00,17:00,6,"]
    file.write_text(shown)
    assert "2 shifts are in the roster, in place of 2" in surgeline("roster", "import", "roster.csv").stdout
    assert answer(surgeline("roster", "clear", "--json")) == {"removed": 2}
    assert "There was no roster" in surgeline("roster", "clear").stdout


def test_the_demo_does_not_start_beside_a_real_account(surgeline: Run) -> None:
    ran = surgeline("demo", "--headless", TWILIO_AUTH_TOKEN="real")
    assert ran.returncode == 2
    assert "--simulated" in ran.stderr


def test_it_is_a_program_of_its_own_and_hands_over_to_the_double() -> None:
    words = [sys.executable, "-m", "processes", "double", "--help"]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert "--hook-url" in ran.stdout


def test_without_calls_there_is_nothing_to_export(surgeline: Run) -> None:
    ran = surgeline("estimates", "export", "calls.csv", "--from", "2026-03-01", "--to", "2026-03-31")
    assert ran.returncode == 2
    assert "No call came" in ran.stderr
    assert surgeline("estimates", "export", "calls.csv", "--from", "March").returncode == 2
