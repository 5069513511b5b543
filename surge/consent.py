"""Whom of an incident's ledger a text reaches: conditions on a row of ``FollowUp``, for questions of SQL.

A merchant is one person here, whichever of their numbers rang; a stranger is their number. Each condition is
answered for a row by an index, so that a look at thousands costs little.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from surge.tables import FollowUp, Subscription


def agreed() -> ColumnElement[bool]:
    """A row's number gets its incident's texts, or another number of its merchant does."""
    theirs = aliased(FollowUp)
    own = select(Subscription.id).where(
        Subscription.incident == FollowUp.incident,
        Subscription.number == FollowUp.number,
        col(Subscription.ended_ms).is_(None),
    )
    another = (
        select(theirs.id)
        .join(
            Subscription,
            (col(Subscription.incident) == theirs.incident) & (col(Subscription.number) == theirs.number),
        )
        .where(
            theirs.incident == FollowUp.incident,
            theirs.merchant_id == FollowUp.merchant_id,
            col(Subscription.ended_ms).is_(None),
        )
    )
    return or_(own.exists(), another.exists())


def told() -> ColumnElement[bool]:
    """Whoever the row is of has been told that it is over, by way of this or another row."""
    theirs = aliased(FollowUp)
    of_merchant = select(theirs.id).where(
        theirs.incident == FollowUp.incident, theirs.merchant_id == FollowUp.merchant_id, theirs.cohort > 0
    )
    of_stranger = select(theirs.id).where(
        theirs.incident == FollowUp.incident,
        theirs.number == FollowUp.number,
        col(theirs.merchant_id).is_(None),
        col(FollowUp.merchant_id).is_(None),
        theirs.cohort > 0,
    )
    return or_(of_merchant.exists(), of_stranger.exists())
