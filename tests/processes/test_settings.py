"""What the environment may say, and what is refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from foundation.clock import FastClock, SystemClock
from foundation.errors import Mendable
from processes.settings import Settings, Told, read

SECRET = "k3-Zq8vN2xT7wLp5RmY1cJd9hBf4sGaQe"
ACCOUNT = "AC" + "0a" * 16


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("SURGELINE_ENV_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def public(environment: pytest.MonkeyPatch, **changes: str) -> Settings:
    """Settings fit to be reached from the net, except for the changes."""
    fit = {
        "SURGELINE_PUBLIC_URL": "https://phone.example.com/",
        "SURGELINE_SECRET_KEY": SECRET,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": "t" * 32,
    }
    for name, value in (fit | changes).items():
        environment.setenv(name, value)
    return read().settings


def refused(settings: Settings) -> str:
    with pytest.raises(Mendable) as caught:
        settings.refuse_unsafe()
    return str(caught.value)


def test_without_any_setting_it_runs_on_this_machine_alone() -> None:
    settings = read().settings.refuse_unsafe()
    assert settings.public_is_loopback
    assert settings.database.startswith("sqlite:///")
    assert isinstance(settings.clock, SystemClock)


def test_fit_settings_are_not_refused(environment: pytest.MonkeyPatch) -> None:
    assert public(environment).refuse_unsafe().surgeline_public_url == "https://phone.example.com"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SURGELINE_SECRET_KEY", "", "SURGELINE_SECRET_KEY is missing"),
        ("SURGELINE_SECRET_KEY", "changeme", "SURGELINE_SECRET_KEY can be guessed"),
        ("SURGELINE_SECRET_KEY", "short-but-not-known", "SURGELINE_SECRET_KEY can be guessed"),
        ("TWILIO_AUTH_TOKEN", "", "TWILIO_AUTH_TOKEN is missing"),
        ("SURGELINE_SIGNATURE_CHECK", "false", "SURGELINE_SIGNATURE_CHECK is off"),
        ("SURGELINE_PUBLIC_URL", "http://phone.example.com", "SURGELINE_PUBLIC_URL is plain http"),
        ("SURGELINE_CLOCK", "5@1700000000000", "SURGELINE_CLOCK is for rehearsals"),
        ("TWILIO_API_BASE_URL", "http://10.0.0.9:8081", "TWILIO_API_BASE_URL is plain http"),
    ],
)
def test_an_unsafe_setting_is_refused_by_name(
    environment: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    assert said in refused(public(environment, **{name: value}))


def test_all_unsafe_settings_are_named_at_once(environment: pytest.MonkeyPatch) -> None:
    settings = public(environment, SURGELINE_SECRET_KEY="", TWILIO_AUTH_TOKEN="")
    assert refused(settings).count("is missing") == 2


def test_a_loopback_url_with_an_open_door_is_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SURGELINE_LISTEN", "0.0.0.0:8080")
    assert "SURGELINE_LISTEN is open" in refused(read().settings)


def test_every_bad_value_is_named_with_what_to_mend(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TWILIO_ACCOUNT_SID", "nonsense")
    environment.setenv("SURGELINE_LOG_LEVEL", "loud")
    environment.setenv("REDIS_URL", "localhost:6379")
    environment.setenv("SURGELINE_WORKERS", "many")
    with pytest.raises(Mendable) as caught:
        read()
    said = str(caught.value)
    for name in ("TWILIO_ACCOUNT_SID", "SURGELINE_LOG_LEVEL", "REDIS_URL", "SURGELINE_WORKERS"):
        assert f"{name} (from environment)" in said
    assert "debug, info, warning, error" in said


def test_a_bad_secret_is_not_repeated_in_the_error(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TWILIO_API_KEY_SID", "oops-the-secret-itself")
    with pytest.raises(Mendable) as caught:
        read()
    assert "oops" not in str(caught.value)


def source(told: Told, variable: str) -> str:
    return next(where for name, _, where in told.shown() if name == variable)


def test_the_environment_outranks_a_secret_file_and_that_the_env_file(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(
        "TWILIO_NUMBER=+14155550100\nSURGELINE_LOG_LEVEL=debug\nTWILIO_AUTH_TOKEN=a\n"
    )
    (tmp_path / "token").write_text("from-a-file\n")
    environment.setenv("TWILIO_AUTH_TOKEN_FILE", str(tmp_path / "token"))
    environment.setenv("SURGELINE_LOG_LEVEL", "warning")
    told = read()
    assert told.settings.twilio_number == "+14155550100"
    assert told.settings.twilio_auth_token == "from-a-file"
    assert told.settings.surgeline_log_level == "warning"
    assert source(told, "TWILIO_NUMBER") == ".env"
    assert source(told, "TWILIO_AUTH_TOKEN") == "TWILIO_AUTH_TOKEN_FILE"
    assert source(told, "SURGELINE_LOG_LEVEL") == "environment"
    assert source(told, "REDIS_URL") == "default"


def test_a_secret_file_that_cannot_be_read_is_an_error(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SURGELINE_SECRET_KEY_FILE", "/nowhere/key")
    with pytest.raises(Mendable, match="SURGELINE_SECRET_KEY_FILE: /nowhere/key cannot be read"):
        read()


def test_secrets_are_masked_when_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("REDIS_URL", "redis://:hunter2hunter2@10.0.0.5:6379/0")
    public(environment)
    shown = str(read().shown())
    assert SECRET not in shown
    assert "t" * 32 not in shown
    assert "hunter2" not in shown
    assert "10.0.0.5" in shown


def test_a_secret_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    first, second = read().settings.secret_key, read().settings.secret_key
    assert first == second
    assert len(first) >= 32
    assert stat.S_IMODE(os.stat(tmp_path / ".surgeline" / "secret.key").st_mode) == 0o600


def test_two_processes_share_a_fast_clock(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SURGELINE_CLOCK", "5@1700000000000")
    clock = read().settings.clock
    assert isinstance(clock, FastClock)
    assert (clock.speed, clock.origin_ms) == (5.0, 1_700_000_000_000)


def test_a_pin_is_not_written_down_and_its_hash_not_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SURGELINE_TOGGLE_PIN_HASH", "482913")
    with pytest.raises(Mendable, match="surgeline surge pin"):
        read()
    environment.setenv("SURGELINE_TOGGLE_PIN_HASH", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA")
    shown = {name: value for name, value, _ in read().shown()}
    assert shown["SURGELINE_TOGGLE_PIN_HASH"] == "•••• (44 characters)"
