"""What the environment says: every setting, where it came from, and whether it is safe to start with.

The only reader of the environment. A value is taken from the environment, else from the file named by
``<NAME>_FILE`` (container secrets), else from the ``.env`` file, else it is the default.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from foundation.clock import Clock, FastClock, SystemClock
from foundation.errors import Mendable

LOOPBACK = ("localhost", "127.0.0.1", "::1")
WELL_KNOWN_SECRETS = ("secret", "changeme", "change-me", "surgeline", "default", "password", "development")
SECRET_LENGTH = 32
HOOK_SECRET_LENGTH = 16
MASKED = ("TOKEN", "SECRET", "PASSWORD", "PIN")


class Settings(BaseSettings):
    """One value per environment variable; the field's upper-case name is the variable's name."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    twilio_account_sid: str = Field(default="", pattern=r"^(AC[0-9a-f]{32})?$")
    twilio_auth_token: str = ""
    twilio_secondary_auth_token: str = ""
    twilio_api_key_sid: str = Field(default="", pattern=r"^(SK[0-9a-f]{32})?$")
    twilio_api_key_secret: str = ""
    twilio_twiml_app_sid: str = Field(default="", pattern=r"^(AP[0-9a-f]{32})?$")
    twilio_number: str = Field(default="", pattern=r"^(\+[1-9]\d{6,14})?$")
    twilio_api_base_url: str = Field(default="", pattern=r"^(https?://\S+)?$")

    redis_url: str = Field(default="", pattern=r"^((redis|rediss|unix)://\S+)?$")
    database_url: str = Field(default="", pattern=r"^((sqlite|postgresql|postgres)(\+\w+)?://\S+)?$")

    surgeline_public_url: str = Field(
        default="http://127.0.0.1:8080", pattern=r"^https?://[^/\s?#]+(/[^\s?#]*)?$"
    )
    surgeline_secret_key: str = ""
    surgeline_data_dir: Path = Path(".surgeline")
    surgeline_centre: Path | None = None
    surgeline_log_level: Literal["debug", "info", "warning", "error"] = "info"
    surgeline_clock: str = Field(default="", pattern=r"^(\d+(\.\d+)?@\d+)?$")
    surgeline_listen: str = Field(default="127.0.0.1:8080", pattern=r"^(\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$")
    surgeline_signature_check: bool = True
    surgeline_redis_server: str = ""
    surgeline_workers: int = Field(default=1, ge=1, le=64)
    surgeline_pagerduty_secrets: str = ""
    """Any of them, with commas between, may sign a webhook: so one is changed without a gap."""
    surgeline_hook_secrets: str = ""
    surgeline_toggle_pin_hash: str = Field(default="", pattern=r"^(\$argon2id\$\S+)?$")
    """Of the PIN by which the numbers of ``toggle_numbers`` switch the level; never the PIN itself."""

    @field_validator("surgeline_public_url")
    @classmethod
    def _without_last_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what ``read`` gathered from the sources counts: so it is known where each value came from."""
        return (init_settings,)

    @property
    def public_is_loopback(self) -> bool:
        return (urlsplit(self.surgeline_public_url).hostname or "") in LOOPBACK

    @property
    def api_is_loopback(self) -> bool:
        """Whether the phone network is the double on this machine."""
        return urlsplit(self.twilio_api_base_url).hostname in LOOPBACK

    @property
    def pagerduty_secrets(self) -> tuple[str, ...]:
        return _listed(self.surgeline_pagerduty_secrets)

    @property
    def hook_secrets(self) -> tuple[str, ...]:
        return _listed(self.surgeline_hook_secrets)

    @property
    def listen_host(self) -> str:
        return self.surgeline_listen.rpartition(":")[0].strip("[]")

    @property
    def listen_port(self) -> int:
        return int(self.surgeline_listen.rpartition(":")[2])

    @property
    def database(self) -> str:
        """The database's URL; SQLite in the data directory when none is given."""
        return self.database_url or f"sqlite:///{self.surgeline_data_dir.resolve()}/surgeline.db"

    @property
    def is_sqlite(self) -> bool:
        return self.database.startswith("sqlite")

    @property
    def auth_tokens(self) -> tuple[str, ...]:
        """The tokens that may sign a webhook: the account's, and its second one while it is being changed."""
        return tuple(token for token in (self.twilio_auth_token, self.twilio_secondary_auth_token) if token)

    @cached_property
    def secret_key(self) -> str:
        """Signs cookies and links. On loopback, one is made once and kept in the data directory."""
        return self.surgeline_secret_key or kept_secret(self.surgeline_data_dir)

    @cached_property
    def clock(self) -> Clock:
        """The wall clock, or the shared fast one: ``SURGELINE_CLOCK=5@1700000000000`` is speed@origin_ms."""
        if not self.surgeline_clock:
            return SystemClock()
        speed, origin_ms = self.surgeline_clock.split("@")
        return FastClock(float(speed), int(origin_ms))

    def refuse_unsafe(self) -> Self:
        """Return self, or raise Mendable naming every setting that is unsafe to start with."""
        found = unsafe(self)
        if found:
            raise Mendable(
                "Unsafe settings; nothing was started.\n" + "\n".join(f"  {fault}" for fault in found)
            )
        return self


