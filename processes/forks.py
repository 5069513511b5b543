"""A program of ours as a fork of its parent: what the parent has imported need not be imported again.

Python's imports are most of what a program costs to start. A parent that has no thread and no event loop yet
may fork; once it has, programs are started anew by ``subprocess``.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, Protocol

from foundation.errors import Mendable


class Running(Protocol):
    """A child process: ``subprocess.Popen``, or ``Fork``."""

    pid: int

    def wait(self) -> int:
        """Wait for its end; its exit code, or minus the signal that ended it."""
        ...

    def send_signal(self, which: signal.Signals, /) -> None:
        """Harmless once it has ended."""
        ...


class Fork:
    """A fork that runs ``main`` and ends with its exit code: 0, 2 for wrong settings, 1 for another error."""

    def __init__(self, main: Callable[[], None], environ: Mapping[str, str], log_file: Path | None) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._code: int | None = None
        self._waiting = threading.Lock()
        self.pid = os.fork()
        if self.pid == 0:
            _live(main, environ, log_file)

    def wait(self) -> int:
        with self._waiting:
            if self._code is None:
                _, status = os.waitpid(self.pid, 0)
                self._code = os.waitstatus_to_exitcode(status)
            return self._code

    def send_signal(self, which: signal.Signals, /) -> None:
        if self._code is None:
            os.kill(self.pid, which)


def _live(main: Callable[[], None], environ: Mapping[str, str], log_file: Path | None) -> NoReturn:
    """The child's life. It never returns into the parent's code."""
    code = 1
    try:
        os.setpgid(0, 0)  # Ctrl-C reaches the parent only: it ends its children in order
        _settle(log_file)
        os.environ.clear()
        os.environ.update(environ)
        random.seed()
        main()
        code = 0
    except Mendable as error:
        print(error, file=sys.stderr)
        code = 2
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:  # whatever it is, it ends here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _settle(log_file: Path | None) -> None:
    """Nothing of the parent's is held open: not its locks, not its terminal's input."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    if log_file is not None:
        log = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
    os.closerange(3, 1024)
