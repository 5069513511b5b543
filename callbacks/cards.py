"""What the line and the desk are shown of a promise."""

from __future__ import annotations

from callbacks.tables import Promise
from queueing.records import Card


def card_of(promise: Promise) -> Card:
    """The card that a promise's turn carries."""
    return Card(
        caller=promise.number,
        merchant_id=promise.merchant_id,
        merchant=promise.merchant,
        location=promise.location,
        tier=promise.tier,
        product=promise.product,
        language=promise.language,
        topic=promise.topic,
        note=promise.note,
        promise=promise.id,
        tries=promise.tries,
    )