@dataclass(frozen=True, slots=True)
class Told:
    """The settings and, for each variable, where its value came from."""

    settings: Settings
    sources: Mapping[str, str]

    def shown(self) -> list[tuple[str, str, str]]:
        """(variable, value with secrets masked, where from), one per setting."""
        return [
            (name.upper(), _shown(name.upper(), getattr(self.settings, name)), self.sources[name])
            for name in Settings.model_fields
        ]


def read() -> Told:
    """Gather the settings: environment, then ``<NAME>_FILE``, then the ``.env`` file, then the defaults.

    SURGELINE_ENV_FILE names another ``.env`` file; empty means none.
    Raises Mendable naming every bad value, where it came from and what to mend.
    """
    env_file = os.environ.get("SURGELINE_ENV_FILE", ".env")
    gathered: list[tuple[str, dict[str, Any]]] = [
        (env_file, DotEnvSettingsSource(Settings, env_file=env_file or None)()),
        ("{}_FILE", _secret_files()),
        ("environment", EnvSettingsSource(Settings)()),
    ]
    values: dict[str, Any] = {}
    sources = dict.fromkeys(Settings.model_fields, "default")
    for source, found in gathered:  # the later outranks the earlier
        for name in Settings.model_fields.keys() & found.keys():
            values[name], sources[name] = found[name], source.format(name.upper())
    try:
        return Told(Settings(**values), sources)
    except ValidationError as error:
        raise Mendable(_named(error, sources)) from None


def _secret_files() -> dict[str, str]:
    """Values kept in files, as containers are given secrets: TWILIO_AUTH_TOKEN_FILE=/run/secrets/token."""
    found = {}
    for name in Settings.model_fields:
        variable = f"{name.upper()}_FILE"
        if path := os.environ.get(variable):
            try:
                found[name] = Path(path).read_text("utf-8").strip()
            except OSError as error:
                raise Mendable(f"{variable}: {path} cannot be read ({error.strerror}).") from None
    return found


def strangers() -> list[str]:
    """SURGELINE_* variables that nobody reads: most likely misspelt."""
    known = {name.upper() for name in Settings.model_fields} | {"SURGELINE_ENV_FILE", "SURGELINE_PARENT"}
    known |= {f"{name}_FILE" for name in known}
    return [
        f"{name} is set, but there is no such setting."
        for name in sorted(os.environ)
        if name.startswith("SURGELINE_") and name not in known
    ]


