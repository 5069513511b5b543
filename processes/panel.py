"""What the demo prints: where to look, and that none of it is real."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.panel import Panel

from processes.cast import Cast

if TYPE_CHECKING:
    from processes.demo import Wishes

NOTICE = (
    "Simulated merchants ring in over a simulated phone network, simulated agents answer them.\n"
    "No call is real, and nothing leaves this machine."
)


STORY = (
    (60, "Register 3 tills begin to freeze; their merchants ring all at once", ""),
    (190, "the line notices: the console suggests surge and says what rings", "/surge"),
    (270, "declare the incident in one sentence; nobody has? your stand-in does", "/surge"),
    (
        330,
        "press Surge (or your stand-in does): callers are told, and offered a text or a callback",
        "/surge",
    ),
    (660, "fixed: post it as monitoring, then verified, then resolved; the calls ebb", "/surge"),
    (900, "merchants are texted in stages and answer 1, 2 or KEEP; the rest is followed up", "/followups"),
    (1500, "the ledger closes: every caller has an end", "/followups"),
)
"""Seconds of the rehearsed clock, what happens about then, and where to look. ``drill.saturday`` plays it."""


def show(cast: Cast, wishes: Wishes, ready_s: float, logs: Path) -> None:
    """Print the links, each on a line of its own so that it can be copied whole, and what will happen."""
    console = Console(highlight=False)
    product = wishes.product
    title = "[bold]Surgeline demo[/] [black on yellow] SIMULATED [/]"
    console.print()
    console.print(Panel(NOTICE, title=title, title_align="left", border_style="yellow", expand=False))
    for name, url in (
        *((("Surge console", cast.link("you", "/surge")),) if not wishes.calm else ()),
        ("Your desk", cast.link("you") if wishes.calm else f"{product}/desk"),
        ("Phone, to ring in", f"{wishes.double}/phone"),
        ("Public status page", f"{product}/status"),
        ("Follow-ups", f"{product}/followups"),
        ("Callbacks owed", f"{product}/callbacks"),
        ("Wallboard", cast.wallboard()),
        ("Reports", f"{product}/reports"),
        ("Administration", f"{product}/admin"),
        ("API", f"{product}/api/docs"),
    ):
        console.print(f"  [bold]{name:<18}[/] [link={url}]{url}[/link]", soft_wrap=True)
    console.print()
    if wishes.calm:
        console.print(
            "  Open your desk first: its link signs you in, once, within ten minutes. Press "
            "[bold]Go available[/]\n  and take a call; on the phone page be the merchant who rings, and, "
            "called back, picks up."
        )
    else:
        console.print(
            "  Open the surge console first: its link signs you in, once, within ten minutes. You lead today."
        )
        for at_s, what, where in STORY:
            console.print(f"  {_clock(at_s / wishes.speed):>7}  {what}  [dim]{where}[/]", soft_wrap=True)
        console.print(
            "  Meanwhile take a call at the desk ([bold]Go available[/]), or be a merchant with a "
            "Register 3 on the phone."
        )
    console.print(
        f"  Later: {product}/sign-in as [bold]you[/] (or agent, lead, supervisor, admin), "
        f"password [bold]{cast.password}[/]",
        soft_wrap=True,
    )
    console.print(f"  Ready in {ready_s:.1f} s. Logs: {logs}", style="dim", soft_wrap=True)
    console.print("  Ctrl-C ends everything.", style="dim")


def _clock(seconds: float) -> str:
    """Minutes and seconds from now: 5:30."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
