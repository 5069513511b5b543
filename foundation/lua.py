"""Lua files, called by keyword.

A script declares its keys and arguments in its header; this module turns the header into Lua locals
and refuses a call that does not fit it. No Lua body writes ``KEYS[3]`` and no Python counts positions.

The header's lines::

    -- KEYS  contacts   hash  contact -> record            a key
    -- KEYS  waiting[]  zset  one per queue                a group: all groups of a call are equally long
    -- ARGV  contact    str                                str, int (whole number) or float
    -- MOVES waiting -> reserved                           which moves of a state table it carries out
    -- INCLUDE match                                       the text of include/match.lua goes here
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

_LINE = re.compile(r"^-- (KEYS|ARGV|MOVES|INCLUDE)[ \t]+(\S+)[ \t]*(.*)$", re.MULTILINE)
_INCLUDE = re.compile(r"^[ \t]*-- INCLUDE[ \t]+(\S+).*$", re.MULTILINE)
_FIRST = re.compile(r"\b(\w+)\[1\]")
_SAID = re.compile(r"--.*|'[^'\n]*'")
"""Comments and quoted words: no use of a name."""
_READ = {"int": "tonumber(ARGV[{}])", "float": "tonumber(ARGV[{}])", "str": "ARGV[{}]"}


@dataclass(frozen=True)
class Script:
    """One Lua file: what it needs, which moves it makes, and how to run it."""

    name: str
    keys: tuple[str, ...]
    groups: tuple[str, ...]
    args: tuple[str, ...]
    moves: frozenset[tuple[str, str]]
    source: str
    sha: str

    async def __call__(self, redis: Redis, **given: Any) -> Any:
        """Run on ``redis``. Every declared name is given once: groups as sequences of keys.

        Raises TypeError when names are missing, unknown, or groups differ in length. A server that
        does not know the script yet is sent its text; the script had not begun, so nothing runs twice.
        """
        numkeys, rest = self.pack(given)
        try:
            return await redis.evalsha(self.sha, numkeys, *rest)
        except NoScriptError:
            return await redis.eval(self.source, numkeys, *rest)

    def pack(self, given: dict[str, Any]) -> tuple[int, list[Any]]:
        """The number of keys, then keys and arguments in the order the Lua text expects."""
        try:
            rest: list[Any] = [given[key] for key in self.keys]
            lengths = set()
            for group in self.groups:
                members: Sequence[str] = given[group]
                lengths.add(len(members))
                rest.extend(members)
            numkeys = len(rest)
            rest.extend([given[arg] for arg in self.args])
        except KeyError:
            lengths = {0, 1}
        if len(lengths) > 1 or len(given) != len(self.keys) + len(self.groups) + len(self.args):
            needed = sorted((*self.keys, *(f"{group}[]" for group in self.groups), *self.args))
            raise TypeError(f"{self.name}.lua takes {needed}, was given {sorted(given)}")
        return numkeys, rest


@cache
def load(package: str, name: str) -> Script:
    """Read ``<package>/lua/<name>.lua`` once per process."""
    folder = resources.files(package) / "lua"
    body = (folder / f"{name}.lua").read_text("utf-8")
    declared = _LINE.findall(body)
    words = [word for kind, word, _ in declared if kind == "KEYS"]
    keys = tuple(word for word in words if not word.endswith("[]"))
    groups = tuple(word.removesuffix("[]") for word in words if word.endswith("[]"))
    args = tuple((word, rest.split()[0]) for kind, word, rest in declared if kind == "ARGV")
    moves = frozenset(
        (word, rest.removeprefix("->").split()[0]) for kind, word, rest in declared if kind == "MOVES"
    )
    text = _with_includes(folder / "include", body)
    text = _FIRST.sub(lambda use: _first_key(use, keys, groups), text)
    source = "\n".join([*_preamble(keys, groups, args, text), text])
    return Script(
        name=name,
        keys=keys,
        groups=groups,
        args=tuple(arg for arg, _ in args),
        moves=moves,
        source=source,
        sha=hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest(),
    )


def _with_includes(folder: Traversable, text: str) -> str:
    """Each in its place, so that a script's short way need not pay for the functions of its long one."""
    return _INCLUDE.sub(
        lambda line: _with_includes(folder, (folder / f"{line[1]}.lua").read_text("utf-8")), text
    )


def _first_key(use: re.Match[str], keys: tuple[str, ...], groups: tuple[str, ...]) -> str:
    """The first key of the first group stands right behind the keys: no table is made to reach it."""
    return f"KEYS[{len(keys) + 1}]" if use[1] == next(iter(groups), "") else use[0]


def _preamble(
    keys: tuple[str, ...], groups: tuple[str, ...], args: tuple[tuple[str, str], ...], text: str
) -> list[str]:
    lines = ["local KEYS, ARGV, tonumber, redis = KEYS, ARGV, tonumber, redis"]
    lines += [f"local {key} = KEYS[{i}]" for i, key in enumerate(keys, 1)]
    used = {group for group in groups if re.search(rf"\b{group}\b", _SAID.sub("", text))}
    if used:
        lines.append(f"local group_size = (#KEYS - {len(keys)}) / {len(groups)}")
        for i, group in enumerate(groups):
            if group not in used:
                continue
            first = f"{len(keys) + 1} + {i} * group_size"
            lines.append(f"local {group} = {{ unpack(KEYS, {first}, {len(keys)} + {i + 1} * group_size) }}")
    lines += [f"local {arg} = {_READ[kind].format(i)}" for i, (arg, kind) in enumerate(args, 1)]
    return lines
