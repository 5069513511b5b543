"""What is owed to a merchant is found without going through everything that is open.

Step 0006, after 0005.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_follow_up_merchant_id", "follow_up", ["merchant_id"])


def downgrade() -> None:
    op.drop_index("ix_follow_up_merchant_id", table_name="follow_up")
