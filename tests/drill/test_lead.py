"""The lead of a drill stays at the console for longer than a session lasts."""

from __future__ import annotations

from types import SimpleNamespace

import httpx2

from drill.scenarios.written import WorkLedger
from drill.stage.desks import LEADS
from drill.stage.lead import Leads
from foundation.clock import ManualClock

PRODUCT = "http://127.0.0.1:8080"


class Console:
    """Knows a lead for so many questions after each sign-in; its ledger has one open row."""

    def __init__(self, patience: int) -> None:
        self.patience, self.left = patience, 0
        self.sign_ins = 0
        self.worked: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if not path.startswith("/api/"):
            self.sign_ins, self.left = self.sign_ins + 1, self.patience
            return httpx2.Response(200)
        if self.left <= 0:
            return httpx2.Response(401, json={"status": 401})
        self.left -= 1
        if path == "/api/v1/me":
            return httpx2.Response(200, json={"csrf": f"token {self.sign_ins}"})
        if request.method == "POST":
            assert request.headers["X-CSRF-Token"].startswith("token")
            self.worked.append(path)
        rows = [{"id": f"row{number}"} for number in range(3)] if not self.worked else []
        return httpx2.Response(200, json={"follow_ups": rows})


async def test_a_session_that_is_over_is_begun_again_and_nothing_is_left_undone():
    console, clock = Console(patience=3), ManualClock(1_700_000_000_000)
    stores = SimpleNamespace(
        settings=SimpleNamespace(secret_key="k"),
        plan=SimpleNamespace(written=SimpleNamespace(time_zone="UTC")),
    )

    class House(SimpleNamespace):
        @property
        def now_ms(self):
            return clock.now_ms()

        def client(self):
            return httpx2.AsyncClient(transport=httpx2.MockTransport(console), base_url=PRODUCT)

    class Sleepless:
        async def sleep(self, ms):
            clock.advance(ms=max(0, ms))

    house = House(stores=stores, clock=Sleepless())
    scenario = SimpleNamespace(centre={}, ms=lambda at, zone: clock.now_ms())
    step = WorkLedger(do="follow-up", at="21:15", people=1)
    leads = Leads(house, scenario)
    await leads.play([step])
    assert console.worked == [f"/api/v1/followups/row{number}" for number in range(3)]
    assert leads.counts["worked off"] == 3
    assert console.sign_ins > len(LEADS)
