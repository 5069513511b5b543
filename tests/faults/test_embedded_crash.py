"""The owner of the embedded server is killed, or the server is: nothing it was told is lost."""

import os
import re
import select
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from foundation import embedded
from foundation.embedded import EmbeddedServer, find_server
from foundation.errors import Mendable

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="watches processes as Linux does"),
]

OWNER = """
import sys
from pathlib import Path
from redis import Redis
from foundation.embedded import EmbeddedServer, find_server
url = EmbeddedServer(Path(sys.argv[1]), find_server()).start()
redis = Redis.from_url(url)
redis.set("promise", "kept")
print(redis.info("server")["process_id"], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "redis"


@contextmanager
def owner_of(folder):
    """Another process that owns the folder's server, and that server's process number."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield owner, int(owner.stdout.readline())
    finally:
        owner.kill()
        owner.wait(10)
        owner.stdin.close()
        owner.stdout.close()


@contextmanager
def watching(pid):
    """Gives a question: did the process end within 10 s?"""
    handle = os.pidfd_open(pid)
    try:
        yield lambda: bool(select.select([handle], [], [], 10)[0])
    finally:
        os.close(handle)


@contextmanager
def running(folder):
    server = EmbeddedServer(folder, find_server())
    redis = Redis.from_url(server.start(), decode_responses=True, socket_timeout=5)
    try:
        yield server, redis
    finally:
        redis.close()
        server.stop()


@contextmanager
def orphan(folder):
    """A server of this folder whose owner did not take it along, as on macOS."""
    folder.mkdir(mode=0o700)
    there = EmbeddedServer(folder, find_server())
    server = subprocess.Popen(there._command(), stdout=subprocess.DEVNULL)
    for _ in range(1000):
        if embedded._ask(there.socket_path, "PING") == b"PONG":
            break
        select.select([], [], [], 0.005)
    try:
        yield server
    finally:
        server.send_signal(signal.SIGCONT)
        server.kill()
        server.wait(10)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_owner_takes_the_server_along_and_the_data_stay(folder, how):
    with owner_of(folder) as (owner, pid), watching(pid) as ended:
        owner.send_signal(how)
        assert ended()
    with running(folder) as (server, redis):
        assert not server.adopted
        assert redis.get("promise") == "kept"


def test_the_next_owner_need_not_wait(folder):
    """The old server is still on its way out when the new owner starts: never two on one file."""
    with owner_of(folder) as (owner, pid):
        owner.kill()
        owner.wait(10)
        with running(folder) as (server, redis):
            assert not server.adopted
            assert redis.info("server")["process_id"] != pid
            assert redis.get("promise") == "kept"


def test_another_process_is_refused_while_the_owner_lives(folder):
    with owner_of(folder) as (owner, _):
        with pytest.raises(Mendable, match=rf"in use by another Surgeline \(process {owner.pid}\)"):
            EmbeddedServer(folder, find_server()).start()
        assert owner.poll() is None


def test_ctrl_c_in_the_terminal_is_not_for_the_server(folder):
    with running(folder) as (server, _):
        assert os.getpgid(server._child.pid) != os.getpgid(0)


def test_a_server_left_behind_is_adopted_and_stopped_in_the_end(folder, monkeypatch):
    monkeypatch.setattr(embedded, "LEAVING_S", 0.1)
    with orphan(folder) as left:
        embedded_server = EmbeddedServer(folder, find_server())
        redis = Redis.from_url(embedded_server.start(), socket_timeout=5)
        assert embedded_server.adopted
        assert embedded_server.running()
        assert redis.info("server")["process_id"] == left.pid
        redis.set("promise", "kept")
        redis.close()
        embedded_server.stop()
        left.wait(10)
        assert not embedded_server.running()
    with running(folder) as (server, redis):
        assert not server.adopted
        assert redis.get("promise") == "kept"


def test_a_server_left_behind_that_keeps_silent_is_never_doubled(folder):
    with orphan(folder) as left:
        left.send_signal(signal.SIGSTOP)
        server = EmbeddedServer(folder, find_server())
        with pytest.raises(Mendable, match="does not answer"):
            server.start()


def test_a_killed_server_is_noticed_and_started_again_with_all_it_acknowledged(folder):
    with running(folder) as (server, redis):
        pid = redis.info("server")["process_id"]
        acknowledged = 0
        with watching(pid) as ended:
            try:
                while True:
                    acknowledged = redis.incr("count")
                    if acknowledged == 500:
                        os.kill(pid, signal.SIGKILL)
            except RedisConnectionError:
                pass
            assert ended()
        assert not server.running()
        server.start()
        assert int(redis.get("count")) >= acknowledged >= 500


def test_the_log_has_no_complaint(folder):
    with running(folder) as (server, _):
        log = (server.folder / "redis.log").read_text()
    assert not re.search(r"fatal|error", log, re.IGNORECASE), log
