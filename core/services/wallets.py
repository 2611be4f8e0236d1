"""Wallets: what somebody has, what was done with it and why, what is paid in, and what admins grant and pay back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from core.domain.account import Account, Actor, Role
from core.domain.allowance import counted, window
from core.domain.audit import Audit
from core.domain.dispute import Dispute, DisputeState, objection, said
from core.domain.errors import BadValue, KeyReused, NotFound, NotThem
from core.domain.job import Job
from core.domain.ledger import (
    Act,
    Balance,
    Lot,
    Transaction,
    captured,
    earnings,
    earnings_pending,
    grant,
    points,
    qoints,
    refund,
    sums,
)
from core.domain.notice import Notice, Topic
from core.domain.value import Value
from core.domain.voucher import ATTEMPTS, purchase
from core.kinds import generation, wallet
from core.ports.clock import Clock, Ids
from core.ports.payments import Provider
from core.ports.store import Repositories, Store

MOST = 1_000_000
OF_A_JOB = (Act.HOLD, Act.CAPTURE, Act.RELEASE, Act.REFUND)  # what its owner sees; royalties are other people's
OF_EARNINGS = (Act.ROYALTY, Act.MATURE, Act.CLAWBACK, Act.PAYOUT, Act.RETURN, Act.PAID)
ELSEWHERE = (Act.CAPTURE, *OF_EARNINGS)  # no wallet is touched


class Receipt(Value):
    """Everything that was moved for one job, in order; `disputable` says that the actor may ask for it back."""

    job: str
    title: str
    state: str
    transactions: tuple[Transaction, ...]
    dispute: Dispute | None = None
    disputable: bool = False

    def parts(self, act: Act) -> Counter[Lot]:
        """How much of each lot was moved so."""
        entries = [entry for one in self.transactions if one.act is act for entry in one.entries]
        return sums(entry for entry in entries if entry.amount > 0)


class Overview(Value):
    """What somebody can spend, what is set aside for jobs, what models have earned, and what was moved lately."""

    balance: Balance
    on_hold: int
    earned: int
    latest: tuple[Transaction, ...]


class Statement(Value):
    """A month of a wallet: what was there, every transaction that changed it, and what was left."""

    month: date
    owner: str
    opening: Balance
    transactions: tuple[Transaction, ...]
    closing: Balance


@dataclass(frozen=True, kw_only=True)
class Wallets:
    """The faces of the ledger that people see. `providers` are the ways to pay, by name."""

    store: Store
    clock: Clock
    ids: Ids
    providers: Mapping[str, Provider]

    async def view(self, actor: Actor) -> Balance:
        """The actor's points and qoints."""
        return await wallet(self.store, actor.account)

    async def overview(self, actor: Actor) -> Overview:
        """All that the actor has, and the latest transactions."""
        earned = [await self.store.ledger.balance(name(actor.account)) for name in (earnings, earnings_pending)]
        return Overview(
            balance=await self.view(actor),
            on_hold=sum(job.price for job in await self.store.jobs.active(actor.account)),
            earned=sum(row.total for row in earned),
            latest=tuple(await self.statement(actor)),
        )

    async def statement(self, actor: Actor, *, after: str = "", limit: int = 10) -> Sequence[Transaction]:
        """The latest transactions of the actor's wallet, newest first, from after a transaction on.

        Raises:
            NotFound: The actor has no such transaction.
        """
        return await self.store.ledger.of(actor.account, apart_from=ELSEWHERE, after=after, limit=limit)

    async def monthly(self, actor: Actor, month: date | None = None) -> Statement:
        """The statement of a month (its first day), or of this one: replayed from the actor's entries.

        Raises:
            BadValue: The month has not begun.
        """
        now = self.clock.now()
        start = datetime.combine((month or now.date()).replace(day=1), time(), tzinfo=now.tzinfo)
        if start > now:
            raise BadValue(what="month", value=f"{start:%Y-%m}", why="it has not begun")
        end = (start + timedelta(days=31)).replace(day=1)
        mine = points(actor.account), qoints(actor.account)
        opening = await self.store.ledger.replayed(actor.account, mine, before=start)
        found = await self.store.ledger.between(actor.account, start, end)
        moved = sums(entry for one in found for entry in one.entries if entry.account in mine)
        return Statement(
            month=start.date(),
            owner=actor.account,
            opening=opening,
            transactions=tuple(one for one in found if any(one.change(account) for account in mine)),
            closing=opening.but(**{lot.value: amount + moved[lot] for lot, amount in opening.lots.items()}),
        )

    async def receipts(self, actor: Actor, *, after: str = "", limit: int = 10) -> list[Receipt]:
        """A receipt for each of the actor's latest paid jobs, newest first, from after a job on.

        Raises:
            NotFound: The actor has no such job.
        """
        jobs = await self.store.jobs.paid(actor.account, after=after, limit=limit)
        return [await self._receipt(job) for job in jobs]

    async def receipt(self, actor: Actor, job: str) -> Receipt:
        """The receipt of one job.

        Raises:
            NotFound: There is no such job, or it is somebody else's.
        """
        found = await self.store.jobs.find(job)
        if found is None or not found.visible_to(actor):
            raise NotFound(noun="job", name=job, hint="See `train list`.")
        receipt, known = await self._receipt(found), await self.store.disputes.find(job)
        paid = captured(receipt.transactions).total
        against = objection(known, paid=paid, ended_at=found.ended_at, now=self.clock.now())
        return receipt.but(dispute=known, disputable=found.owner == actor.account and against is None)

    async def _receipt(self, job: Job) -> Receipt:
        transactions = tuple(one for one in await self.store.ledger.about(job.id) if one.act in OF_A_JOB)
        return Receipt(job=job.id, title=job.title, state=job.state.value, transactions=transactions)

    async def redeem(self, actor: Actor, code: str, *, provider: str = "voucher") -> Transaction:
        """Turn a proof of payment into qoints, once: the same again by the same person is the same answer.

        Raises:
            TooOften: The actor has tried too many within the hour.
            NotFound: There is no such way to pay.
            Refused: The proof is worth nothing (any more), as its provider says.
        """
        if provider not in self.providers:
            raise NotFound(noun="way to pay", name=provider, hint=f"There are: {', '.join(self.providers)}.")
        await self._tried(actor, provider)
        now = self.clock.now()

        async def work(tx: Repositories) -> Transaction:
            owner = (await _receiving(tx, actor.account)).id
            paid = await self.providers[provider].take(tx, code, account=owner, now=now)
            key = f"{provider}:{paid.reference}"
            return await tx.ledger.post(purchase(paid.amount, paid.lot, key=key, owner=owner, why=paid.why, now=now))

        return await self.store.transact(work)

    async def _tried(self, actor: Actor, provider: str) -> None:
        now = self.clock.now()
        fresh = window(f"{provider}:{actor.account}", ATTEMPTS, now=now)

        async def work(tx: Repositories) -> None:
            await tx.allowances.save(counted(await tx.allowances.find(fresh.id) or fresh, ATTEMPTS, now=now))

        await self.store.transact(work)

    async def grant(self, actor: Actor, *, to: Account, amount: int, why: str, key: str) -> Transaction:
        """Give somebody qoints; the same key again gives nothing more.

        Raises:
            NotAllowed: The actor is no admin.
            BadValue: The amount is not positive, or absurd, or no reason is given, or a very long one.
            KeyReused: The key stands for another request.
        """
        actor.require(Role.ADMIN)
        if not 0 < amount <= MOST:
            raise BadValue(what="amount", value=str(amount), why=f"it takes 1 to {MOST} qoints")
        words, now = said(why), self.clock.now()
        details = {"amount": str(amount), "why": words}
        notice = Notice(
            id=f"granted:{key}",
            account=to.id,
            place=to.home,
            topic=Topic.GRANTED,
            details={**details, "by": actor.name},
            created_at=now,
        )
        audit = Audit(
            id=f"granted:{key}", actor=actor.account, act="admin.grant", subject=to.id, details=details, at=now
        )

        async def work(tx: Repositories) -> Transaction:
            owner = await _receiving(tx, to.id)
            transaction = grant(amount, key=key, owner=owner.id, why=words, now=now)
            known = await tx.ledger.find(transaction.id)
            posted = await tx.ledger.post(transaction)
            if known is None:
                await tx.notices.add(notice.but(account=owner.id, place=owner.home))
                await tx.audits.add(audit.but(subject=owner.id))
            return posted

        return await self.store.transact(work)

    async def refund(self, actor: Actor, job: str, *, amount: int | None, why: str, key: str) -> Transaction:
        """Pay back what a job has cost, or some of it, and what that has earned others; this ends a dispute about it.

        The same key again pays nothing more.

        Raises:
            NotAllowed: The actor is no admin.
            NotFound: There is no such job.
            NotThem: The job is the actor's own, or that of somebody related to them.
            BadValue: The amount is not positive, or more than was captured and has not gone back, or no reason is
                given, or a very long one.
            KeyReused: The key stands for another request.
        """
        actor.require(Role.ADMIN)
        words, now = said(why), self.clock.now()

        async def work(tx: Repositories) -> Transaction:
            if known := await tx.ledger.find(f"refund:{key}"):
                if (known.job, known.why) != (job, words) or amount not in {None, known.amount}:
                    raise KeyReused(key=key)
                return known
            found = await tx.jobs.get(job)
            owner = await _receiving(tx, found.owner)
            if owner.id == actor.account:
                raise NotThem(name=actor.name, why="nobody pays their own jobs back")
            if owner.is_related(await tx.accounts.get(actor.account)):
                raise NotThem(name=owner.name, why="you are marked as related")
            taken = captured(await tx.ledger.about(job))
            wished = taken.total if amount is None else amount
            back = refund(taken, wished, key=key, owner=owner.id, job=job, why=words, now=now)
            posted = await tx.ledger.post(back)
            await generation.claw_back(tx, found, now=now)
            await self._refunded(tx, actor, found, back, owner=owner)
            return posted

        return await self.store.transact(work)

    async def _refunded(self, tx: Repositories, actor: Actor, job: Job, back: Transaction, *, owner: Account) -> None:
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
        dispute = await tx.disputes.find(job.id)
        if dispute and dispute.state is DisputeState.OPEN:
            await tx.disputes.save(dispute.refunded(back.why, by=actor.account, now=back.at))


async def _receiving(tx: Repositories, account: str) -> Account:
    """The account of an id, or the one that has taken it over; asking for its queue keeps it still meanwhile."""
    found = await tx.accounts.get(account)
    while found.merged_into:
        found = await tx.accounts.get(found.merged_into)
    await tx.jobs.active(found.id)
    return found
