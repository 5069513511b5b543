"""The fast parser reads what the slow ones read."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.formparsers import FormParser

from ivr import forms

NAMES = st.text(max_size=12)
PAIRS = st.lists(st.tuples(NAMES, st.text(max_size=40)), max_size=30)


async def _starlette(raw: bytes) -> list[tuple[str, str]]:
    async def stream():
        yield raw
        yield b""

    form = await FormParser({}, stream()).parse()
    return [(name, str(value)) for name, value in form.multi_items()]


@given(st.binary(max_size=400))
@settings(max_examples=1000, deadline=None)
def test_any_bytes_are_read_as_urllib_reads_them(raw: bytes):
    expected = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=None)
    assert forms.read_pairs(raw) == expected


@given(
    st.lists(
        st.sampled_from([b"a", b"=", b"&", b"%", b"+", b"2", b"C3", b"%C3%A9", b"%zz", b";"]), max_size=40
    )
)
@settings(max_examples=1000, deadline=None)
def test_odd_separators_are_read_as_urllib_reads_them(parts: list[bytes]):
    raw = b"".join(parts)
    assert forms.read_pairs(raw) == parse_qsl(raw.decode("latin-1"), keep_blank_values=True)


@given(PAIRS)
@settings(max_examples=300, deadline=None)
async def test_forms_are_read_as_starlette_reads_them(pairs: list[tuple[str, str]]):
    pairs = [(name, value) for name, value in pairs if name]
    raw = urlencode(pairs).encode()
    read = forms.read_pairs(raw)
    assert read == await _starlette(raw)
    assert read == pairs


def test_a_blank_field_stays_and_the_first_of_a_repeat_is_read():
    pairs = forms.read_pairs(b"Digits=&CallSid=CA1&CallSid=CA2&From=%2B1415")
    assert pairs == [("Digits", ""), ("CallSid", "CA1"), ("CallSid", "CA2"), ("From", "+1415")]
    assert forms.first_values(pairs) == {"Digits": "", "CallSid": "CA1", "From": "+1415"}


@pytest.mark.parametrize("raw", [b"", b"&", b"&&&", b"=", b"%", b"\xff\xfe=\x00"])
def test_nothing_is_too_odd(raw: bytes):
    assert isinstance(forms.read_pairs(raw), list)
