"""Passwords and PINs as they are kept: argon2id hashes.

Hashing takes a good part of a second on purpose, so it runs beside the loop.
"""

from __future__ import annotations

import asyncio

from pwdlib import PasswordHash

LONGEST_PASSWORD = 200
"""Characters: more are not hashed, whoever sends them."""

_HASHES = PasswordHash.recommended()


async def hashed(password: str) -> str:
    return await asyncio.to_thread(_HASHES.hash, password)


async def fits(password: str, password_hash: str) -> bool:
    """Whether the password is the hash's; compared in constant time. A hash nobody can read fits nothing."""
    try:
        return await asyncio.to_thread(_HASHES.verify, password[:LONGEST_PASSWORD], password_hash)
    except Exception as unreadable:  # pwdlib raises by the kind of damage
        if isinstance(unreadable, (MemoryError, OSError)):
            raise
        return False
