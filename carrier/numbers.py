"""Telephone numbers: their one form, what of them may be shown, and whom we would ever dial."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType, timezone

from foundation.errors import Mendable

DIALABLE_TYPES = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
    }
)
REGIONS = frozenset({"US", "CA"})
_TYPED = re.compile(r"[0-9+()\-./ \t\u00a0]{1,40}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_FICTIONAL = re.compile(r"\+1[2-9][0-9]{2}55501[0-9]{2}")
"""North American numbers that are kept for films and books (555-0100 to 555-0199): nobody's."""


class NotDialled(StrEnum):
    """Why a number is not dialled. Each has its sentence in the phrase files (``number_refused_…``)."""

    OURS = "ours"
    NO_NUMBER = "no_number"
    """Not in international form, or with an extension."""
    UNUSED = "unused"
    """No such number is in use."""
    FOREIGN = "foreign"
    EMERGENCY = "emergency"
    PREMIUM = "premium"
    """No ordinary line: premium, toll-free, shared-cost, personal, a pager."""


def normalise(raw: str, region: str = "US") -> str:
    """E.164, of what a person or Twilio wrote. ``region`` is meant where there is no country code.

    Raises Mendable for letters, digits of other scripts, extensions and impossible numbers: only what
    can be keyed on a telephone is a number (``phonenumbers`` itself would take ``+1415555FLOW``).
    """
    text = raw.strip()
    if not text:
        raise Mendable("there is no number")
    if not _TYPED.fullmatch(text):
        raise Mendable(f"{_shortened(text)} is not a telephone number: digits, spaces, ( ) - . and a + only")
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise Mendable(f"{_shortened(text)} is not a telephone number") from None
    if not phonenumbers.is_possible_number(parsed):
        raise Mendable(f"{_shortened(text)} has too few or too many digits")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def masked(e164: str) -> str:
    """``+14155554471`` as ``+1 415 ••• 4471``: enough to recognise, too little to ring.

    What is no number (``anonymous``, ``client:…``) is shown as ``withheld``, and nothing of it leaks.
    """
    if not _E164.fullmatch(e164):
        return "withheld"
    if e164.startswith("+1") and len(e164) == 12:
        return f"+1 {e164[2:5]} ••• {e164[-4:]}"
    try:
        code = str(phonenumbers.parse(e164).country_code)
    except phonenumbers.NumberParseException:
        code = e164[1:3]
    return f"+{code} ••• {e164[-4:]}"


def dialable(
    e164: str, regions: Collection[str] = REGIONS, ours: Collection[str] = (), *, fictional: bool = False
) -> str | None:
    """Why we would not dial this number; None when we would.

    The allow-list is of regions, not of ``+1`` (which twenty-five countries share), and of ordinary
    lines: no premium, shared-cost, personal, toll-free, satellite or short numbers, no emergency line,
    and none of our own, which would ring in circles. ``fictional``: the numbers kept for fiction are
    ordinary lines; for rehearsals only, where no real telephone can ring.
    """
    refused = _judged(e164, regions, ours, fictional)
    return refused[1] if refused else None


def why_not_dialled(
    e164: str, regions: Collection[str] = REGIONS, ours: Collection[str] = (), *, fictional: bool = False
) -> NotDialled | None:
    """``dialable``'s reason as a code."""
    refused = _judged(e164, regions, ours, fictional)
    return refused[0] if refused else None


def keyed(
    keys: str,
    regions: Collection[str] = REGIONS,
    ours: Collection[str] = (),
    home: str = "US",
    *,
    fictional: bool = False,
) -> tuple[str, NotDialled | None]:
    """The number that a caller keyed in, in E.164, and why it is not dialled: (number, None) when it is.

    Keyed without a country code, "011" or a "+" it is a number of ``home``. What is no number is "".
    """
    if phonenumbers.is_emergency_number(re.sub(r"\D", "", keys)[:15], home):
        return "", NotDialled.EMERGENCY
    try:
        number = normalise(keys, home)
    except Mendable:
        return "", NotDialled.NO_NUMBER
    return number, why_not_dialled(number, regions, ours, fictional=fictional)


@lru_cache(maxsize=4096)
def zone_of(e164: str) -> str | None:
    """The IANA time zone a number belongs to, by its area; None when it is none, or may be several.

    A number that was taken along to another place keeps the zone of its area: better than ours, no more.
    """
    if not _E164.fullmatch(e164):
        return None
    try:
        zones = timezone.time_zones_for_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return None
    return str(zones[0]) if len(zones) == 1 and zones[0] != timezone.UNKNOWN_TIMEZONE else None


def _judged(
    e164: str, regions: Collection[str], ours: Collection[str], fictional: bool
) -> tuple[NotDialled, str] | None:
    """Why a number is not dialled, as a code and in words."""
    if e164 in ours:
        return NotDialled.OURS, "it is our own number"
    if not _E164.fullmatch(e164):
        return NotDialled.NO_NUMBER, "it is not a number in international form"
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return NotDialled.NO_NUMBER, "it is not a telephone number"
    if parsed.extension:
        return NotDialled.NO_NUMBER, "it has an extension"
    if fictional and _FICTIONAL.fullmatch(e164):
        return None
    if not phonenumbers.is_valid_number(parsed):
        return NotDialled.UNUSED, "no such number is in use"
    region = phonenumbers.region_code_for_number(parsed)
    if region is None or region not in regions:
        return NotDialled.FOREIGN, f"we do not call {region or 'this region'}"
    if _is_emergency(parsed, region):
        return NotDialled.EMERGENCY, "it is an emergency number"
    if phonenumbers.number_type(parsed) not in DIALABLE_TYPES:
        return NotDialled.PREMIUM, "it is not an ordinary line"
    return None


def _is_emergency(parsed: phonenumbers.PhoneNumber, region: str) -> bool:
    national = phonenumbers.national_significant_number(parsed)
    return bool(phonenumbers.connects_to_emergency_number(national, region))


def _shortened(text: str) -> str:
    """What was typed, for its typist's eyes; a long text is cut."""
    return repr(text if len(text) <= 24 else text[:21] + "…")
