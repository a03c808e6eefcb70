"""Mail on its way, and the proofs it carries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.auth.domain import Account, Mail, MailKind, Proof, Purpose, due_again, new_mail
from services.auth.store import accounts
from services.auth.store.tables import MAIL, PROOF


async def add_proof(tx: Transaction, proof: Proof) -> None:
    """Keep a proof; the same one again is kept once."""
    await tx.execute(
        insert(PROOF)
        .values(
            id=proof.id,
            account_id=proof.account_id,
            purpose=proof.purpose,
            email=proof.email,
            token_hash=proof.token_hash,
            expire_time=proof.expire_time,
        )
        .on_conflict_do_nothing(index_elements=[PROOF.c.id])
    )


async def take_proof(
    tx: Transaction, proof_id: UUID, token_hash: bytes, purpose: Purpose, now: datetime
) -> Proof | None:
    """Use up a proof. None when there is none (any more)."""
    used = (
        sa.delete(PROOF)
        .where(
            PROOF.c.id == proof_id,
            PROOF.c.token_hash == token_hash,
            PROOF.c.purpose == purpose,
            PROOF.c.expire_time > now,
        )
        .returning(PROOF)
    )
    row = (await tx.execute(used)).one_or_none()
    if row is None:
        return None
    return Proof(
        row.id, row.account_id, Purpose(row.purpose), row.email, row.token_hash, row.expire_time
    )


async def drop_proofs(tx: Transaction, account_id: UUID, purpose: Purpose) -> None:
    """Void every proof of an account for a purpose."""
    await tx.execute(
        sa.delete(PROOF).where(PROOF.c.account_id == account_id, PROOF.c.purpose == purpose)
    )


async def void(tx: Transaction, account: Account) -> None:
    """Void what could still give an account another password or another address."""
    elsewhere = sa.or_(PROOF.c.purpose == Purpose.RESET_PASSWORD, PROOF.c.email != account.email)
    await tx.execute(sa.delete(PROOF).where(PROOF.c.account_id == account.id, elsewhere))
    await tx.execute(
        sa.delete(MAIL).where(
            MAIL.c.handle == account.handle,
            MAIL.c.kind == MailKind.CHANGE_EMAIL,
            MAIL.c.sent_time.is_(None),
        )
    )


async def notify(tx: Transaction, kind: MailKind, account: Account, now: datetime) -> None:
    """Keep a notice for an account's owner: one that is not verified may be anybody's."""
    if account.verified_email is not None:
        await add_mail(tx, new_mail(kind, account.verified_email, now, account.handle))


async def notify_owner(tx: Transaction, kind: MailKind, account_id: UUID) -> None:
    """Keep a notice for the owner of an account there is."""
    found = await accounts.account(tx, account_id)
    if found is not None:
        await notify(tx, kind, found, datetime.now(UTC))


async def add_mail(tx: Transaction, mail: Mail) -> None:
    """Keep mail to be sent; while the same waits already, it waits once."""
    await tx.execute(
        insert(MAIL)
        .values(
            id=mail.id,
            kind=mail.kind,
            recipient=mail.recipient,
            handle=mail.handle,
            attempts=mail.attempts,
            due_time=sa.func.now(),
            expire_time=mail.expire_time,
        )
        .on_conflict_do_nothing(
            index_elements=[MAIL.c.kind, MAIL.c.recipient, MAIL.c.handle],
            index_where=MAIL.c.sent_time.is_(None),
        )
    )


async def follow_handle(tx: Transaction, before: str, now: str) -> None:
    """Have the mail about an account be about it under its other handle."""
    # Who had mail sent to the handle while it was nobody's is answered by the account's own.
    waits = MAIL.c.sent_time.is_(None)
    await tx.execute(sa.delete(MAIL).where(MAIL.c.handle == now, waits))
    await tx.execute(sa.update(MAIL).where(MAIL.c.handle == before).values(handle=now))


async def claim_mail(tx: Transaction, limit: int) -> Sequence[Mail]:
    """Mail that is due, the longest waiting first. Nobody else gets it until it is due again."""
    due = (
        sa.select(MAIL.c.id, MAIL.c.attempts)
        .where(MAIL.c.sent_time.is_(None), MAIL.c.due_time <= sa.func.now())
        .order_by(MAIL.c.due_time)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed: list[Mail] = []
    for waiting in (await tx.execute(due)).all():
        attempts = waiting.attempts + 1
        row = (
            await tx.execute(
                sa.update(MAIL)
                .where(MAIL.c.id == waiting.id)
                .values(attempts=attempts, due_time=sa.func.now() + due_again(attempts))
                .returning(MAIL)
            )
        ).one()
        claimed.append(
            Mail(row.id, MailKind(row.kind), row.recipient, row.handle, attempts, row.expire_time)
        )
    return claimed


async def mail_is_sent(tx: Transaction, mail_id: UUID) -> None:
    """Remember that mail was sent."""
    await tx.execute(sa.update(MAIL).where(MAIL.c.id == mail_id).values(sent_time=sa.func.now()))


async def drop_mail(tx: Transaction, mail_id: UUID) -> None:
    """Give up mail that nobody is to get."""
    await tx.execute(sa.delete(MAIL).where(MAIL.c.id == mail_id))


async def told(tx: Transaction, mail: Mail) -> tuple[int, int]:
    """How often an address was told a kind of thing lately: about this account, and any."""
    about = sa.func.count().filter(MAIL.c.handle == mail.handle).label("about")
    row = (
        await tx.execute(
            sa.select(about, sa.func.count().label("any")).where(
                MAIL.c.recipient == mail.recipient,
                MAIL.c.kind == mail.kind,
                MAIL.c.sent_time.is_not(None),
                MAIL.c.expire_time > sa.func.now(),
            )
        )
    ).one()
    return int(row.about), int(row.any)


async def forget_expired(tx: Transaction) -> None:
    """Drop the proofs and the mail whose time is over."""
    for table in (PROOF, MAIL):
        await tx.execute(sa.delete(table).where(table.c.expire_time < sa.func.now()))
