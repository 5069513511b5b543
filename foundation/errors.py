"""The one ancestor of our errors. A subclass's docstring is its message when none is given."""

from __future__ import annotations


class SurgelineError(Exception):
    """Something went wrong in Surgeline."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class Unavailable(SurgelineError):
    """A store or the carrier did not answer within its deadline."""


class Mendable(SurgelineError):
    """Bad input. The message says what is wrong and what to mend; it is shown to people as it stands."""
