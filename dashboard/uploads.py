"""Sheets that people send by a form: read whole, or refused with what to mend."""

from __future__ import annotations

from fastapi import UploadFile

from dashboard.views import Said
from foundation.errors import Mendable
from foundation.sheets import BadSheet

SHEET_BYTES = 8_000_000
FAULTS_SHOWN = 200


async def content_of(sheet: UploadFile) -> bytes:
    """Raises Mendable for a file that is empty or too large."""
    content = await sheet.read(SHEET_BYTES + 1)
    if len(content) > SHEET_BYTES:
        raise Mendable("The file is larger than 8 MB. Send it in parts.")
    if not content.strip():
        raise Mendable("The file is empty. Choose a CSV file first.")
    return content


def refused(bad: Mendable) -> Said:
    """Nothing was taken in, and why: of a sheet with bad lines, each of them."""
    if not isinstance(bad, BadSheet):
        return Said("past", "Nothing was imported", str(bad))
    lines = tuple(f"line {fault.line}: {fault.reason}" for fault in bad.faults[:FAULTS_SHOWN])
    left = len(bad.faults) > FAULTS_SHOWN
    more = f" The first {FAULTS_SHOWN} of {len(bad.faults)} are listed." if left else ""
    return Said("past", "Nothing was imported", f"Mend these lines, then import it again.{more}", lines)
