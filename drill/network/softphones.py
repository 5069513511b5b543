"""Softphones: the access token that lets one dial in."""

from __future__ import annotations

import re
from typing import Any

import jwt

from drill.network.exchange import Account
from foundation.errors import Mendable

LONGEST_TTL_S = 86_400


def identity_of(token: str, account: Account, now_s: float) -> tuple[str, str]:
    """(identity, TwiML App SID) of a Twilio access token. Raises Mendable saying what is wrong with it."""
    if not account.key_secret:
        raise Mendable("the double was started without an API key's secret, so no softphone can connect")
    try:
        header = jwt.get_unverified_header(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            account.key_secret,
            algorithms=["HS256"],
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
        )
    except jwt.PyJWTError as error:
        raise Mendable(f"the access token does not hold: {error}") from None
    if header.get("cty") != "twilio-fpa;v=1":
        raise Mendable("the token's cty is not twilio-fpa;v=1")
    if claims.get("iss") != account.key_sid or claims.get("sub") != account.sid:
        raise Mendable("the token was issued by another key, or for another account")
    expires = claims.get("exp", 0)
    if expires <= now_s or claims.get("nbf", 0) > now_s + 60:
        raise Mendable("the token has expired, or is not valid yet")
    if expires > now_s + LONGEST_TTL_S + 60:
        raise Mendable("a token lives a day at most")
    return _granted(claims.get("grants", {}), account)


def _granted(grants: dict[str, Any], account: Account) -> tuple[str, str]:
    identity = str(grants.get("identity", ""))
    if not re.fullmatch(r"[A-Za-z0-9_@.+-]{1,121}", identity):
        raise Mendable("the token names no identity, or one with characters Twilio does not take")
    app_sid = str(grants.get("voice", {}).get("outgoing", {}).get("application_sid", ""))
    if not re.fullmatch(r"AP[0-9a-fA-F]{32}", app_sid):
        raise Mendable("the token has no voice grant with an outgoing application")
    if account.app_sid and app_sid != account.app_sid:
        raise Mendable("the token's application is not this account's")
    return identity, app_sid
