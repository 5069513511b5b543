"""What a caller, or a subscriber, is told of an incident. Pure; the sentences are in ``announcements``.

What was posted is told with its age; when it is too old it is not told at all, and neutral words take its
place. The do and don't lines have one language, the centre's first: they are spoken in it, to whoever calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from announcements import catalog
from announcements.catalog import Utterance
from announcements.spoken import Worded, duration, moment, plain, written
from surge.checking import age_min, is_stale
from surge.directive import Told
from surge.playbook import Play
from surge.policy import SurgePolicy
from surge.states import Level

LONGEST = 320
"""Characters of posted words; ``checking`` takes fewer."""


def status(
    language: str, told: Told, policy: SurgePolicy, now_ms: int, *, maybe: bool = False, main: str = "en"
) -> tuple[Utterance, ...]:
    """The first thing a caller hears of an incident: that it may not concern them if so, what is known with
    its age, and the do and don't lines. ``main``: the language of title and lines."""
    said = [catalog.voice(language, "incident_may_touch")] if maybe else []
    words = _posted(told.words.get(catalog.known(language), ""))
    if not words or is_stale(told.updated_ms, policy.stale_ms, now_ms):
        said.append(_neutral(language, told, now_ms, main, stale=bool(words)))
    else:
        age = duration(language, age_min(told.updated_ms, now_ms))
        said.append(catalog.voice(language, "incident_as_of", age=Worded(age), words=words))
    for key, line in (("incident_do", told.do), ("incident_dont", told.dont)):
        if posted := _posted(line):
            said.append(catalog.voice(main, key, line=posted))
    return tuple(said)


def news(
    language: str,
    told: Told,
    policy: SurgePolicy,
    now_ms: int,
    *,
    words: bool,
    fixed: bool,
    maybe: bool = False,
    main: str = "en",
) -> tuple[Utterance, ...]:
    """What callers on hold are told: the ``words``, as ``status`` has them, if they are new to them; and
    that it is ``fixed`` as far as we can tell, if it is."""
    said = [catalog.voice(language, "incident_broadcast")]
    if words:
        said += status(language, told, policy, now_ms, maybe=maybe, main=main)
    title = _posted(told.title) if catalog.known(language) == catalog.known(main) else ""
    if fixed and title:
        said.append(catalog.voice(language, "incident_fixed", title=title))
    elif fixed:
        said.append(catalog.voice(language, "incident_fixed_ours"))
    return tuple(said)


def next_update(language: str, told: Told, zone: str, now_ms: int) -> Utterance | None:
    """When the next update is due; None when that is not known, or it is overdue."""
    if told.next_update_ms is None or told.next_update_ms <= now_ms:
        return None
    return catalog.voice(
        language, "incident_next_update", when=at(language, zone, told.next_update_ms, now_ms)
    )


def offers(
    language: str, play: Play, keys: Sequence[str] = "123456789"
) -> tuple[tuple[Utterance, ...], dict[str, str]]:
    """The offers of a play in its order, and key to what it chooses ("text", "callback", "message").

    "line" has no key: silence chooses it. Consent to texts is said with their key. Where the line is closed,
    ``other`` has the last key: "something else" joins the line.
    """
    said, chosen, free = [], {}, iter(keys)
    prefix = "surge_offer" if play.join else "surge_closed"
    if not play.join:
        said.append(catalog.voice(language, "surge_closed"))
    for kind in play.offer:
        if kind == "line":
            said.append(catalog.voice(language, "surge_offer_line"))
            continue
        key = next(free)
        chosen[key] = kind
        name = f"surge_offer_{kind}" if kind == "callback" else f"{prefix}_{kind}"
        said.append(catalog.voice(language, name, key=key))
        if kind == "text":
            said.append(catalog.voice(language, "surge_consent", key=key))
    if not play.join:
        key = next(free)
        chosen[key] = "other"
        said.append(catalog.voice(language, "surge_closed_other", key=key))
    return tuple(said), chosen


def untextable(language: str, why: str) -> Utterance:
    """Why no text comes, aloud: ``why`` is ``Facts.untextable``."""
    known = why if why in ("landline", "opted_out", "withheld") else "unreachable"
    return catalog.voice(language, f"surge_text_{known}")


def text(
    language: str,
    told: Told,
    centre: str,
    link: str,
    zone: str,
    policy: SurgePolicy,
    now_ms: int,
    *,
    kind: str = "status",
) -> str:
    """The text with what is known now. ``kind``: status, update or relapsed. Neutral when it is stale, or
    when there are no words in this language."""
    words = _posted(told.words.get(catalog.known(language), ""))
    title = _posted(told.title)
    if not words or is_stale(told.updated_ms, policy.stale_ms, now_ms):
        return catalog.sms(language, "incident_neutral", centre=centre, title=title, link=link)
    since = at(language, zone, told.updated_ms, now_ms)
    if kind == "relapsed":
        return catalog.sms(
            language, "incident_relapsed", centre=centre, title=title, words=words, at=since, link=link
        )
    advice = Worded(". ".join(line for line in (_posted(told.do), _posted(told.dont)) if line))
    if not advice:
        return catalog.sms(language, f"incident_{kind}", centre=centre, words=words, at=since, link=link)
    return catalog.sms(
        language, f"incident_{kind}_advice", centre=centre, words=words, advice=advice, at=since, link=link
    )


def notice(language: str, key: str, told: Told, centre: str, ours: str = "", when: str = "") -> str:
    """One of the texts on the end of an incident: verified, verified_customers, resolved or keep. ``ours``:
    our number (E.164), where it is named; ``when``: words of ``at``."""
    return catalog.sms(
        language,
        f"incident_{key}",
        centre=centre,
        title=_posted(told.title),
        ours=written(ours),
        when=Worded(when),
    )


def level(language: str, which: Level) -> str:
    """What a level is called inside a sentence."""
    return catalog.name(language, "level", which.name.lower())


def at(language: str, zone: str, at_ms: int, now_ms: int) -> Worded:
    """A moment on the clock of ``zone``, to the minute: "today at 2:10 in the afternoon"."""
    there, now = (datetime.fromtimestamp(each / 1000, ZoneInfo(zone)) for each in (at_ms, now_ms))
    return Worded(moment(language, there, now))


def _neutral(language: str, told: Told, now_ms: int, main: str, *, stale: bool) -> Utterance:
    """What is said when nothing that was posted can be: the title where it is in the caller's language, else
    the topic's name."""
    title = _posted(told.title)
    if title and catalog.known(language) == catalog.known(main):
        if not stale:
            return catalog.voice(language, "incident_known", title=title)
        age = Worded(duration(language, age_min(told.updated_ms, now_ms)))
        return catalog.voice(language, "incident_stale", title=title, age=age)
    if told.topic:
        topic = catalog.name(language, "topic", told.topic)
        return catalog.voice(language, "incident_known_about", topic=topic)
    return catalog.voice(language, "incident_known_ours")


def _posted(words: str) -> Worded:
    return Worded(plain(words, LONGEST))
