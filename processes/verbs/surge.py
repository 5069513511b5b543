"""Verbs for the hour itself: the surge level, seen and switched, with what still answers.

The doors do not follow the level in this version: it is shown to staff, and no caller is turned away by it.
"""

from __future__ import annotations

import asyncio
import getpass
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from processes.verbs.telling import Json, tell

if TYPE_CHECKING:
    from surge.directive import Directive
    from surge.office import Watch
    from surge.states import Level

PANEL = "Surge"
WITHIN_S = 5.0
_LENGTH = re.compile(r"([1-9][0-9]{0,4})(s|m|h)")
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000}

LevelName = Annotated[str, typer.Option("--level", help="watch or surge. Closing takes two people: /surge.")]
For = Annotated[str, typer.Option("--for", help="How long it holds, as 90m or 2h; else the centre's time.")]
Reason = Annotated[str, typer.Option("--reason", help="For the timeline.")]


WHERE = {
    "sql": "Written in SQL, and told to every door.",
    "redis": "SQL does not answer: told to every door by Redis, and noted down for SQL.",
    "file": "Neither SQL nor Redis answers: kept in this machine's data directory. The doors of this machine "
    "follow it; it is brought into SQL when that answers.",
}


def add_to(app: typer.Typer) -> None:
    """Hang this family's verbs on the command."""
    surge = typer.Typer(no_args_is_help=True, help="The surge level: look, switch on, switch off.")
    surge.command("status")(surge_status)
    surge.command("on")(surge_on)
    surge.command("off")(surge_off)
    surge.command("pin")(surge_pin)
    app.add_typer(surge, name="surge", rich_help_panel=PANEL)


def surge_status(as_json: Json = False) -> None:
    """What the doors are told now, and where that is known from. Exit code 1 when no store answers.

    Example: surgeline surge status --json
    """
    directive, where, now_ms = asyncio.run(_with_watch(_look))
    answer = _answer(directive, now_ms) | {"from": where}
    told = {"redis": "", "file": "\n▲ Redis does not answer: this is the copy on this machine."}
    none = "\n▲ No store answers, and there is no copy on this machine."
    tell(as_json, answer, _words(directive, now_ms) + told.get(where, none))
    raise typer.Exit(1 if where != "redis" else 0)


def surge_on(level: LevelName = "surge", for_: For = "", reason: Reason = "", as_json: Json = False) -> None:
    """Switches the level on, whatever else is down, and says what it did.

    Example: surgeline surge on --for 60m --reason "card payments are down"
    """
    from foundation.errors import Mendable
    from surge.states import Level

    levels = {"watch": Level.WATCH, "surge": Level.SURGE}
    if level not in levels:
        raise Mendable("--level is watch or surge. Closing the line takes two people: use /surge.")
    _switch(levels[level], length_ms(for_), reason, as_json)


def surge_off(reason: Reason = "", as_json: Json = False) -> None:
    """Back to calm, whatever else is down, and says what it did.

    Example: surgeline surge off --reason "fixed"
    """
    from surge.states import Level

    _switch(Level.CALM, None, reason, as_json)


def surge_pin() -> None:
    """Asks for a PIN and prints its hash, for SURGELINE_TOGGLE_PIN_HASH: with it, the numbers in
    `toggle_numbers` switch the level by phone.

    Example: surgeline surge pin
    """
    from foundation.errors import Mendable
    from foundation.passwords import hashed
    from ivr.toggling import PIN

    pin = typer.prompt("PIN, 6 to 12 digits", hide_input=True, confirmation_prompt=True, err=True)
    if not PIN.fullmatch(pin):
        raise Mendable("A PIN is 6 to 12 digits.")
    typer.echo(f"SURGELINE_TOGGLE_PIN_HASH='{asyncio.run(hashed(pin))}'")


def length_ms(text: str) -> int | None:
    """``90m`` in milliseconds; None for "". Raises Mendable."""
    from foundation.errors import Mendable
    from surge.switch import LONGEST_MS, SHORTEST_MS

    if not text:
        return None
    found = _LENGTH.fullmatch(text)
    if found is None or not SHORTEST_MS <= int(found[1]) * _UNITS_MS[found[2]] <= LONGEST_MS:
        raise Mendable("--for is one minute to 24 hours, written as 90m or 2h.")
    return int(found[1]) * _UNITS_MS[found[2]]


def _switch(level: Level, for_ms: int | None, reason: str, as_json: bool) -> None:
    async def act(watch: Watch) -> tuple[Directive, str, int]:
        from surge import aside

        now_ms = watch.clock.now_ms()
        done = await aside.switch_anyhow(
            watch, level, _login(), now_ms, within_s=WITHIN_S, reason=reason, for_ms=for_ms
        )
        return *done, now_ms

    directive, where, now_ms = asyncio.run(_with_watch(act))
    answer = _answer(directive, now_ms) | {"written": where}
    tell(as_json, answer, f"{_words(directive, now_ms)}\n{WHERE[where]}")


async def _look(watch: Watch) -> tuple[Directive, str, int]:
    from foundation.errors import Unavailable
    from surge import board
    from surge.directive import Directive

    now_ms = watch.clock.now_ms()
    copy = board.copy_of(watch.data_dir)
    try:
        told = await board.read(watch.redis, watch.centre)
    except Unavailable:
        return copy or Directive(), "file" if copy else "nowhere", now_ms
    return told or copy or Directive(), "redis", now_ms


async def _with_watch(act: Callable[[Watch], Awaitable[Any]]) -> Any:
    from foundation.errors import Mendable
    from processes.opening import opened
    from processes.settings import read
    from processes.starting import redis_url

    settings = read().settings
    try:
        redis_url(settings)
    except Mendable:  # no Redis runs here: it is away, like any store may be
        nowhere = (settings.surgeline_data_dir / "redis" / "away.sock").resolve()
        settings = settings.model_copy(update={"redis_url": f"unix://{nowhere}"})
    async with opened(settings) as stores:
        return await act(stores.watch)


def _login() -> str:
    try:
        return f"cli:{getpass.getuser()}"[:64]
    except (KeyError, OSError):
        return "cli"


def _answer(directive: Directive, now_ms: int) -> dict[str, Any]:
    return {
        "level": directive.level_at(now_ms).name.lower(),
        "since_ms": directive.since_ms,
        "expires_ms": directive.expires_ms,
        "dry_run": directive.dry_run,
        "would": directive.would,
        "told_ms": directive.at_ms,
        "incidents": [
            {"id": each.id, "title": each.title, "state": each.state, "version": each.version}
            for each in directive.incidents
        ],
    }


def _words(directive: Directive, now_ms: int) -> str:
    level = directive.level_at(now_ms)
    mark, name = "◆" if level else "✓", level.name.lower().replace("_", " ")
    left_min = -(-(directive.expires_ms - now_ms) // 60_000) if level and directive.expires_ms else 0
    ends = f", for {left_min} min more" if left_min else ""
    dry = " (dry run: nobody is turned away" if directive.dry_run else ""
    dry += f"; {directive.would:,} calls would have been)" if dry else ""
    lines = [f"{mark} The level is {name}{ends}{dry}."]
    lines += [f"  {each.id} {each.title}: {each.state}" for each in directive.incidents]
    return "\n".join(lines)
