"""``surgeline surge`` with everything there, with SQL away, and with nothing there at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pwdlib import PasswordHash
from typer.testing import CliRunner

from foundation.errors import Mendable
from processes import migrating
from processes.cli import app
from processes.verbs.surge import length_ms

NO_SQL = "postgresql://nobody@127.0.0.1:9/none"
NO_REDIS = "redis://127.0.0.1:9/0"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_server: str, redis: Any) -> Path:
    """A host with a data directory of its own, a Redis, and SQLite."""
    monkeypatch.setenv("SURGELINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", redis_server)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/surgeline.db")
    migrating.upgrade(f"sqlite:///{tmp_path}/surgeline.db")
    return tmp_path


def said(*words: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["surge", *words, "--json"])
    assert result.exit_code == code, result.output
    return dict(json.loads(result.stdout))


def test_on_and_off_and_what_the_doors_are_told(host: Path) -> None:
    assert said("status")["level"] == "calm"
    assert said("on", "--for", "90m")["written"] == "sql"
    now = said("status")
    assert (now["level"], now["from"]) == ("surge", "redis")
    assert said("off")["level"] == "calm"
    assert said("status")["level"] == "calm"


def test_with_sql_away_redis_tells_the_doors(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", NO_SQL)
    assert said("on", "--level", "watch")["written"] == "redis"
    assert said("status")["level"] == "watch"


@pytest.mark.parametrize("redis_there", [True, False])
def test_with_everything_down_the_file_does(
    host: Path, monkeypatch: pytest.MonkeyPatch, redis_there: bool
) -> None:
    monkeypatch.setenv("DATABASE_URL", NO_SQL)
    if redis_there:
        monkeypatch.setenv("REDIS_URL", NO_REDIS)
    else:
        monkeypatch.delenv("REDIS_URL")
    assert said("status", code=1)["from"] == "nowhere"
    assert said("on")["written"] == "file"
    now = said("status", code=1)
    assert (now["level"], now["from"]) == ("surge", "file")


@pytest.mark.parametrize("words", [["on", "--level", "closed_to_new"], ["on", "--for", "soon"]])
def test_wrongly_used_it_says_what_to_write(host: Path, words: list[str]) -> None:
    result = CliRunner().invoke(app, ["surge", *words])
    assert isinstance(result.exception, Mendable)


def test_a_length_of_time() -> None:
    assert (length_ms(""), length_ms("90m"), length_ms("2h")) == (None, 5_400_000, 7_200_000)
    for bad in ("0m", "30s", "25h", "1d"):
        with pytest.raises(Mendable):
            length_ms(bad)


def test_a_dry_run_says_how_many_it_would_have_turned_away() -> None:
    from processes.verbs.surge import _words
    from surge.directive import Directive
    from surge.states import Level

    told = Directive(level=Level.SURGE, dry_run=True, would=41)
    assert _words(told, 0) == (
        "◆ The level is surge (dry run: nobody is turned away; 41 calls would have been)."
    )


def test_a_pin_is_asked_for_twice_and_only_its_hash_is_printed() -> None:
    result = CliRunner().invoke(app, ["surge", "pin"], input="482913\n482913\n")
    assert result.exit_code == 0, result.output
    line = result.stdout.splitlines()[-1]
    name, _, told = line.partition("=")
    assert name == "SURGELINE_TOGGLE_PIN_HASH"
    assert "482913" not in result.stdout
    assert PasswordHash.recommended().verify("482913", told.strip("'"))


def test_what_is_no_pin_is_refused() -> None:
    result = CliRunner().invoke(app, ["surge", "pin"], input="12ab\n12ab\n")
    assert isinstance(result.exception, Mendable)
