"""The command ``surgeline``: its verbs stand in ``processes/verbs``, one file per family.

Exit codes: 0 done, 1 failed, 2 wrongly used (an unknown option, a bad or unsafe setting).
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import typer

from foundation.errors import Mendable, SurgelineError, Unavailable
from processes.verbs import asking, keeping, running, surge

app = typer.Typer(
    name="surgeline",
    help="A support-surge contact-centre queueing engine: the line that holds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
running.add_to(app)
keeping.add_to(app)
asking.add_to(app)
surge.add_to(app)


def main() -> NoReturn:
    """Run the verb named on the command line, and exit with its code."""
    try:
        app()
    except Mendable as error:
        _say(str(error))
        sys.exit(2)
    except Unavailable as error:
        _say(f"Not answering: {error}")
        sys.exit(1)
    except SurgelineError as error:
        _say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of a pipe went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _say(f"{error.filename or 'This machine'}: {error.strerror or error}")
        sys.exit(1)
    sys.exit(0)


def _say(text: str) -> None:
    print(text, file=sys.stderr)
