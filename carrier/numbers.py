"""Telephone numbers: their one form, what of them may be shown, and whom we would ever dial."""

from __future__ import annotations

import re
from collections.abc import Collection

import phonenumbers
from phonenumbers import PhoneNumberType

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


def dialable(e164: str, regions: Collection[str] = REGIONS, ours: Collection[str] = ()) -> str | None:
    """Why we would not dial this number; None when we would.

    The allow-list is of regions, not of ``+1`` (which twenty-five countries share), and of ordinary
    lines: no premium, shared-cost, personal, toll-free, satellite or short numbers, no emergency line,
    and none of our own, which would ring in circles.
    """
    if e164 in ours:
        return "it is our own number"
    if not _E164.fullmatch(e164):
        return "it is not a number in international form"
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return "it is not a telephone number"
    if parsed.extension:
        return "it has an extension"
    if not phonenumbers.is_valid_number(parsed):
        return "no such number is in use"
    region = phonenumbers.region_code_for_number(parsed)
    if region is None or region not in regions:
        return f"we do not call {region or 'this region'}"
    if _is_emergency(parsed, region):
        return "it is an emergency number"
    if phonenumbers.number_type(parsed) not in DIALABLE_TYPES:
        return "it is not an ordinary line"
    return None


def _is_emergency(parsed: phonenumbers.PhoneNumber, region: str) -> bool:
    national = phonenumbers.national_significant_number(parsed)
    return bool(phonenumbers.connects_to_emergency_number(national, region))


def _shortened(text: str) -> str:
    """What was typed, for its typist's eyes; a long text is cut."""
    return repr(text if len(text) <= 24 else text[:21] + "…")
