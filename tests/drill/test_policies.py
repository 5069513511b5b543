"""What is set otherwise for a run, and what is said of rules and files that are none."""

from __future__ import annotations

import pytest

from drill import rehearse


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--set", "callbacks=3"], "callbacks: this is a table; name a key in it"),
        (["--set", "callbacks.nope=3"], "callbacks.nope: there is no such key"),
        (["--set", "nonsense"], "write it as key=value"),
        (["--against", "callbacks.tries=many"], "callbacks.tries: Input should be a valid integer"),
        (["--html", "/nowhere/at/all.html"], "--html: /nowhere/at/all.html cannot be written"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_played(given, said, capsys):
    assert rehearse.main(["upserve", *given]) == 2
    assert said in capsys.readouterr().err
