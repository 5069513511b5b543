"""``python -m drill.arm``: one run of a scenario in a process of its own.

It is told by one JSON object on its standard input, and tells by JSON lines on its standard output: how far
it is, and at the end its card. Two of them use two cores.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

import structlog

from drill.policies import Rules
from drill.scenarios.written import understood
from drill.scorecard import card
from drill.stage.play import Played, Progress, play
from drill.stage.profile import Profile
from drill.stage.record import facts
from foundation.errors import SurgelineError

FAULTS = (
    {"on": "webhook", "kind": "duplicate", "match": "/voice/|/sms/", "share": 0.02},
    {"on": "webhook", "kind": "reorder", "match": "/voice/(status|conference|agent/status)", "share": 0.05},
    {"on": "webhook", "kind": "lose_answer", "match": "/voice/(wait|menu)", "share": 0.005},
    {
        "on": "webhook",
        "kind": "delay",
        "match": "/voice/(status|conference)",
        "share": 0.05,
        "ms": [200, 4_000],
    },
    {"on": "rest", "kind": "busy", "share": 0.01},
    {"on": "rest", "kind": "lose_answer", "share": 0.01},
)
"""The network's mischief under ``--faults``: doubled, late, out of order, lost, refused."""


def main() -> int:
    """0, or 1 with the reason as the last line when it could not be played."""
    told = json.load(sys.stdin)
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(30 if told.get("verbose") else 50),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )  # fmt: skip
    try:
        scenario = understood(told["scenario"], told["named"])
        mischief = {"seed": told["seed"], "rules": list(FAULTS)} if told["faults"] else None
        profile = Profile() if told.get("profile") else None
        if profile is not None:
            profile.start()
        result = play(scenario, Rules(**told["rules"]), told["seed"], _progress, _judged, mischief)
    except SurgelineError as error:
        _say({"failed": f"{type(error).__name__}: {error}"})
        return 1
    if profile is not None:
        profile.stop()
        result["profile"] = profile.shares()
    _say({"done": result})
    return 0


async def _judged(played: Played) -> dict[str, Any]:
    script = [{"at_ms": at_ms, "words": words} for at_ms, words in played.leads.done]
    return {
        "card": card(await facts(played)) | {"script": script},
        "errors": {name: count for name, count in sorted(played.backstage.counts.items())
                   if count and name.endswith(("_errors", "_away"))},
        "day_s": round(played.day_s, 1),
        "real_s": round(played.real_s, 1),
        "cpu_s": round(played.cpu_s, 1),
    }  # fmt: skip


def _progress(progress: Progress) -> None:
    _say({"progress": asdict(progress)})


def _say(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    sys.exit(main())
