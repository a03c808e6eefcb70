"""Who is meant by which message. What a message mentions stands on the message itself."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.database import Transaction
from services.chat.domain.mentions import targets
from services.chat.domain.message import Message
from services.chat.store.tables import MENTION


async def change(tx: Transaction, before: Message, after: Message) -> None:
    """Keep whom a changed message means now, and nobody else."""
    meant, means = set(targets(before.mentions)), set(targets(after.mentions))
    name = {"channel_id": after.place.id, "sequence": after.sequence}
    if gone := meant - means:
        await tx.execute(
            sa.delete(MENTION).where(
                MENTION.c.channel_id == after.place.id,
                MENTION.c.target == sa.any_(sa.bindparam("gone", type_=sa.ARRAY(sa.LargeBinary))),
                MENTION.c.sequence == after.sequence,
            ),
            {"gone": list(gone)},
        )
    if new := means - meant:
        await tx.execute(sa.insert(MENTION), [{**name, "target": target} for target in new])
