"""Every Redis key of the line, in one place.

All carry the centre's hash tag, so a script's keys lie in one slot of a cluster.

========================  ======  ================================================================
``…:book``                hash    one packed page per contact (``CA…``), per agent (``@login``), per
                                  hold-loop question (``?CA…``), per kept place (``~caller key``), and
                                  the arrival clock (``#``): a move reads once and writes once
``…:agents``              set     the logins that have a page
``…:waiting:<queue>``     zset    contact, by score: arrival in microseconds less the band's head start
``…:idle``                zset    ``<queue> <time> <agent>`` for each queue of each idle agent, in the order
                                  of these names: the time is idle since (ms) plus the handicap there
``…:due``                 zset    contacts that ended or were passed on, and kept places, by the time
                                  (ms) when ``expire`` looks at them
``…:journal``             stream  every move, in order
``…:pulse``               string  live figures, as JSON
``…:away:<contact>``      string  how a call that never joined the line ended, is on record
========================  ======  ================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from foundation.lua import Script
from queueing.policy import LinePolicy, Queue


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one centre; ``waiting`` in the order of its queues."""

    book: str
    agents: str
    due: str
    journal: str
    pulse: str
    idle: str
    waiting: tuple[str, ...]

    @classmethod
    def of(cls, policy: LinePolicy) -> Keys:
        tag = f"surgeline:{{{policy.centre}}}"
        return cls(
            book=f"{tag}:book",
            agents=f"{tag}:agents",
            due=f"{tag}:due",
            journal=f"{tag}:journal",
            pulse=f"{tag}:pulse",
            idle=f"{tag}:idle",
            waiting=tuple(f"{tag}:waiting:{queue.name}" for queue in policy.queues),
        )

    def away(self, contact: str) -> str:
        return f"{self.book.removesuffix('book')}away:{contact}"


def standing(script: Script, policy: LinePolicy, keys: Keys) -> dict[str, Any]:
    """What a script is given at every call: its keys, and the arguments named as the policy's rules are.

    A key that depends on the call (one queue of several) has a name of its own and is left to the caller.
    """
    given: dict[str, str | int | Sequence[str]] = {
        name: getattr(keys, name) for name in script.keys if hasattr(keys, name)
    }
    given |= {group: getattr(keys, group) for group in script.groups}
    given |= {arg: getattr(policy, arg) for arg in script.args if hasattr(policy, arg)}
    return given


def entering(keys: Keys, policy: LinePolicy, queue: Queue) -> dict[str, Any]:
    """What ``enter`` is given beside, for this queue."""
    here = keys.waiting[policy.queues.index(queue)]
    return {"queue": queue.name, "here": here, "max_waiting": queue.max_waiting}
