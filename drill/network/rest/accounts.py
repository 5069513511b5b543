"""The account, its numbers and its recordings over REST."""

from __future__ import annotations

from typing import Any

from drill.network.exchange import API_VERSION, Exchange, OurNumber, rfc2822
from drill.network.legs import Target
from drill.network.rest.door import Ask, Reply, operation, page
from drill.network.rest.refusals import Refusal

OPENED_MS = 1_600_000_000_000


@operation("FetchAccount")
async def account(ask: Ask) -> Reply:
    sid = ask.exchange.account.sid
    if ask.named["Sid"] != sid:
        raise Refusal(20404, ask.path)
    base = f"/{API_VERSION}/Accounts/{sid}"
    names = {"calls": "Calls", "conferences": "Conferences", "messages": "Messages", "queues": "Queues"}
    names |= {"incoming_phone_numbers": "IncomingPhoneNumbers", "recordings": "Recordings"}
    return Reply(
        {
            "sid": sid,
            "friendly_name": "The phone-network double",
            "status": "active",
            "type": "Full",
            "auth_token": ask.exchange.account.token,
            "owner_account_sid": sid,
            "date_created": rfc2822(OPENED_MS),
            "date_updated": rfc2822(OPENED_MS),
            "uri": f"{base}.json",
            "subresource_uris": {name: f"{base}/{path}.json" for name, path in names.items()},
        }
    )


@operation("ListIncomingPhoneNumber")
async def numbers(ask: Ask) -> Reply:
    found = [
        ours
        for ours in ask.exchange.numbers.values()
        if ask.text("PhoneNumber", ours.number) in ours.number
        and ask.text("FriendlyName", ours.name) == ours.name
    ]
    return page(ask, "incoming_phone_numbers", found, view)


@operation("FetchIncomingPhoneNumber")
async def number(ask: Ask) -> Reply:
    return Reply(view(ask.exchange, _ours(ask)))


@operation(
    "UpdateIncomingPhoneNumber",
    "FriendlyName VoiceUrl VoiceMethod VoiceFallbackUrl VoiceFallbackMethod StatusCallback "
    "StatusCallbackMethod SmsUrl SmsMethod SmsFallbackUrl SmsFallbackMethod",
)
async def update(ask: Ask) -> Reply:
    """Point a number somewhere; an empty URL takes one away."""
    ours = _ours(ask)
    ours.name = ask.text("FriendlyName", ours.name)
    voice = _target(ask, "VoiceUrl", "VoiceMethod", ours.voice)
    fallback = _target(ask, "VoiceFallbackUrl", "VoiceFallbackMethod", ours.fallback)
    if fallback is not None and voice is None:
        raise Refusal(21405)
    ours.voice, ours.fallback = voice, fallback
    ours.status = _target(ask, "StatusCallback", "StatusCallbackMethod", ours.status)
    ours.sms = _target(ask, "SmsUrl", "SmsMethod", ours.sms)
    ours.sms_fallback = _target(ask, "SmsFallbackUrl", "SmsFallbackMethod", ours.sms_fallback)
    ours.updated_ms = ask.exchange.now_ms()
    return Reply(view(ask.exchange, ours))


@operation("FetchRecording")
async def recording(ask: Ask) -> Reply:
    found = ask.exchange.recordings.get(ask.named["Sid"])
    if found is None:
        raise Refusal(20404, ask.path)
    base = f"/{API_VERSION}/Accounts/{ask.exchange.account.sid}/Recordings/{found.sid}"
    return Reply(
        {
            "sid": found.sid,
            "account_sid": ask.exchange.account.sid,
            "call_sid": found.call_sid,
            "conference_sid": None,
            "api_version": API_VERSION,
            "channels": 1,
            "duration": str(found.duration_s),
            "source": "RecordVerb",
            "status": "completed",
            "error_code": None,
            "price": None,
            "price_unit": "USD",
            "start_time": rfc2822(found.created_ms - found.duration_s * 1000),
            "date_created": rfc2822(found.created_ms),
            "date_updated": rfc2822(found.created_ms),
            "encryption_details": None,
            "media_url": f"{ask.exchange.base_url}{base}",
            "uri": f"{base}.json",
            "subresource_uris": {},
        }
    )


def view(exchange: Exchange, ours: OurNumber) -> dict[str, Any]:
    uri = f"/{API_VERSION}/Accounts/{exchange.account.sid}/IncomingPhoneNumbers/{ours.sid}.json"
    shown: dict[str, Any] = {
        "sid": ours.sid,
        "account_sid": exchange.account.sid,
        "phone_number": ours.number,
        "friendly_name": ours.name,
        "api_version": API_VERSION,
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
        "date_created": rfc2822(ours.created_ms),
        "date_updated": rfc2822(ours.updated_ms),
        "address_requirements": "none",
        "beta": False,
        "origin": "twilio",
        "status": "in-use",
        "type": "local",
        "voice_caller_id_lookup": False,
        "voice_receive_mode": "voice",
        "emergency_status": "Inactive",
        "emergency_address_status": "unregistered",
        "uri": uri,
    }
    absent = "address_sid bundle_sid emergency_address_sid identity_sid sms_application_sid trunk_sid"
    shown.update(dict.fromkeys([*absent.split(), "voice_application_sid"]))
    targets = {
        "voice": ours.voice,
        "voice_fallback": ours.fallback,
        "sms": ours.sms,
        "sms_fallback": ours.sms_fallback,
    }
    for name, target in targets.items():
        shown[f"{name}_url"] = target.url if target else None
        shown[f"{name}_method"] = target.method if target else "POST"
    shown["status_callback"] = ours.status.url if ours.status else None
    shown["status_callback_method"] = ours.status.method if ours.status else "POST"
    return shown


def _ours(ask: Ask) -> OurNumber:
    ours = ask.exchange.numbers.get(ask.named["Sid"])
    if ours is None:
        raise Refusal(20404, ask.path)
    return ours


def _target(ask: Ask, url: str, method: str, now: Target | None) -> Target | None:
    """What was given, over what there was."""
    if url not in ask.values:
        return Target(now.url, ask.text(method, now.method)) if now else None
    address = ask.url(url)
    return Target(address, ask.text(method, now.method if now else "POST")) if address else None
