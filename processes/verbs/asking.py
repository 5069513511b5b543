"""Verbs that look, and say what to mend: config, doctor, provision."""

from __future__ import annotations

from typing import Annotated

import typer

from processes.verbs.telling import Json, tell

PANEL = "Set up"


def add_to(app: typer.Typer) -> None:
    """Hang this family's verbs on the command."""
    config = typer.Typer(no_args_is_help=True, help="What the settings are, and whether they are usable.")
    config.command("check")(config_check)
    config.command("show")(config_show)
    app.add_typer(config, name="config", rich_help_panel=PANEL)
    app.command(rich_help_panel=PANEL)(doctor)
    app.command(rich_help_panel=PANEL)(provision)


def config_check(as_json: Json = False) -> None:
    """Whether the settings and the centre's file are usable and safe. Exit code 2 when they are not.

    Example: surgeline config check
    """
    from foundation.errors import Mendable
    from processes.centre import read_centre
    from processes.settings import read, strangers

    faults: list[str] = []
    warnings = strangers()
    try:
        settings = read().settings
        settings.refuse_unsafe()
    except Mendable as error:
        faults.append(str(error))
    try:
        read_centre(read().settings.surgeline_centre)
    except Mendable as error:
        faults += [str(error)] if str(error) not in faults else []
    text = "\n".join([*(f"▲ {warning}" for warning in warnings), *(f"■ {fault}" for fault in faults)])
    good = "✓ The settings are usable and safe."
    tell(
        as_json,
        {"ok": not faults, "faults": faults, "warnings": warnings},
        text if faults else f"{text}\n{good}".strip(),
    )
    raise typer.Exit(2 if faults else 0)


def config_show(as_json: Json = False) -> None:
    """Every setting, its value (secrets masked) and where it came from.

    Example: surgeline config show --json
    """
    from rich.console import Console
    from rich.table import Table

    from processes.settings import read

    shown = read().shown()
    if as_json:
        tell(True, {name: {"value": value, "from": source} for name, value, source in shown}, "")
        return
    table = Table(box=None, header_style="bold")
    for column in ("setting", "value", "from"):
        table.add_column(column, overflow="fold")
    for name, value, source in shown:
        table.add_row(name, value or "–", source, style="dim" if source == "default" else "")
    Console().print(table)


def doctor(as_json: Json = False) -> None:
    """Checks every dependency and the Twilio set-up, and says what to mend. Exit code 1 when one is red.

    Example: surgeline doctor
    """
    import asyncio

    from processes.doctor import Verdict, examine

    findings = asyncio.run(examine())
    answer = {
        "ok": all(f.verdict is not Verdict.RED for f in findings),
        "checks": [f.shown() for f in findings],
    }
    tell(as_json, answer, "\n".join(f.line() for f in findings))
    raise typer.Exit(0 if answer["ok"] else 1)


def provision(
    number: Annotated[
        str, typer.Argument(help="The number, as +14155550100; else TWILIO_NUMBER; else all.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Put back what the last provision replaced.")] = False,
    as_json: Json = False,
) -> None:
    """Points the Twilio numbers' voice, fallback and status URLs here, and keeps what was there before.

    Example: surgeline provision --dry-run
    """
    import asyncio

    from processes.provision import point, put_back

    changes = asyncio.run(put_back(dry_run=dry_run) if undo else point(number, dry_run=dry_run))
    answer = {"dry_run": dry_run, "changes": [change.shown() for change in changes]}
    text = "\n".join(change.line() for change in changes) or "Nothing to change."
    tell(
        as_json, answer, text + ("\nNothing was changed: this was a dry run." if dry_run and changes else "")
    )
