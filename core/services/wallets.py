"""Wallets: what somebody has, what was done with it and why, and what admins grant and pay back."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.account import Account, Actor, Role
from core.domain.audit import Audit
from core.domain.errors import BadValue, KeyReused, NotFound
from core.domain.job import Job
from core.domain.ledger import Balance, Transaction, captured, grant, refund
from core.domain.notice import Notice, Topic
from core.domain.value import Value
from core.kinds import wallet
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store

MOST = 1_000_000


class Receipt(Value):
    """Everything that was moved for one job, in order."""

    job: str
    title: str
    state: str
    transactions: tuple[Transaction, ...]


@dataclass(frozen=True, kw_only=True)
class Wallets:
    """The faces of the ledger that people see."""

    store: Store
    clock: Clock
    ids: Ids

    async def view(self, actor: Actor) -> Balance:
        """The actor's points and qoints."""
        return await wallet(self.store, actor.account)

    async def statement(self, actor: Actor, *, limit: int = 10) -> Sequence[Transaction]:
        """The actor's latest transactions, newest first."""
        return await self.store.ledger.of(actor.account, limit=limit)

    async def receipts(self, actor: Actor, *, limit: int = 10) -> list[Receipt]:
        """A receipt for each of the actor's latest paid jobs, newest first."""
        jobs = [job for job in await self.store.jobs.owned(actor.account, limit=limit * 3) if job.price][:limit]
        return [await self._receipt(job.id) for job in jobs]

    async def receipt(self, actor: Actor, job: str) -> Receipt:
        """The receipt of one job.

        Raises:
            NotFound: There is no such job, or it is somebody else's.
        """
        found = await self.store.jobs.find(job)
        if found is None or not found.visible_to(actor):
            raise NotFound(noun="job", name=job, hint="See `train list`.")
        return await self._receipt(job)

    async def _receipt(self, job: str) -> Receipt:
        found = await self.store.jobs.get(job)
        transactions = tuple(await self.store.ledger.about(job))
        return Receipt(job=job, title=found.title, state=found.state.value, transactions=transactions)

    async def grant(self, actor: Actor, *, to: Account, amount: int, why: str, key: str) -> Transaction:
        """Give somebody qoints; the same key again gives nothing more.

        Raises:
            NotAllowed: The actor is no admin.
            BadValue: The amount is not positive, or absurd.
        """
        actor.require(Role.ADMIN)
        if not 0 < amount <= MOST:
            raise BadValue(what="amount", value=str(amount), why=f"it takes 1 to {MOST} qoints")
        now = self.clock.now()
        transaction = grant(amount, key=key, owner=to.id, why=why, now=now)
        notice = Notice(
            id=f"granted:{key}",
            account=to.id,
            place=to.home,
            topic=Topic.GRANTED,
            details={"amount": str(amount), "why": why, "by": actor.name},
            created_at=now,
        )
        audit = Audit(
            id=f"granted:{key}",
            actor=actor.account,
            act="admin.grant",
            subject=to.id,
            details={"amount": str(amount), "why": why},
            at=now,
        )

        async def work(tx: Repositories) -> Transaction:
            known = await tx.ledger.find(transaction.id)
            posted = await tx.ledger.post(transaction)
            if known is None:
                await tx.notices.add(notice)
                await tx.audits.add(audit)
            return posted

        return await self.store.transact(work)

    async def refund(self, actor: Actor, job: str, *, amount: int | None, why: str, key: str) -> Transaction:
        """Pay back what a job has cost, or some of it; the same key again pays nothing more.

        Raises:
            NotAllowed: The actor is no admin.
            NotFound: There is no such job.
            BadValue: The amount is not positive, or more than was captured and has not gone back.
            KeyReused: The key stands for another request.
        """
        actor.require(Role.ADMIN)
        now = self.clock.now()

        async def work(tx: Repositories) -> Transaction:
            if known := await tx.ledger.find(f"refund:{key}"):
                if (known.job, known.why) != (job, why) or amount not in {None, known.amount}:
                    raise KeyReused(key=key)
                return known
            found = await tx.jobs.get(job)
            taken = captured(await tx.ledger.about(job))
            wished = taken.total if amount is None else amount
            back = refund(taken, wished, key=key, owner=found.owner, job=job, why=why, now=now)
            await self._refunded(tx, actor, found, back)
            return await tx.ledger.post(back)

        return await self.store.transact(work)

    async def _refunded(self, tx: Repositories, actor: Actor, job: Job, back: Transaction) -> None:
        owner = await tx.accounts.get(job.owner)
        details = {"amount": str(back.amount), "why": back.why}
        notice = Notice(
            id=back.id,
            account=owner.id,
            place=owner.home,
            topic=Topic.REFUNDED,
            job=job.id,
            details={**details, "what": job.title, "by": actor.name},
            created_at=back.at,
        )
        audit = Audit(id=back.id, actor=actor.account, act="admin.refund", subject=job.id, details=details, at=back.at)
        await tx.notices.add(notice)
        await tx.audits.add(audit)
