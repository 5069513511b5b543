"""What a lead is about to say: read out of a form, checked, and shown as it will be heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import FormData

from dashboard.floor import Floor
from dashboard.surge_views import SCOPE_LISTS
from dashboard.views import LANGUAGE_WORDS
from foundation.errors import Mendable
from surge.checking import Draft, Finding, check, heard, stopped, tidy
from surge.incidents import slipped
from surge.matching import SEVERITIES, Scope
from surge.office import Watch
from surge.states import IncidentState

LONGEST_FIELD = 12_000
"""Characters: longer ones are cut before anything looks at them; the checks refuse them anyway."""
MOST_MIN = 24 * 60
LONGEST_SOURCE = 64
AUDIENCES = ("merchants", "customers", "both")


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as it was sent: nothing of it is lost when it does not fit. ``incident`` "" : a new one."""

    incident: str = ""
    version: int = 0
    title: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    state: str = ""
    no_news: bool = False
    next_min: str = ""
    eta_min: str = ""
    eta_source: str = ""
    """When it is said to be fixed, and who says so: nobody hears it but by the words."""
    severity: str = "major"
    audience: str = "merchants"
    do: str = ""
    dont: str = ""
    topic: str = ""
    scope_all: bool = False
    scope: Mapping[str, str] = field(default_factory=dict)
    """List to what was typed: entries with commas between, merchants one a line."""
    suggestion: int = 0

    def kept_words(self) -> dict[str, str]:
        return {language: tidy(words) for language, words in self.words.items() if tidy(words)}

    def next_update_ms(self, now_ms: int) -> int | None:
        """Raises Mendable for what is no number of minutes."""
        return _minutes_on(self.next_min, "The next update is due in", now_ms)

    def eta_ms(self, now_ms: int) -> int | None:
        """Raises Mendable for what is no number of minutes."""
        return _minutes_on(self.eta_min, "It is said to be fixed in", now_ms)

    def source(self) -> str:
        return " ".join(self.eta_source.split())[:LONGEST_SOURCE]


def _minutes_on(typed: str, what: str, now_ms: int) -> int | None:
    """So many minutes from now; None for nothing. Raises Mendable."""
    told = typed.strip()
    if not told:
        return None
    if not (told.isascii() and told.isdigit() and 1 <= int(told[:6]) <= MOST_MIN):
        raise Mendable(f"{what} 1 to 1,440 minutes; leave it empty to name no time.")
    return now_ms + int(told) * 60_000


def typed(form: FormData | Mapping[str, Any], incident: str = "") -> Typed:
    """Whatever was sent, cut to what anybody would type."""

    def get(name: str) -> str:
        value = form.get(name)
        return value[:LONGEST_FIELD] if isinstance(value, str) else ""

    words = {name[6:14]: get(name) for name in form if name.startswith("words.") and len(name) < 16}
    version = get("version")
    suggestion = get("suggestion")
    return Typed(
        incident=incident or get("incident")[:32],
        version=int(version[:9]) if version.isascii() and version.isdigit() else 0,
        title=get("title"),
        words=words,
        state=get("state"),
        no_news=bool(get("no_news")),
        next_min=get("next_min"),
        eta_min=get("eta_min"),
        eta_source=get("eta_source"),
        severity=get("severity") or "major",
        audience=get("audience") or "merchants",
        do=get("do"),
        dont=get("dont"),
        topic=get("topic"),
        scope_all=bool(get("all")),
        scope={name: get(name) for name in (*SCOPE_LISTS, "merchants")},
        suggestion=int(suggestion[:9]) if suggestion.isascii() and suggestion.isdigit() else 0,
    )


# -- the preview -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom it reaches. ``touched`` and ``maybe`` are merchants of the directory, None for an update."""

    waiting: int
    promised: int
    subscribed: int
    touched: int | None = None
    maybe: int = 0
    known: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    language: str
    word: str
    words: str
    spoken_s: float
    segments: int
    characters: int


@dataclass(frozen=True, slots=True)
class Preview:
    heard: Sequence[Heard]
    reach: Reach
    findings: Sequence[Finding]

    @property
    def stops(self) -> bool:
        return stopped(self.findings)


def preview(draft: Draft, reach: Reach, more: Sequence[Finding] = ()) -> Preview:
    told = []
    for language in draft.languages:
        words = tidy(draft.words.get(language, ""))
        if words:
            figures = heard(words)
            name = LANGUAGE_WORDS.get(language, language)
            told.append(Heard(language, name, words, figures.spoken_s, figures.segments, len(words)))
    return Preview(told, reach, (*more, *check(draft)))


def draft_of(
    watch: Watch, told: Typed, row: Any, last: Mapping[str, str], scope: Scope | None, eta_ms: int | None
) -> Draft:
    """``row``: the incident that is told of, None for a new one."""
    return Draft(
        words=dict(told.words),
        do=told.do,
        dont=told.dont,
        no_news=told.no_news,
        last=last,
        scope_all=scope.all if scope else bool(row is not None and row.scope.get("all")),
        eta_slips=row.eta_slips + slipped(row, eta_ms) if row is not None else 0,
        languages=watch.languages,
    )


# -- a new incident --------------------------------------------------------------------------------------


def checked_kind(told: Typed) -> None:
    """Raises Mendable for a severity, an audience or a state that there is not."""
    if told.severity not in SEVERITIES:
        raise Mendable(f"The severity is one of {', '.join(SEVERITIES)}.")
    if told.audience not in AUDIENCES:
        raise Mendable(f"The audience is one of {', '.join(AUDIENCES)}.")


def checked_state(told: Typed) -> IncidentState | None:
    if not told.state:
        return None
    try:
        return IncidentState(told.state)
    except ValueError:
        raise Mendable(f"There is no state {told.state[:40]!r}.") from None


async def checked_scope(floor: Floor, told: Typed) -> Scope:
    """The scope typed; merchants by their names. Raises Mendable, naming what is not known."""
    given: dict[str, Any] = {
        name: [entry for entry in told.scope.get(name, "").split(",") if entry.strip()]
        for name in SCOPE_LISTS
    }
    names = [line for line in told.scope.get("merchants", "").splitlines() if line.strip()]
    given["merchants"] = await floor.directory.named(names)
    scope = Scope.unpacked({**given, "all": told.scope_all})
    if scope.empty:
        raise Mendable("Say whom it touches: everybody, or at least one list.")
    return scope
