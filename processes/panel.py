"""What the demo prints: where to look, and that none of it is real."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from processes.cast import Cast

NOTICE = (
    "Simulated merchants ring in over a simulated phone network, simulated agents answer them.\n"
    "No call is real, and nothing leaves this machine."
)


def show(cast: Cast, product: str, double: str, ready_s: float, logs: Path) -> None:
    """Print the links, each on a line of its own so that it can be copied whole."""
    console = Console(highlight=False)
    title = "[bold]Surgeline demo[/] [black on yellow] SIMULATED [/]"
    console.print()
    console.print(Panel(NOTICE, title=title, title_align="left", border_style="yellow", expand=False))
    for name, url in (
        ("Your desk", cast.link("you")),
        ("Phone, to ring in", f"{double}/phone"),
        ("Callbacks owed", f"{product}/callbacks"),
        ("Wallboard", cast.wallboard()),
        ("Reports", f"{product}/reports"),
        ("Administration", f"{product}/admin"),
        ("API", f"{product}/api/docs"),
    ):
        console.print(f"  [bold]{name:<18}[/] [link={url}]{url}[/link]", soft_wrap=True)
    console.print()
    console.print(
        "  Open your desk first: its link signs you in, once, within ten minutes. Press [bold]Go available[/]"
    )
    console.print(
        "  and take a call; on the phone page be the merchant who rings, and, called back, picks up."
    )
    console.print(
        f"  Later: {product}/sign-in as [bold]you[/] (or agent, lead, supervisor, admin), "
        f"password [bold]{cast.password}[/]",
        soft_wrap=True,
    )
    console.print(f"  Ready in {ready_s:.1f} s. Logs: {logs}", style="dim", soft_wrap=True)
    console.print("  Ctrl-C ends everything.", style="dim")
