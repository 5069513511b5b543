"""Verbs that start something and stay until told to stop."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from processes.verbs.keeping import estimates_export

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
PANEL = "Run"


def add_to(app: typer.Typer) -> None:
    """Hang this family's verbs on the command."""
    for verb in (demo, serve, web, worker, sweeper, scribe):
        app.command(rich_help_panel=PANEL)(verb)
    estimates = typer.Typer(no_args_is_help=True, help="How good the told waits are, on calls of the past.")
    estimates.command("export")(estimates_export)
    app.add_typer(estimates, name="estimates", rich_help_panel=PANEL)
    for group, name, verb_of_drill in (
        (app, "double", double),
        (app, "drill", drill),
        (app, "bench", bench),
        (estimates, "replay", replay),
    ):
        group.command(
            name,
            rich_help_panel=PANEL if group is app else None,
            context_settings={
                "allow_extra_args": True,
                "ignore_unknown_options": True,
                "help_option_names": [],
            },
            add_help_option=False,
        )(verb_of_drill)


def demo(
    port: Annotated[
        int, typer.Option(min=1, max=65534, help="The web page's port; phones use the next.")
    ] = 8080,
    seed: Annotated[int, typer.Option(help="The same seed rehearses the same callers.")] = 1,
    speed: Annotated[float, typer.Option(min=0.1, max=60, help="How fast the rehearsed clock runs.")] = 1.0,
    rate: Annotated[
        float | None,
        typer.Option(min=0, max=600, help="Calls a minute, at the worst; 0: nobody but you.  [24; calm: 6]"),
    ] = None,
    calm: Annotated[bool, typer.Option("--calm", help="An ordinary line, without the bad Saturday.")] = False,
    headless: Annotated[
        bool, typer.Option("--headless", help="No links: run for --for, then judge.")
    ] = False,
    for_: Annotated[str, typer.Option("--for", help="How long to run headless, as 30s or 5m.")] = "30s",
    as_json: Json = False,
    simulated: Annotated[
        bool,
        typer.Option("--simulated", help="Run even though a real TWILIO_AUTH_TOKEN is set; it is not used."),
    ] = False,
) -> None:
    """A bad Saturday on this machine: simulated callers and agents, no account, no set-up.

    After a minute a product fails, and its merchants ring all at once. You lead; a stand-in does what
    you leave undone.

    Example: surgeline demo --port 8080
    """
    from processes.demo import Wishes, run

    wishes = Wishes(port=port, seed=seed, speed=speed, rate=rate, simulated=simulated, calm=calm)
    raise typer.Exit(run(wishes, for_=for_ if headless else None, as_json=as_json))


def serve(
    listen: Annotated[str, typer.Option(help="host:port; else SURGELINE_LISTEN.")] = "",
) -> None:
    """Everything for one box, supervised: web, worker, sweeper and scribe (and an embedded Redis).

    Example: SURGELINE_PUBLIC_URL=https://phone.example.com surgeline serve --listen 0.0.0.0:8080
    """
    from processes.serve import run

    raise typer.Exit(run(listen))


def web(listen: Annotated[str, typer.Option(help="host:port; else SURGELINE_LISTEN.")] = "") -> None:
    """The front doors: Twilio's webhooks, the pages and the API.

    Example: surgeline web --listen 127.0.0.1:8080
    """
    from processes.web import run

    run(listen)


def worker() -> None:
    """Carries out effects: the calls to Twilio that follow from what happened in the line.

    Example: surgeline worker
    """
    from processes.worker import run

    run()


def sweeper() -> None:
    """Watches the deadlines: missed reservations, effects to hand out, lost and unknown calls.

    Example: surgeline sweeper
    """
    from processes.sweeper import run

    run()


def scribe() -> None:
    """Writes the line's journal down in SQL, each event exactly once.

    Example: surgeline scribe
    """
    from processes.scribe import run

    run()


def double(context: typer.Context) -> None:
    """The phone-network double alone: Twilio's wire contract without Twilio. `double --help` tells more.

    Example: surgeline double --port 8081 --hook-url http://127.0.0.1:8080 --token secret
    """
    _become("drill.double", context.args)


def drill(context: typer.Context) -> None:
    """Rehearse a bad day: a scenario on a fast clock, with and without surge mode. `drill --help` tells more.

    Example: surgeline drill upserve --html card.html
    """
    _become("drill.rehearse", context.args)


def bench(context: typer.Context) -> None:
    """Measures: `bench line` (scripts against a bare one), `bench doors`, `bench estimates`.

    Example: surgeline bench line
    """
    _become("drill.bench", context.args)


def replay(context: typer.Context) -> None:
    """Replays a call history: told, by us and the usual ways, against the waits had. `--help` tells more.

    Example: surgeline estimates replay calls.csv --agents agents.csv
    """
    _become("drill.replay", context.args)


def _become(module: str, arguments: list[str]) -> None:
    """Go on as another program. Processes may not import the drill: it stands above them."""
    from processes.parent import die_with_parent

    die_with_parent()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
