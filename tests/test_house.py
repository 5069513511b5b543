"""The code keeps its shape. These tests read the tree instead of running it; each says why it is here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "foundation",
    "carrier",
    "announcements",
    "merchants",
    "queueing",
    "callbacks",
    "surge",
    "ivr",
    "dashboard",
    "processes",
    "drill",
)
SOURCES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "vendor" not in path.parts and "versions" not in path.parts
)
FORBIDDEN_NAMES = re.compile(
    r"(Manager|Service|Helper|Utils?|Handler|Processor|Base|Common|Core|Misc|Abstract|Impl)$"
)
# A thing a library makes us name so.
EXCUSED = {"drill/network.py": set[str]()}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    """A behaviour is found in a minute only where files are short."""
    assert len(path.read_text("utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_names_say_what_a_thing_is(path: Path) -> None:
    """`Manager` and its kin name nothing; the trade's nouns do."""
    tree = ast.parse(path.read_text("utf-8"))
    bad = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and FORBIDDEN_NAMES.search(node.name)
    ]
    assert not bad
    assert not FORBIDDEN_NAMES.search(path.stem.title())


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert docstring
    assert docstring.strip()


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    """Forty lines of code; docstring and signature are not counted."""
    tree = ast.parse(path.read_text("utf-8"))
    long = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body and (body[-1].end_lineno or 0) - body[0].lineno + 1 > 45:
                long.append(node.name)
    assert not long


def test_no_test_sleeps() -> None:
    """Time is an argument: a test that waits for real seconds is slow, or flaky, or both."""
    sleeping = [
        relative(path)
        for path in (ROOT / "tests").rglob("*.py")
        if re.search(r"\b(time|asyncio)\.sleep\((?!0\))", path.read_text("utf-8")) and path != Path(__file__)
    ]
    assert not sleeping


def test_lua_bodies_never_count_keys() -> None:
    """The header names them; a number would have to be kept in step by a person."""
    counting = [
        relative(path)
        for path in ROOT.glob("*/lua/**/*.lua")
        if re.search(r"\b(KEYS|ARGV)\[", path.read_text("utf-8"))
    ]
    assert not counting


def test_no_package_host_and_no_outside_asset_is_named() -> None:
    """The product stands alone: pages load nothing from elsewhere, and no index is named."""
    hosts = re.compile(r"pypi\.|pythonhosted|registry\.npm|unpkg\.com|jsdelivr|cdnjs|fonts\.googleapis")
    named = [
        relative(path)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".html", ".js", ".css", ".toml"}
        and "vendor" not in path.parts
        and hosts.search(path.read_text("utf-8"))
    ]
    assert not named