MEND = {
    "twilio_account_sid": "an account SID is AC and 32 hex digits, as on the Twilio console's first page",
    "twilio_api_key_sid": "an API key SID is SK and 32 hex digits",
    "twilio_twiml_app_sid": "a TwiML App SID is AP and 32 hex digits; `surgeline provision` makes one",
    "twilio_number": "write the number as +14155550100: a plus sign, country code, number, no spaces",
    "twilio_api_base_url": "give a URL such as http://127.0.0.1:8081, or leave it out for Twilio itself",
    "redis_url": "give redis://host:6379/0, rediss://… or unix:///path; or leave it out: embedded",
    "database_url": "give postgresql://user@host/name or sqlite:///path, or leave it out for SQLite",
    "surgeline_public_url": "give the URL Twilio reaches this on, as https://phone.example.com",
    "surgeline_log_level": "one of debug, info, warning, error",
    "surgeline_clock": "leave it out; only rehearsals set it, as speed@origin_ms",
    "surgeline_listen": "give host:port, as 127.0.0.1:8080 or 0.0.0.0:8080",
    "surgeline_signature_check": "one of true, false",
    "surgeline_workers": "a number from 1 to 64",
    "surgeline_toggle_pin_hash": "it is no PIN, but the hash of one: `surgeline surge pin` makes it",
}


def _named(error: ValidationError, sources: Mapping[str, str]) -> str:
    lines = []
    for fault in error.errors():
        name = str(fault["loc"][0])
        mend = MEND.get(name, str(fault["msg"]))
        lines.append(f"  {name.upper()} (from {sources.get(name, 'default')}) is not usable: {mend}.")
    return "Bad settings:\n" + "\n".join(lines)


def unsafe(settings: Settings) -> list[str]:
    """Every setting that would let a stranger in, or forge a call. Empty when it is safe to start.

    On a loopback URL nobody but this machine's user reaches us, so rehearsing without secrets is allowed.
    """
    found = []
    key = settings.surgeline_secret_key
    if not settings.surgeline_signature_check:
        found.append("SURGELINE_SIGNATURE_CHECK is off: webhooks are always checked. Remove it.")
    if not settings.public_is_loopback:
        if not settings.surgeline_public_url.startswith("https://"):
            found.append(
                "SURGELINE_PUBLIC_URL is plain http: sign-ins and calls would cross the net in clear."
            )
        if not key:
            found.append("SURGELINE_SECRET_KEY is missing: set it to 32 or more random characters.")
        if not settings.twilio_auth_token:
            found.append("TWILIO_AUTH_TOKEN is missing: no webhook could be told from a forged one.")
        if settings.surgeline_clock:
            found.append("SURGELINE_CLOCK is for rehearsals on this machine. Remove it.")
    api = urlsplit(settings.twilio_api_base_url)
    if api.scheme == "http" and not settings.api_is_loopback:
        found.append("TWILIO_API_BASE_URL is plain http to another machine: the token would go in clear.")
    for name, hook_secrets in (("PAGERDUTY", settings.pagerduty_secrets), ("HOOK", settings.hook_secrets)):
        if any(len(secret) < HOOK_SECRET_LENGTH for secret in hook_secrets):
            found.append(
                f"SURGELINE_{name}_SECRETS can be guessed: {HOOK_SECRET_LENGTH} characters each at least."
            )
    if key and (len(key) < SECRET_LENGTH or key.lower().strip() in WELL_KNOWN_SECRETS):
        found.append(f"SURGELINE_SECRET_KEY can be guessed: use {SECRET_LENGTH} or more random characters.")
    if settings.public_is_loopback and settings.listen_host not in LOOPBACK and not settings.auth_tokens:
        found.append(
            "SURGELINE_LISTEN is open to the network while TWILIO_AUTH_TOKEN is missing: "
            "listen on 127.0.0.1, or set the token and SURGELINE_PUBLIC_URL."
        )
    return found


def kept_secret(data_dir: Path) -> str:
    """The secret kept in ``data_dir``, made on first use and readable by its owner only."""
    path = data_dir / "secret.key"
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("utf-8").strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text("utf-8").strip()


def _listed(told: str) -> tuple[str, ...]:
    return tuple(part for part in (each.strip() for each in told.split(",")) if part)


def masked_url(url: str) -> str:
    """A URL without its password."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    return url.replace(f":{parts.password}@", ":••••@", 1)


def _shown(name: str, value: object) -> str:
    if value is None or value == "":
        return ""
    if any(word in name for word in MASKED) and isinstance(value, str):
        return f"•••• ({len(value)} characters)"
    return masked_url(str(value)) if name.endswith("_URL") else str(value)
