"""What rides in the URL comes back, and nothing else does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ivr import forms, slips
from ivr.menus import Centre
from ivr.slips import Slip

CENTRE = Centre("Corner Pay", "support")
SLUGS = st.from_regex(r"\A[a-z0-9_-]{1,32}\Z") | st.just("")
SLIPS = st.builds(
    Slip,
    language=st.sampled_from(CENTRE.languages),
    merchant=st.integers(0, 10**9),
    location=st.integers(0, 10**9),
    topic=SLUGS,
    queue=SLUGS,
    band=SLUGS,
    tries=st.integers(0, 99),
    known_language=st.booleans(),
)


@given(SLIPS)
def test_a_slip_survives_the_url(slip: Slip):
    query = forms.first_values(forms.read_pairs(slip.query().encode()))
    assert slips.read(CENTRE, query) == slip


@given(
    st.dictionaries(
        st.sampled_from(["lang", "m", "loc", "topic", "q", "b", "t", "own"]), st.text(max_size=40)
    )
)
def test_whatever_cannot_be_read_is_as_if_not_there(query: dict[str, str]):
    slip = slips.read(CENTRE, query)
    assert slips.read(CENTRE, forms.first_values(forms.read_pairs(slip.query().encode()))) == slip
    assert slip.query().isascii()
