"""Is it really Twilio?

``X-Twilio-Signature`` is base64 of an HMAC, keyed with the account's auth token, over the URL that Twilio
was given and every parameter, names and values sorted, repeats counted once. The URL is built from the
configured public address, never from what the request says of itself, and the algorithm is chosen by
configuration, never by a header. Twilio signs with or without the port (``RequestValidator`` accepts
both), and so do we.

Source: twilio.com/docs/usage/security; held to ``twilio.request_validator`` on random forms by property
tests.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from itertools import chain
from typing import Literal
from urllib.parse import urlsplit

Algorithm = Literal["sha1", "sha256"]
_DIGESTS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}


class SignatureCheck:
    """Keyed once per process; ``matches`` costs a few microseconds."""

    def __init__(self, tokens: tuple[str, ...], public_url: str, algorithm: Algorithm = "sha1") -> None:
        """``tokens``: the auth token, and during a rotation the next one too. None at all: nothing matches.

        ``public_url``: scheme, host, port and path prefix as Twilio was given them, without a final slash.
        """
        self._keyed = [hmac.new(token.encode(), digestmod=_DIGESTS[algorithm]) for token in tokens]
        self._addresses = addresses(public_url.rstrip("/"))
        self._header_length = len(base64.b64encode(_DIGESTS[algorithm]().digest()))

    def matches(self, header: str, path_and_query: str, pairs: list[tuple[str, str]]) -> int | None:
        """Which token (its index) signed this request, or None when none did.

        ``path_and_query``: as received, undecoded, below the public address; ``pairs``: every parameter
        of the form, blanks included. Compared in constant time.
        """
        if len(header) != self._header_length:
            return None
        given = header.encode("utf-8", "replace")
        signed = path_and_query + "".join(chain.from_iterable(sorted(set(pairs))))
        for address in self._addresses:
            text = (address + signed).encode("utf-8", "replace")
            for index, keyed in enumerate(self._keyed):
                mac = keyed.copy()
                mac.update(text)
                if hmac.compare_digest(base64.b64encode(mac.digest()), given):
                    return index
        return None


def addresses(public_url: str) -> list[str]:
    """The public address as configured, then with the other spelling of its port: Twilio uses both.

    >>> addresses("https://voice.example.com")
    ['https://voice.example.com', 'https://voice.example.com:443']
    """
    parts = urlsplit(public_url)
    if not parts.hostname or ":" in parts.hostname:
        return [public_url]
    if parts.port is not None:
        other = parts.netloc.rpartition(":")[0]
    else:
        other = f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}"
    return [public_url, parts._replace(netloc=other).geturl()]
