"""``python -m drill.double``: the phone-network double as a process of its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import structlog

from drill.network.app import OUR_NUMBER, network, serve
from drill.network.exchange import Account
from foundation.clock import Clock, FastClock, ManualClock, SystemClock
from foundation.errors import Mendable

ACCOUNT_SID = "AC" + "0" * 31 + "1"
KEY_SID = "SK" + "0" * 31 + "1"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until stopped. 0, or 2 when what was asked for makes no sense."""
    given = _arguments().parse_args(argv)
    _log_as_json()
    clock: Clock = SystemClock()
    if given.manual_clock:
        clock = ManualClock(clock.now_ms())
    elif given.speed != 1:
        clock = FastClock(given.speed, given.origin_ms or clock.now_ms())
    account = Account(given.account_sid, given.token, given.key_sid, given.key_secret, given.app_sid)
    try:
        app = network(
            clock,
            given.hook_url,
            account,
            numbers=tuple(given.number or [OUR_NUMBER]),
            calls_per_second=given.calls_per_second,
            strict=not given.lenient,
            base_url=f"http://{given.host}:{given.port}",
            wall=clock if given.manual_clock else SystemClock(),
            allow_remote=given.allow_remote,
        )
        serve(app, given.port, given.host, allow_remote=given.allow_remote)
    except Mendable as fault:
        print(fault, file=sys.stderr)
        return 2
    return 0


def _log_as_json() -> None:
    """Beside other processes a line of log is for programs; on a terminal it is for people."""
    if not sys.stdout.isatty():
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            logger_factory=structlog.PrintLoggerFactory(),
        )


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="surgeline double", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=8081)
    add("--host", default="127.0.0.1")
    add("--hook-url", required=True, help="the product's public URL")
    add("--token", required=True, help="the auth token that signs webhooks")
    add("--account-sid", default=ACCOUNT_SID)
    add("--key-sid", default=KEY_SID, help="the API key that signs softphones' tokens")
    add("--key-secret", default="", help="its secret; softphones cannot connect without")
    add("--app-sid", default="", help="the TwiML App's SID; any will do when not given")
    add("--number", action="append", help=f"a number of the account (default {OUR_NUMBER}); repeatable")
    add("--calls-per-second", type=float, default=1.0)
    add("--speed", type=float, default=1.0, help="run the clock so many times as fast")
    add("--origin-ms", type=int, default=0, help="where a fast clock starts, to share it with others")
    add("--manual-clock", action="store_true", help="time passes only by POST /_double/clock")
    add("--lenient", action="store_true", help="go on after a schema breach, as Twilio does; still recorded")
    add("--allow-remote", action="store_true", help="listen and ask beyond this machine")
    return parser


if __name__ == "__main__":
    sys.exit(main())
