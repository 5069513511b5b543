"""A table out of a spreadsheet: CSV text in, records out, or every bad line with its reason. Pure.

Commas, semicolons or tabs between the fields, quotes, a byte order mark and any line ends are understood.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from foundation.errors import Mendable


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line (1 is the header's)."""

    line: int
    reason: str


class BadSheet(Mendable):
    """The file has bad lines; nothing was imported. ``faults`` names every one."""

    def __init__(self, faults: Collection[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line))
        lines = [f"line {fault.line}: {fault.reason}" for fault in self.faults]
        super().__init__("\n".join(["Nothing was imported. Please mend these lines:", *lines]))


def records(
    content: str | bytes, columns: Sequence[str], needed: Collection[str], faults: list[Fault]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Each record below the header, by column, with the line it begins on; empty ones are left out.

    Records that cannot be read, or have too many fields, are added to ``faults``. Raises BadSheet for a
    header that lacks a ``needed`` column, has one twice, or one that is not among ``columns``.
    """
    text = _text(content)
    header, separator = _header(text, columns, needed)
    for number, fields in _fields(text, separator, faults):
        if any(field.strip() for field in fields[len(header) :]):
            reason = f"it has {len(fields)} fields, the header {len(header)}; put quotes round a field"
            faults.append(Fault(number, reason))
        yield number, dict(zip(header, fields, strict=False))


def _header(text: str, columns: Sequence[str], needed: Collection[str]) -> tuple[list[str], str]:
    """The names of the columns, and what separates the fields."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    separator = max(",;\t", key=first.count)
    header = [field.strip(' "').lower() for field in first.rstrip(f" {separator}").split(separator)]
    reasons = [f"there is no column {name!r}" for name in needed if name not in header]
    strange = [name for name in header if name not in columns]
    reasons += [f"{name!r} is no column of ours; those are {', '.join(columns)}" for name in strange]
    reasons += [f"the column {name!r} is there twice" for name in columns if header.count(name) > 1]
    if reasons:
        raise BadSheet([Fault(1, reason) for reason in reasons])
    return header, separator


def _fields(text: str, separator: str, faults: list[Fault]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as broken:
            faults.append(Fault(begins, f"it cannot be read: {broken}"))
            fields = []
        if fields is None:
            return
        if begins > 1 and any(field.strip() for field in fields):
            yield begins, fields
        begins = reader.line_num + 1


def _text(content: str | bytes) -> str:
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as broken:
        line = content[: broken.start].count(b"\n") + 1
        raise BadSheet([Fault(line, "it is not UTF-8 text; save the file as CSV in UTF-8")]) from broken
