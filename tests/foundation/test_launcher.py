"""The launcher: sets up once, says in one sentence what is missing, and becomes the product."""

import importlib.machinery
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "surgeline"


@pytest.fixture
def clone(tmp_path):
    """A clone with a launcher, two package lists, and a product that tells how it was started."""
    shutil.copy2(FILE, tmp_path / "surgeline")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "runtime.txt").write_text("fastapi==1\n")
    (tmp_path / "requirements" / "test.txt").write_text("fastapi==1\npytest==1\n")
    (tmp_path / "processes").mkdir()
    (tmp_path / "processes" / "__main__.py").write_text(
        "import os, sys\nprint(os.getpid(), os.getcwd(), sys.argv[1:])\n"
        "sys.exit(int(sys.argv[1]) if sys.argv[1:2] and sys.argv[1].isdigit() else 0)\n"
    )
    return tmp_path


@pytest.fixture
def launcher(clone):
    """The launcher of that clone as a module."""
    loader = importlib.machinery.SourceFileLoader("surgeline_launcher", str(clone / "surgeline"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        loader.exec_module(module)
    return module


@pytest.fixture
def installs(launcher, monkeypatch):
    """The commands that would have been run to make and fill .venv; making it makes its Python."""
    run = []

    def call(command):
        run.append(command)
        if "venv" in command:
            make_venv(Path(launcher.VENV))
        return 0

    monkeypatch.setattr(launcher.subprocess, "call", call)
    monkeypatch.setattr(launcher, "find_uv", lambda: "/bin/uv")
    monkeypatch.setattr(launcher, "is_new_enough", lambda python: os.path.exists(python))
    return run


def make_venv(folder, version="3.11.7"):
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    (folder / "bin" / "python").unlink(missing_ok=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    (folder / "pyvenv.cfg").write_text(f"version = {version}\n")


def sentence(told):
    """The one line said."""
    assert told.endswith(".\n")
    assert told.count("\n") == 1
    return told


# --- setting up once -----------------------------------------------------------------------------------


def test_the_first_start_makes_and_fills_the_environment_and_the_second_does_nothing(launcher, installs):
    launcher.set_up("runtime")
    assert [command[1] for command in installs] == ["venv", "pip"]
    assert installs[1][-1].endswith("requirements/runtime.txt")
    assert "--require-hashes" in installs[1]
    launcher.set_up("runtime")
    assert len(installs) == 2


def test_tests_need_more_and_then_the_product_needs_nothing(launcher, installs):
    launcher.set_up("runtime")
    launcher.set_up("test")
    assert installs[-1][-1].endswith("requirements/test.txt")
    launcher.set_up("runtime")
    launcher.set_up("test")
    assert len(installs) == 3


def test_a_changed_list_is_installed_again_into_the_same_environment(launcher, installs, clone):
    launcher.set_up("runtime")
    (clone / "requirements" / "runtime.txt").write_text("fastapi==2\n")
    launcher.set_up("runtime")
    assert [command[1] for command in installs] == ["venv", "pip", "pip"]


def test_another_python_in_the_environment_is_filled_again(launcher, installs):
    launcher.set_up("runtime")
    make_venv(Path(launcher.VENV), version="3.13.0")
    launcher.set_up("runtime")
    assert len(installs) == 3


def test_an_environment_whose_python_went_away_is_made_anew(launcher, installs):
    launcher.set_up("runtime")
    Path(launcher.PYTHON).unlink()
    launcher.set_up("runtime")
    assert [command[1] for command in installs] == ["venv", "pip", "venv", "pip"]


def test_a_failed_install_is_tried_again_next_time(launcher, installs, monkeypatch, capsys):
    launcher.set_up("runtime")
    Path(launcher.ROOT, "requirements", "runtime.txt").write_text("fastapi==2\n")
    with monkeypatch.context() as patch:
        patch.setattr(launcher.subprocess, "call", lambda command: 1)
        with pytest.raises(SystemExit) as end:
            launcher.set_up("runtime")
    assert end.value.code == 1
    assert capsys.readouterr().err.endswith(launcher.NOT_INSTALLED + "\n")
    assert not launcher.is_set_up("runtime")
    launcher.set_up("runtime")
    assert launcher.is_set_up("runtime")


def test_without_uv_it_uses_venv_and_pip(launcher, installs, monkeypatch):
    monkeypatch.setattr(launcher, "find_uv", lambda: None)
    launcher.set_up("runtime")
    make, fill = [command for command in installs if "--version" not in command]
    assert make[:3] == [sys.executable, "-m", "venv"]
    assert fill[:4] == [launcher.PYTHON, "-m", "pip", "install"]
    assert "--require-hashes" in fill


def test_no_package_index_is_named_anywhere(launcher):
    lists = (FILE.parent / "requirements").glob("*")
    for path in [FILE, *lists]:
        assert "://" not in path.read_text(), path.name


# --- what is missing -----------------------------------------------------------------------------------


def test_a_python_too_old_is_named_with_what_to_install(launcher, monkeypatch, capsys):
    monkeypatch.setattr(launcher.sys, "version_info", (3, 9, 6))
    monkeypatch.setattr(launcher.sys, "version", "3.9.6 (default)")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit) as end:
        launcher.main(["demo"])
    assert end.value.code == 2
    told = sentence(capsys.readouterr().err)
    for word in ("3.11", "3.9.6", "apt", "dnf", "brew"):
        assert word in told


def test_a_newer_python_on_path_is_taken_instead(launcher, clone, monkeypatch):
    (clone / "python3.13").write_text("#!/bin/sh\nexit 1\n")  # a version manager's stand-in
    (clone / "python3.12").symlink_to(sys.executable)
    (clone / "python3.13").chmod(0o755)
    became = []
    monkeypatch.setattr(launcher.sys, "version_info", (3, 9, 6))
    monkeypatch.setenv("PATH", str(clone))
    monkeypatch.setattr(launcher.os, "execv", lambda path, words: became.append(words) or sys.exit(0))
    with pytest.raises(SystemExit):
        launcher.main(["demo", "--seed", "4"])
    assert became == [[str(clone / "python3.12"), str(clone / "surgeline"), "demo", "--seed", "4"]]


def test_a_python_without_venv_is_told_what_to_install(launcher, monkeypatch, capsys):
    monkeypatch.setattr(launcher, "find_uv", lambda: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(SystemExit) as end:
        launcher.main(["demo"])
    assert end.value.code == 2
    told = sentence(capsys.readouterr().err)
    for word in ("venv", "apt install python3-venv", "dnf", "brew"):
        assert word in told


def test_a_machine_without_python_is_told_what_to_install(clone):
    told = subprocess.run(
        [clone / "surgeline", "demo"],
        env={"PATH": ""},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert told.returncode == 2
    assert "Surgeline needs Python 3.11 or later" in sentence(told.stderr)


@pytest.mark.parametrize("oldest", ["python3.8", "python3.9", "python3.10"])
def test_an_old_python_can_read_it(oldest):
    """Grammar of Python 3.8, so that the sentence above is what its owner sees."""
    import ast

    ast.parse(FILE.read_text(), feature_version=tuple(int(n) for n in oldest[6:].split(".")))


# --- becoming the product ------------------------------------------------------------------------------


@pytest.fixture
def ready(clone, launcher):
    """That clone, set up."""
    make_venv(Path(launcher.VENV))
    Path(launcher.STAMP).write_text(launcher.mark("test"))
    return clone


def start(clone, *args, **options):
    return subprocess.Popen(
        [clone / "surgeline", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_it_becomes_the_product_in_the_same_process_and_directory(ready, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "processes.py").write_text("raise SystemExit('the wrong one')")
    process = start(ready, "demo", "--port", "9", cwd=elsewhere)
    out, err = process.communicate(timeout=30)
    assert (out, err) == (f"{process.pid} {elsewhere} ['demo', '--port', '9']\n", "")
    assert process.returncode == 0


def test_its_exit_code_is_the_product_s(ready):
    process = start(ready, "3")
    process.communicate(timeout=30)
    assert process.returncode == 3


def test_a_signal_reaches_the_product(ready):
    (ready / "processes" / "__main__.py").write_text(
        "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "print('up', flush=True)\nsignal.pause()\n"
    )
    process = start(ready, "demo")
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 7


def test_test_runs_pytest_with_the_arguments_given(launcher, monkeypatch):
    became = []
    monkeypatch.setattr(launcher, "set_up", lambda kind: became.append(kind))
    monkeypatch.setattr(launcher.os, "execv", lambda path, words: became.append(words))
    monkeypatch.chdir(launcher.ROOT)
    monkeypatch.setattr(launcher, "run", lambda words: became.append(words) or sys.exit(0))
    with pytest.raises(SystemExit):
        launcher.main(["test", "-k", "line"])
    assert became == ["test", ["-m", "pytest", "-k", "line"]]


def test_the_second_start_costs_next_to_nothing(ready):
    def seconds():
        begun = time.monotonic()
        subprocess.run([ready / "surgeline", "demo"], check=True, capture_output=True, timeout=30)
        return time.monotonic() - begun

    # Most of it is starting Python twice; with room for a busy machine.
    assert min(seconds() for _ in range(5)) < 1.0


def test_two_first_starts_at_once_set_up_one_after_the_other(clone):
    """The second waits for the first, then finds everything there."""
    tools = clone / "tools"
    tools.mkdir()
    (tools / "uv").write_text(
        "#!/bin/sh\n"
        f'echo "$1" >> {clone}/log\n'
        f'[ "$1" = venv ] && mkdir -p {clone}/.venv/bin && ln -sf {sys.executable} {clone}/.venv/bin/python\n'
        "exit 0\n"
    )
    (tools / "uv").chmod(0o755)
    path = f"{tools}:{os.path.dirname(sys.executable)}:/usr/bin:/bin"
    both = [start(clone, "demo", env={"PATH": path}) for _ in range(2)]
    for process in both:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "['demo']" in out
    done = (clone / "log").read_text().split()
    assert done.count("venv") == 1
    assert done.count("pip") == 1


def test_what_the_product_runs_on_is_in_its_own_list():
    """SQLAlchemy's asyncio needs it and does not ask for it; the tests have it by the browser's driver."""
    listed = (FILE.parent / "requirements" / "runtime.txt").read_text("utf-8")
    assert "\ngreenlet==" in listed
