"""Callbacks and texts, and which contacts belong to a callback.

Step 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("promise", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("contact", sa.String(length=64), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("call_sid", sa.String(length=64), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("send_by_ms", sa.BigInteger(), nullable=False),
        sa.Column("lease_ms", sa.BigInteger(), nullable=False),
        sa.Column("answered_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("message_left", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_attempt_call_sid", "attempt", ["call_sid"], unique=False)
    op.create_index("ix_attempt_contact", "attempt", ["contact"], unique=False)
    op.create_index("ix_attempt_made_ms", "attempt", ["made_ms"], unique=False)
    op.create_index("ix_attempt_promise_number", "attempt", ["promise", "number"], unique=True)
    op.create_index("ix_attempt_state_lease", "attempt", ["state", "lease_ms"], unique=False)

    op.create_table(
        "callback_switch",
        sa.Column("centre", sa.String(length=32), nullable=False),
        sa.Column("offering", sa.Boolean(), nullable=False),
        sa.Column("keeping", sa.Boolean(), nullable=False),
        sa.Column("max_open", sa.Integer(), nullable=True),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("centre"),
    )
    op.create_table(
        "inbound_text",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("meant", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_inbound_text_at_ms", "inbound_text", ["at_ms"], unique=False)
    op.create_index("ix_inbound_text_number", "inbound_text", ["number"], unique=False)

    op.create_table(
        "opt_out",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "promise",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("open_number", sa.String(length=32), nullable=True),
        sa.Column("contact", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.String(length=16), nullable=False),
        sa.Column("queue", sa.String(length=32), nullable=False),
        sa.Column("band", sa.String(length=32), nullable=False),
        sa.Column("arrival_us", sa.BigInteger(), nullable=False),
        sa.Column("entered_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("by_ms", sa.BigInteger(), nullable=False),
        sa.Column("windowed", sa.Boolean(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("screened", sa.Boolean(), nullable=False),
        sa.Column("typed", sa.Boolean(), nullable=False),
        sa.Column("texts", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("merchant_id", sa.Integer(), nullable=True),
        sa.Column("merchant", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("tier", sa.String(length=32), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("live_contact", sa.String(length=64), nullable=False),
        sa.Column("held_by", sa.String(length=64), nullable=False),
        sa.Column("incident", sa.String(length=64), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("first_rung_ms", sa.BigInteger(), nullable=True),
        sa.Column("met_ms", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ended_by", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("open_number"),
    )
    op.create_index("ix_promise_contact", "promise", ["contact"], unique=False)
    op.create_index("ix_promise_ended_ms", "promise", ["ended_ms"], unique=False)
    op.create_index("ix_promise_live_contact", "promise", ["live_contact"], unique=False)
    op.create_index("ix_promise_made_ms", "promise", ["made_ms"], unique=False)
    op.create_index("ix_promise_merchant_made", "promise", ["merchant_id", "made_ms"], unique=False)
    op.create_index("ix_promise_number", "promise", ["number"], unique=False)
    op.create_index("ix_promise_state_due", "promise", ["state", "due_ms"], unique=False)

    op.create_table(
        "promise_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("promise", sa.String(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_promise_event_at_ms", "promise_event", ["at_ms"], unique=False)
    op.create_index("ix_promise_event_promise_at", "promise_event", ["promise", "at_ms"], unique=False)

    op.create_table(
        "text",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("promise", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=64), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("not_before_ms", sa.BigInteger(), nullable=False),
        sa.Column("send_by_ms", sa.BigInteger(), nullable=True),
        sa.Column("lease_ms", sa.BigInteger(), nullable=True),
        sa.Column("message_sid", sa.String(length=64), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=True),
        sa.Column("done_ms", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_text_incident", "text", ["incident"], unique=False)
    op.create_index("ix_text_made_ms", "text", ["made_ms"], unique=False)
    op.create_index("ix_text_message_sid", "text", ["message_sid"], unique=False)
    op.create_index("ix_text_number_made", "text", ["number", "made_ms"], unique=False)
    op.create_index("ix_text_promise", "text", ["promise"], unique=False)
    op.create_index("ix_text_state_not_before", "text", ["state", "not_before_ms"], unique=False)

    # The version before, which knows no such column, still writes contacts meanwhile.
    op.add_column("contact", sa.Column("promise", sa.String(length=32), nullable=False, server_default=""))
    op.create_index("ix_contact_promise", "contact", ["promise"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_contact_promise", table_name="contact")
    op.drop_column("contact", "promise")
    op.drop_table("text")
    op.drop_table("promise_event")
    op.drop_table("promise")
    op.drop_table("opt_out")
    op.drop_table("inbound_text")
    op.drop_table("callback_switch")
    op.drop_table("attempt")
