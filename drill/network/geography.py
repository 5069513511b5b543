"""Where a number says it is from: the FromCity, FromState … that ride on a webhook when known."""

from __future__ import annotations

_AREAS: dict[str, tuple[str, str, str]] = {
    "212": ("NEW YORK", "NY", "10001"),
    "213": ("LOS ANGELES", "CA", "90012"),
    "303": ("DENVER", "CO", "80202"),
    "305": ("MIAMI", "FL", "33130"),
    "312": ("CHICAGO", "IL", "60601"),
    "404": ("ATLANTA", "GA", "30303"),
    "415": ("SAN FRANCISCO", "CA", "94105"),
    "512": ("AUSTIN", "TX", "78701"),
    "617": ("BOSTON", "MA", "02108"),
    "206": ("SEATTLE", "WA", "98101"),
}


def places(number: str) -> dict[str, str]:
    """City, State, Zip, Country of a +1 number; empty strings where the area is not in the book."""
    if not number.startswith("+1") or len(number) != 12:
        return {}
    city, state, zip_code = _AREAS.get(number[2:5], ("", "", ""))
    return {"City": city, "State": state, "Zip": zip_code, "Country": "US"}
