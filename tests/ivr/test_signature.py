"""A request is Twilio's exactly when Twilio's own validator says so."""

from __future__ import annotations

import json
import random
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import FormData
from twilio.request_validator import RequestValidator

from ivr.signature import SignatureCheck, addresses

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["vectors"]

PUBLIC = "https://voice.example.com"
TOKEN = "12345"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PAIRS = st.lists(
    st.tuples(st.sampled_from(["Digits", "From", "To", "Body", "CallSid", "A", "Aa", "a", "ñ"]), TEXT),
    max_size=35,
)
PATHS = st.sampled_from(
    ["/voice/wait", "/voice/menu?lang=es&t=1", "/voice/wait?said_at=1&x=%2B1%20415+", "/v?", "/"]
)


def _split(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}", url.removeprefix(f"{parts.scheme}://{parts.netloc}")


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_published_vectors(vector):
    public, rest = _split(vector["url"])
    algorithm = vector["algorithm"].removeprefix("HMAC_").lower()
    check = SignatureCheck((vector["token"],), public, algorithm)
    pairs = [(name, value) for name, value in vector["params"]]
    assert check.matches(vector["signature"], rest, pairs) == 0
    assert check.matches(vector["signature"], rest + "x", pairs) is None
    assert SignatureCheck(("another",), public, algorithm).matches(vector["signature"], rest, pairs) is None


@given(PAIRS, PATHS, st.sampled_from(["", ":443", ":8443", ":8080"]), st.booleans(), st.booleans(), st.data())
@settings(max_examples=250, deadline=None)
def test_agrees_with_twilios_validator(pairs, path, port, signs_port, tampers, data):
    configured = PUBLIC + port
    form = FormData(pairs)
    oracle = RequestValidator(TOKEN)
    requested = urlsplit(configured + path)
    signed_url = configured + path if signs_port == bool(port) else addresses(configured)[1] + path
    signature = oracle.compute_signature(signed_url, form)
    seen = pairs
    if tampers and pairs:
        at = data.draw(st.integers(0, len(pairs) - 1))
        seen = [*pairs[:at], (pairs[at][0], pairs[at][1] + "0"), *pairs[at + 1 :]]
    expected = oracle.validate(
        requested.geturl() if path != "/v?" else configured + "/v?", FormData(seen), signature
    )
    if path == "/v?":  # urllib drops the lone question mark; Twilio and we do not
        expected = set(seen) == set(pairs)
    assert (SignatureCheck((TOKEN,), configured).matches(signature, path, seen) == 0) == expected


def test_three_thousand_forms_as_twilio_sends_them():
    """Duplicates, blanks, other scripts, pictures: signed by Twilio's library, believed by ours."""
    dice, check, oracle = random.Random(7), SignatureCheck((TOKEN,), PUBLIC), RequestValidator(TOKEN)
    letters = "abcXYZ019 +&=%;/?#\n\t'\"<>éñ🔥漢ß"
    for _ in range(3000):
        names = [
            dice.choice(["Digits", "From", "Body", "CallSid", "A", "Aa", "a", "FromCity"]) for _ in range(30)
        ]
        pairs = [(name, "".join(dice.choices(letters, k=dice.choice([0, 1, 2, 12])))) for name in names]
        signature = oracle.compute_signature(PUBLIC + "/voice/wait?lang=es", FormData(pairs))
        assert check.matches(signature, "/voice/wait?lang=es", pairs) == 0
        assert check.matches(signature, "/voice/wait?lang=es", [*pairs, ("a", "one more")]) is None


@given(PAIRS, st.sampled_from(["HMAC_SHA1", "HMAC_SHA256"]), st.sampled_from(["sha1", "sha256"]))
@settings(max_examples=300, deadline=None)
def test_the_algorithm_is_ours_to_choose(pairs, theirs, ours):
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC + "/voice/wait", FormData(pairs), theirs)
    matched = SignatureCheck((TOKEN,), PUBLIC, ours).matches(signature, "/voice/wait", pairs)
    assert (matched == 0) == (theirs.removeprefix("HMAC_").lower() == ours)


def test_two_tokens_during_a_rotation_and_the_index_tells_which():
    check = SignatureCheck(("old", "new"), PUBLIC)
    for index, token in enumerate(["old", "new"]):
        signature = RequestValidator(token).compute_signature(PUBLIC + "/v", {"A": "b"})
        assert check.matches(signature, "/v", [("A", "b")]) == index


@pytest.mark.parametrize("header", ["", "x", "é" * 28, "=" * 28, " " * 28, "A" * 27, "A" * 4000, "\x00" * 28])
def test_anything_else_is_refused_without_a_fuss(header: str):
    assert SignatureCheck((TOKEN,), PUBLIC).matches(header, "/v", []) is None


def test_with_no_token_nothing_is_believed():
    signature = RequestValidator("").compute_signature(PUBLIC + "/v", {})
    assert SignatureCheck((), PUBLIC).matches(signature, "/v", []) is None
