"""Numbers are pointed here and put back; the doctor says what is wrong. Against the double."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import pytest
from redis.asyncio import Redis

from carrier.twilio_rest import OwnedNumber
from drill.network.app import network
from drill.network.exchange import Account
from foundation.clock import SystemClock
from foundation.errors import Mendable
from processes import doctor, migrating, provision
from processes.doctor import Verdict
from processes.heartbeat import beat
from processes.provision import changes, point, put_back, wanted
from processes.settings import Settings
from tests.drill.loopback import listening

ACCOUNT = "AC" + "0a" * 16
TOKEN = "t" * 32
NUMBER = "+14155550100"
PUBLIC = "https://phone.example.com"
OLD = "http://127.0.0.1:9"


@pytest.fixture
async def twilio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[str]:
    """The double as Twilio's API, its number pointing elsewhere, and settings for our account."""
    app = network(SystemClock(), OLD, Account(ACCOUNT, TOKEN), numbers=(NUMBER,))
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    async with listening(app) as url:
        given = {
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_BASE_URL": url,
            "SURGELINE_PUBLIC_URL": PUBLIC,
            "SURGELINE_SECRET_KEY": "k3-Zq8vN2xT7wLp5RmY1cJd9hBf4sGaQe",
        }
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        yield url


async def pointed() -> str:
    """Where the number's calls go."""
    settings = Settings.model_validate(
        {name.lower(): value for name, value in os.environ.items() if name.startswith("TWILIO_")}
    )
    async with provision.carrier(settings) as carrier:
        (number,) = await carrier.numbers()
    return number.voice_url


async def test_a_dry_run_says_what_would_change_and_changes_nothing(twilio: str) -> None:
    (change,) = await point("", dry_run=True)
    assert change.before.voice_url == f"{OLD}/voice/incoming"
    assert change.after == wanted(PUBLIC)
    assert "4155550100" not in change.line()
    assert await pointed() == f"{OLD}/voice/incoming"


async def test_the_number_is_pointed_here_once(twilio: str) -> None:
    assert len(await point(NUMBER, dry_run=False)) == 1
    assert (await pointed()).startswith(f"{PUBLIC}/voice/incoming#")
    assert await point(NUMBER, dry_run=False) == []


async def test_undo_puts_back_what_was_there_at_first(twilio: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await point("", dry_run=False)
    monkeypatch.setenv("SURGELINE_PUBLIC_URL", "https://other.example.com")
    await point("", dry_run=False)
    (change,) = await put_back(dry_run=False)
    assert change.after.voice_url == f"{OLD}/voice/incoming"
    assert await pointed() == f"{OLD}/voice/incoming"
    with pytest.raises(Mendable, match="nothing to undo"):
        await put_back(dry_run=False)


async def test_a_number_the_account_does_not_have_is_refused(twilio: str) -> None:
    with pytest.raises(Mendable, match="does not have"):
        await point("+14155550199", dry_run=True)


async def test_without_an_account_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch, twilio: str) -> None:
    monkeypatch.delenv("TWILIO_ACCOUNT_SID")
    with pytest.raises(Mendable, match="TWILIO_ACCOUNT_SID"):
        await point("", dry_run=True)


def test_a_number_that_points_here_needs_no_change() -> None:
    here = wanted(PUBLIC)
    owned = OwnedNumber("PN1", NUMBER, **asdict(here))
    assert changes([owned], "", PUBLIC) == []


# --- doctor --------------------------------------------------------------------------------------------


async def seen() -> dict[str, doctor.Finding]:
    return {finding.check: finding for finding in await doctor.examine()}


async def test_the_doctor_names_what_is_broken_and_how_to_mend_it(
    twilio: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURGELINE_PUBLIC_URL", OLD)
    monkeypatch.setenv("SURGELINE_NONSENSE", "1")
    found = await doctor.examine()
    verdicts = {(finding.check, finding.verdict) for finding in found}
    assert ("settings", Verdict.AMBER) in verdicts
    assert ("twilio", Verdict.GREEN) in verdicts
    assert ("public url", Verdict.RED) in verdicts
    assert ("sql", Verdict.RED) in verdicts
    assert ("redis", Verdict.RED) in verdicts
    assert all(finding.mend for finding in found if finding.verdict is not Verdict.GREEN)


async def test_a_healthy_house(
    twilio: str, monkeypatch: pytest.MonkeyPatch, redis: Redis, redis_server: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_server)
    migrating.upgrade(f"sqlite:///{tmp_path}/.surgeline/surgeline.db")
    await point("", dry_run=False)
    for kind in ("worker", "sweeper", "scribe"):
        await beat(redis, "main", kind, SystemClock().now_ms(), {})
    found = await seen()
    for check in ("twilio", "numbers", "sql", "redis", "worker", "sweeper", "scribe"):
        assert found[check].verdict is Verdict.GREEN, found[check].line()


def test_a_finding_on_the_screen() -> None:
    assert doctor.bad("sql", "stands at step none", "surgeline migrate").line() == (
        "■ sql              stands at step none\n    → surgeline migrate"
    )
    assert json.dumps(doctor.good("sql", "fine").shown())


async def test_the_doctor_misses_the_pin_of_those_who_switch_by_phone(
    twilio: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "phone switch" not in await seen()
    centre = tmp_path / "centre.toml"
    centre.write_text('[surge]\ntoggle_numbers = ["+1 415 555 0123"]\n', "utf-8")
    monkeypatch.setenv("SURGELINE_CENTRE", str(centre))
    found = (await seen())["phone switch"]
    assert (found.verdict, "surgeline surge pin" in found.mend) == (Verdict.AMBER, True)
    monkeypatch.setenv("SURGELINE_TOGGLE_PIN_HASH", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA")
    assert (await seen())["phone switch"].verdict is Verdict.GREEN
