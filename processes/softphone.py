"""The tokens that let an agent's browser telephone dial in."""

from __future__ import annotations

from typing import Any

from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from dashboard.rooms import Softphone
from processes.settings import Settings

TTL_S = 3600


def softphone(settings: Settings) -> Softphone:
    """The softphone that the settings allow: Twilio's, the double's when the API is on loopback, or none."""
    if not (settings.twilio_api_key_sid and settings.twilio_api_key_secret and settings.twilio_twiml_app_sid):
        return Softphone()

    def mint(agent: str) -> str:
        token: Any = AccessToken(
            settings.twilio_account_sid,
            settings.twilio_api_key_sid,
            settings.twilio_api_key_secret,
            identity=agent,
            ttl=TTL_S,
        )
        token.add_grant(VoiceGrant(outgoing_application_sid=settings.twilio_twiml_app_sid))
        return str(token.to_jwt())

    if settings.api_is_loopback:
        return Softphone("double", mint, settings.twilio_api_base_url)
    return Softphone("twilio", mint)
