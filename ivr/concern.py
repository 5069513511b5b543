"""What is known of a caller, as incidents ask it, and which incident a call is most likely about.

Pure: the merchant by the number, the shop and the topic by what was pressed, and what they told us.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ivr import heard as heards
from ivr.slips import Slip
from merchants.recognition import Recognised
from queueing.records import Card
from surge.directive import Told
from surge.matching import Caller, Matched, ranked
from surge.states import Match

SAYS_SO = Matched(Match.MATCH, "they say that their call is about this")


def caller_of(slip: Slip, who: Recognised) -> Caller:
    merchant = who.merchant
    places = tuple(place.name for place in who.chosen(slip.location).locations)
    if merchant is None:  # the directory may be away: the slip knows who was recognised before
        return Caller(merchant_id=slip.merchant or None, topic=slip.topic)
    return Caller(
        merchant_id=merchant.id,
        products=(merchant.product,) if merchant.product else (),
        region=merchant.region,
        rail=merchant.rail,
        devices=merchant.devices,
        locations=places,
        topic=slip.topic,
    )


def touching(incidents: Iterable[Told], slip: Slip, who: Recognised) -> list[tuple[Told, Matched]]:
    """The incidents that touch the caller, or may: what they said of one outweighs what we think of it."""
    said = heards.read(slip.heard)
    none = heards.Heard(0)
    found = ranked(incidents, caller_of(slip, who))
    theirs = [
        (told, SAYS_SO if said.get(told.id, none).has(heards.YES) else matched)
        for told, matched in found
        if not said.get(told.id, none).has(heards.NO)
    ]
    return sorted(theirs, key=lambda pair: pair[1] is not SAYS_SO)


def noted(card: Card, incidents: Iterable[Told], slip: Slip, who: Recognised) -> Card:
    """The card with the incident that the call is most likely about, if there is one."""
    for told, matched in touching(incidents, slip, who):
        return replace(card, incident=told.id, match=matched.match.value, reason=matched.reason)
    return card
