"""The app as a whole: what it refuses, who may come in, and many calls at once."""

from __future__ import annotations

import httpx2
import pytest

from drill import double
from drill.network.app import network, serve
from drill.network.clips import wav_ms
from drill.network.recordings import silence
from foundation.clock import ManualClock
from foundation.errors import Mendable
from tests.drill.product import ACCOUNT, HOOK, OURS, TOKEN, Rehearsal, wav


@pytest.mark.parametrize("hook", ["https://support.example.com", "http://10.0.0.1:8080", "nonsense"])
def test_only_a_product_on_this_machine_is_rung(clock: ManualClock, hook: str) -> None:
    with pytest.raises(Mendable):
        network(clock, hook, ACCOUNT)


async def test_unless_told_to_go_beyond(clock: ManualClock) -> None:
    made = network(clock, "https://support.example.com", ACCOUNT, allow_remote=True)
    await made.close()


async def test_it_listens_on_this_machine_only(rehearsal: Rehearsal) -> None:
    with pytest.raises(Mendable):
        serve(rehearsal.network, 0, "0.0.0.0")


def test_the_program_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert double.main(["--hook-url", "http://example.com", "--token", "t"]) == 2
    assert "only rings a product on this machine" in capsys.readouterr().err
    assert double.main(["--hook-url", HOOK, "--token", "t", "--host", "0.0.0.0"]) == 2
    assert "only listens on this machine" in capsys.readouterr().err
    with pytest.raises(SystemExit) as wrong:
        double.main(["--port", "x"])
    assert wrong.value.code == 2


@pytest.mark.parametrize(
    "auth", [None, (ACCOUNT.sid, "wrong"), ("AC" + "0" * 32, TOKEN), (ACCOUNT.key_sid, TOKEN), ("", "")]
)
async def test_rest_wants_the_accounts_credentials(
    rehearsal: Rehearsal, auth: tuple[str, str] | None
) -> None:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=rehearsal.network), base_url="http://127.0.0.1:8081"
    ) as client:
        answer = await client.get(f"/2010-04-01/Accounts/{ACCOUNT.sid}/Queues.json", auth=auth)
    assert answer.status_code == 401
    assert answer.json()["code"] == 20003
    assert answer.headers["www-authenticate"].startswith("Basic")


async def test_another_account_is_not_found(rehearsal: Rehearsal) -> None:
    answer = await rehearsal.rest.get(f"/2010-04-01/Accounts/AC{'0' * 32}/Queues.json")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


async def test_answers_carry_twilios_headers(rehearsal: Rehearsal) -> None:
    answer = await rehearsal.rest.get(f"/2010-04-01/Accounts/{ACCOUNT.sid}.json")
    assert answer.headers["twilio-request-id"].startswith("RQ")
    assert answer.headers["twilio-concurrent-requests"] == "1"
    assert float(answer.headers["twilio-request-duration"]) >= 0


async def test_many_callers_wait_at_once_each_at_their_own_pace(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/wait"] = "<Play>/clip.wav</Play>"
    rehearsal.product.says["/voice/incoming"] = "<Enqueue waitUrl='/voice/wait'>support</Enqueue>"
    script = {"patience_s": 45}
    legs = [
        rehearsal.network.switchboard.ring_in(f"+1415555{i:04d}", OURS, script=script) for i in range(300)
    ]
    await rehearsal.settles()
    (queue,) = rehearsal.exchange.queues.values()
    assert len(queue) == 300
    positions = [int(each.fields["QueuePosition"]) for each in rehearsal.product.all("/voice/wait")]
    assert sorted(positions) == list(range(1, 301))
    await rehearsal.passes(46)
    assert all(leg.ended for leg in legs)
    assert len(queue) == 0
    assert len(rehearsal.product.all("/voice/wait")) == 900
    assert len(rehearsal.product.all("/voice/status")) == 300
    assert rehearsal.violations == []


def test_a_recording_is_a_playable_file_of_its_length() -> None:
    assert wav_ms(silence(3)) == 3000
    assert wav_ms(wav(0.5)) == 500
    assert wav_ms(b"ID3 not a wav") is None
    assert wav_ms(b"RIFF\x00\x00\x00\x00WAVEfmt ") is None
