"""Our signature is Twilio's: by its published vectors, and against its own validator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from drill.network.signing import sign

VECTORS = json.loads(Path(__file__).with_name("signature_vectors.json").read_text("utf-8"))["vectors"]
SHA1 = [vector for vector in VECTORS if vector["algorithm"] == "HMAC_SHA1"]


@pytest.mark.parametrize("vector", SHA1, ids=lambda vector: vector["name"])
def test_the_known_vectors(vector: dict[str, object]) -> None:
    pairs = [(str(name), str(value)) for name, value in vector["params"]]  # type: ignore[attr-defined]  # JSON
    assert sign(str(vector["token"]), str(vector["url"]), pairs) == vector["signature"]


words = st.text(st.characters(codec="utf-8"), max_size=12)


@given(st.text("abc123", min_size=1), st.dictionaries(words.filter(bool), words, max_size=8), words)
def test_twilios_validator_agrees(token: str, fields: dict[str, str], query: str) -> None:
    url = f"https://example.com/voice?x={query.encode().hex()}"
    assert RequestValidator(token).validate(url, fields, sign(token, url, fields.items()))
