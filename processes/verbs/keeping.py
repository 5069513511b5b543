"""Verbs that keep the books: tables, accounts, merchants, the roster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from processes.verbs.telling import Json, tell

if TYPE_CHECKING:
    from dashboard.accounts import Accounts

T = TypeVar("T")
PANEL = "Keep"
DAY = ["%Y-%m-%d"]


def add_to(app: typer.Typer) -> None:
    """Hang this family's verbs on the command."""
    app.command(rich_help_panel=PANEL)(migrate)
    users = typer.Typer(no_args_is_help=True, help="Who may sign in.")
    users.command("add")(users_add)
    users.command("list")(users_list)
    users.command("password")(users_password)
    users.command("deactivate")(users_deactivate)
    app.add_typer(users, name="users", rich_help_panel=PANEL)
    merchants = typer.Typer(no_args_is_help=True, help="Who rings.")
    merchants.callback()(lambda: None)  # a group, though it has one verb so far
    merchants.command("import")(merchants_import)
    app.add_typer(merchants, name="merchants", rich_help_panel=PANEL)
    roster = typer.Typer(no_args_is_help=True, help="Who is planned to be at work.")
    roster.command("import")(roster_import)
    roster.command("show")(roster_show)
    roster.command("clear")(roster_clear)
    app.add_typer(roster, name="roster", rich_help_panel=PANEL)


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the tables are up to date.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Brings the database's tables up to date. `serve` does so by itself for SQLite only.

    Example: DATABASE_URL=postgresql://surgeline@db/surgeline surgeline migrate
    """
    from processes import migrating
    from processes.settings import masked_url, read

    url = read().settings.database
    before = migrating.current(url)
    after = before if check else migrating.upgrade(url)[1]
    done = after == migrating.head()
    place = masked_url(url)
    text = {
        (True, True): f"✓ {place} is up to date (step {after}).",
        (True, False): f"✓ {place} went from step {before or 'none'} to {after}.",
        (False, True): f"■ {place} stands at step {before or 'none'}: run `surgeline migrate`.",
    }[done, before == after]
    tell(as_json, {"before": before, "after": after, "head": migrating.head(), "up_to_date": done}, text)
    raise typer.Exit(0 if done else 1)


Login = Annotated[str, typer.Argument(help="The login, as ann or ann.lee.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def users_add(
    login: Login,
    name: Annotated[str, typer.Option(help="As colleagues see it; else the login.")] = "",
    role: Annotated[str, typer.Option(help="agent, lead, supervisor or admin.")] = "agent",
    queue: Annotated[
        list[str] | None,
        typer.Option(help="A queue to serve, as support, or support:30 for 30 s of handicap."),
    ] = None,
    phone: Annotated[str, typer.Option(help="Ring this number instead of the softphone.")] = "",
    password_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """Adds an account. Without --password-stdin a password is made up and printed once.

    Example: surgeline users add ann --name "Ann Lee" --role agent --queue support --queue payments
    """
    from carrier.numbers import normalise

    skills = _skills(queue or [])
    password, made_up = _password(password_stdin)
    number = normalise(phone) if phone else ""
    account = _with_accounts(
        lambda accounts: accounts.add(
            agent=login, name=name, role=role, password=password, phone=number, skills=skills
        )
    )
    answer = {"agent": account.agent, "role": account.role, "skills": skills}
    text = f"✓ {account.agent} ({account.role}) may sign in."
    if made_up:
        answer["password"] = password
        text += f"\n  Password: {password}   (shown once)"
    tell(as_json, answer, text)


def users_list(as_json: Json = False) -> None:
    """Everybody who has an account.

    Example: surgeline users list
    """
    accounts = _with_accounts(lambda accounts: accounts.all())
    listed = [
        {
            "agent": account.agent,
            "name": account.name,
            "role": account.role,
            "queues": dict(account.skills),
            "active": account.active,
        }
        for account in accounts
    ]
    lines = [
        f"{account.agent:<16} {account.role:<11} {account.name:<24} "
        f"{' '.join(account.skills) or '–':<30} {'' if account.active else 'inactive'}".rstrip()
        for account in accounts
    ]
    tell(
        as_json,
        {"accounts": listed},
        "\n".join(lines) or "Nobody yet: surgeline users add LOGIN --role admin",
    )


def users_password(login: Login, password_stdin: FromStdin = False, as_json: Json = False) -> None:
    """Gives an account another password; whoever is signed in with the old one is signed out.

    Example: surgeline users password ann
    """
    password, made_up = _password(password_stdin)
    _with_accounts(lambda accounts: accounts.change(login, password=password))
    answer = {"agent": login, **({"password": password} if made_up else {})}
    tell(
        as_json,
        answer,
        f"✓ {login} has a new password" + (f": {password}   (shown once)" if made_up else "."),
    )


def users_deactivate(login: Login, as_json: Json = False) -> None:
    """Shuts an account; its history stays.

    Example: surgeline users deactivate ann
    """
    _with_accounts(lambda accounts: accounts.change(login, active=False))
    tell(as_json, {"agent": login, "active": False}, f"✓ {login} can no longer sign in.")


def merchants_import(
    file: Annotated[Path, typer.Argument(help="CSV: name, tier, numbers, locations, product, language.")],
    as_json: Json = False,
) -> None:
    """Takes in a merchants file: all of it, or, when a line is bad, nothing.

    Example: surgeline merchants import merchants.csv
    """
    import asyncio
    from dataclasses import asdict

    from processes.books import import_merchants
    from processes.settings import read

    report = asyncio.run(import_merchants(read().settings, _content(file)))
    text = (
        f"✓ {report.added} merchants added, {report.updated} updated; "
        f"they have {report.numbers} numbers and {report.locations} locations."
    )
    tell(as_json, asdict(report), text)


def roster_import(
    file: Annotated[Path, typer.Argument(help="CSV: day, from, to, agents; queue where planned apart.")],
    as_json: Json = False,
) -> None:
    """Takes in a roster in place of the one there was: all of it, or, when a line is bad, nothing.

    Example: surgeline roster import roster.csv
    """
    import asyncio

    from processes.books import import_roster
    from processes.settings import read

    shifts, gone = asyncio.run(import_roster(read().settings, _content(file)))
    answer = {"shifts": len(shifts), "replaced": gone, "days": list(dict.fromkeys(s.day for s in shifts))}
    text = f"✓ {len(shifts)} shifts are in the roster" + (f", in place of {gone}." if gone else ".")
    tell(as_json, answer, f"{text}\n  Announced waits reckon with them within a minute; see /staffing.")


def roster_show(as_json: Json = False) -> None:
    """The roster, as a file that `roster import` takes.

    Example: surgeline roster show > roster.csv
    """
    import asyncio
    from dataclasses import asdict

    from processes.books import roster_of
    from processes.settings import read
    from queueing.shifts import COLUMNS

    found = asyncio.run(roster_of(read().settings))
    rows = [",".join(cells) for cells in (COLUMNS, *(shift.cells for shift in found))]
    tell(as_json, {"shifts": [asdict(shift) for shift in found]}, "\n".join(rows))


def roster_clear(as_json: Json = False) -> None:
    """Forgets the roster: waits are told from who is in now.

    Example: surgeline roster clear
    """
    import asyncio

    from processes.books import clear_roster
    from processes.settings import read

    gone = asyncio.run(clear_roster(read().settings))
    tell(as_json, {"removed": gone}, f"✓ {gone} shifts removed." if gone else "There was no roster.")


def estimates_export(
    calls: Annotated[Path, typer.Argument(help="Where to write the calls, as CSV.")],
    agents: Annotated[Path | None, typer.Option(help="Where to write who was in, as CSV.")] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=DAY, help="The first day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="The last day.")] = None,
    as_json: Json = False,
) -> None:
    """Writes our own calls as a history for `estimates replay`: no numbers, no names.

    Example: surgeline estimates export calls.csv --agents agents.csv --from 2026-03-01 --to 2026-03-31
    """
    import asyncio
    from dataclasses import asdict

    from processes.centre import read_centre
    from processes.exporting import export
    from processes.settings import read

    settings = read().settings
    days = (first.date() if first else None, last.date() if last else None)
    done = asyncio.run(export(settings, calls, agents, *days))
    zone = read_centre(settings.surgeline_centre).written.time_zone
    words = f"surgeline estimates replay {calls}{f' --agents {agents}' if agents else ''} --time-zone {zone}"
    text = f"✓ {done.calls} calls and {done.callbacks} callbacks are in {calls}.\n  Now: {words}"
    tell(as_json, asdict(done), text)


def _content(file: Path) -> bytes:
    """Raises Mendable when it cannot be read."""
    from foundation.errors import Mendable

    try:
        return file.read_bytes()
    except OSError as error:
        raise Mendable(f"{file} cannot be read ({error.strerror}).") from None


def _with_accounts(work: Callable[[Accounts], Awaitable[T]]) -> T:
    """Run ``work`` on the accounts of the configured database."""
    import asyncio

    from processes.books import accounts_of
    from processes.settings import read

    async def run() -> T:
        async with accounts_of(read().settings) as accounts:
            return await work(accounts)

    return asyncio.run(run())


def _skills(queues: list[str]) -> dict[str, int]:
    """Queue to handicap in ms. Raises Mendable for a queue the centre does not have, or a bad handicap."""
    from foundation.errors import Mendable
    from processes.centre import read_centre
    from processes.settings import read

    policy = read_centre(read().settings.surgeline_centre).policy
    skills = {}
    for told in queues:
        name, _, handicap = told.partition(":")
        if not (handicap or "0").isdigit():
            raise Mendable(f"--queue {told}: the handicap is whole seconds, as in support:30.")
        skills[policy.queue(name).name] = int(handicap or 0) * 1000
    return skills


def _password(from_stdin: bool) -> tuple[str, bool]:
    """The password, and whether it was made up here."""
    import secrets
    import sys

    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    return secrets.token_urlsafe(12), True
