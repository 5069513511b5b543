"""Who plays in the demo: the accounts of simulated agents and of the person at the keyboard."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from dashboard.sessions import screen_link, sign_in_link
from foundation.clock import SystemClock
from foundation.passwords import hashed
from processes.books import books, import_merchants
from processes.settings import Settings
from queueing.tables import AgentAccount

YOURS = {"you": "admin", "agent": "agent", "lead": "lead", "supervisor": "supervisor", "admin": "admin"}
"""The accounts for the person at the keyboard: "you" may do everything, the others show what a role sees."""


PARTS = {"standin": "lead", "clerk1": "clerk", "clerk2": "clerk", "clerk3": "clerk", "clerk4": "clerk"}
"""Login to part, on a bad day: who does what you leave undone, and who follows up (``drill.desks``)."""
NAMES = {"standin": "Your stand-in"} | {f"clerk{n}": f"Follow-up {n}" for n in range(1, 5)}


@dataclass(frozen=True, slots=True)
class Cast:
    """Logins, and the one password they share: the demo is on loopback only and forgotten afterwards."""

    agents: tuple[str, ...]
    password: str
    settings: Settings
    parts: dict[str, str]
    """Those who work beside the agents."""

    def link(self, agent: str, page: str = "/desk") -> str:
        """Signs in once, within ten minutes, and leads to ``page``."""
        now_ms = SystemClock().now_ms()
        link = sign_in_link(self.settings.secret_key, self.settings.surgeline_public_url, agent, now_ms)
        return f"{link}?next={page}"

    def wallboard(self) -> str:
        return screen_link(self.settings.secret_key, self.settings.surgeline_public_url)

    def hand_out(self, path: Path) -> None:
        """Tell the simulated people, and nobody else, how they sign in."""
        told = [
            {"agent": agent, "link": self.link(agent), "password": self.password, "part": part}
            for agent, part in (dict.fromkeys(self.agents, "agent") | self.parts).items()
        ]
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(told, file)


async def engage(
    settings: Settings, agents: int, queues: list[str], merchants: bytes, *, bad_day: bool
) -> Cast:
    """Fill the demo's empty database: merchants, ``agents`` simulated agents, and the person's accounts.

    Every agent serves all ``queues``; each third is a little slower to be asked for the last of them.
    """
    await import_merchants(settings, merchants)
    parts = PARTS if bad_day else {}
    names = tuple(f"agent{number:02}" for number in range(1, agents + 1))
    password = secrets.token_urlsafe(9)
    password_hash = await hashed(password)
    rows = [
        AgentAccount(
            agent=name,
            name=f"Agent {number}",
            role="agent",
            password_hash=password_hash,
            skills=_skills(number, queues),
            phone="",
            active=True,
        )
        for number, name in enumerate(names, 1)
    ]
    rows += [
        AgentAccount(
            agent=login,
            name=NAMES.get(login) or login.capitalize(),
            role=role,
            password_hash=password_hash,
            skills=dict.fromkeys(queues, 0),
            phone="",
            active=True,
        )
        for login, role in (YOURS | dict.fromkeys(parts, "lead")).items()
    ]
    async with books(settings) as sql, sql.session() as session:
        session.add_all(rows)
    return Cast(names, password, settings, parts)


def _skills(number: int, queues: list[str]) -> dict[str, int]:
    handicap_ms = 30_000 if number % 3 == 0 else 0
    return {queue: handicap_ms if queue == queues[-1] else 0 for queue in queues}
