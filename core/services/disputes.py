"""Disputes: somebody asks for their money back, an admin answers."""

from collections.abc import Collection
from dataclasses import dataclass

from core.domain.account import Account, Actor, Role
from core.domain.audit import Audit
from core.domain.dispute import Dispute, DisputeState, objection, said
from core.domain.errors import DisputeClosed, NotFound, NotThem
from core.domain.ledger import captured
from core.domain.notice import Notice, Topic
from core.domain.value import Value
from core.kinds import staff
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


class Complaint(Value):
    """A dispute that waits: the name of its owner, and what was paid for the job and has not gone back."""

    dispute: Dispute
    owner: str
    paid: int


@dataclass(frozen=True, kw_only=True)
class Disputes:
    """Complaints about what jobs have cost. Paying back closes one too: that is the wallets' part."""

    store: Store
    clock: Clock
    ids: Ids
    admins: Collection[str]

    async def open(self, actor: Actor, job: str, *, why: str) -> Dispute:
        """Ask for what a job of the actor's has cost, once; the admins are told. The same words again change nothing.

        Raises:
            BadValue: No reason is given, or a very long one.
            NotFound: There is no such job, or it is somebody else's.
            DisputeClosed: Nothing was paid, it came back, it is too long ago, or the job was disputed before.
        """
        words, now = said(why), self.clock.now()

        async def work(tx: Repositories) -> Dispute:
            found, known = await tx.jobs.find(job), await tx.disputes.find(job)
            if found is None or found.owner != actor.account:
                raise NotFound(noun="job", name=job, hint="See `receipts`.")
            if known and known.state is DisputeState.OPEN and known.why == words:
                return known
            paid = captured(await tx.ledger.about(job)).total
            if against := objection(known, paid=paid, ended_at=found.ended_at, now=now):
                raise DisputeClosed(why=against)
            opened = Dispute(id=job, owner=actor.account, title=found.title, why=words, opened_at=now)
            await tx.disputes.add(opened)
            title, text = f"{actor.name} wants {paid} back for «{found.title}»", f"{words}\nSee `admin disputes`."
            for admin in await staff(tx, self.admins):
                if admin.id != actor.account:
                    await tx.notices.add(_notice(opened, Topic.DISPUTED, to=admin, title=title, text=text))
            return opened

        return await self.store.transact(work)

    async def waiting(self, actor: Actor) -> list[Complaint]:
        """The disputes that wait for an answer which the actor may give, the oldest first.

        Raises:
            NotAllowed: The actor is no admin.
        """
        actor.require(Role.ADMIN)
        found = [one for one in await self.store.disputes.open() if one.owner != actor.account]
        owners = [await self.store.accounts.get(one.owner) for one in found]
        paid = [captured(await self.store.ledger.about(one.id)).total for one in found]
        return [
            Complaint(dispute=one, owner=owner.name, paid=left)
            for one, owner, left in zip(found, owners, paid, strict=True)
        ]

    async def decline(self, actor: Actor, job: str, *, answer: str) -> Dispute:
        """Pay nothing back, with words for the owner; the same words again change nothing.

        Raises:
            NotAllowed: The actor is no admin.
            BadValue: No answer is given, or a very long one.
            NotFound: Nobody has disputed this job.
            NotThem: The dispute is the actor's own.
            DisputeClosed: It was answered before.
        """
        actor.require(Role.ADMIN)
        words, now = said(answer), self.clock.now()
        audit = Audit(
            id=f"declined:{job}", actor=actor.account, act="admin.decline", subject=job, details={"why": words}, at=now
        )

        async def work(tx: Repositories) -> Dispute:
            found = await tx.disputes.find(job)
            if found is None:
                raise NotFound(noun="dispute", name=job, hint="See `admin disputes`.")
            if found.owner == actor.account:
                raise NotThem(name=actor.name, why="nobody answers their own dispute")
            if (found.state, found.answer, found.closed_by) == (DisputeState.DECLINED, words, actor.account):
                return found
            declined = found.declined(words, by=actor.account, now=now)
            owner = await tx.accounts.get(found.owner)
            title = f"Nothing is paid back for «{found.title}»"
            await tx.disputes.save(declined)
            await tx.notices.add(_notice(declined, Topic.ANSWERED, to=owner, title=title, text=words))
            await tx.audits.add(audit)
            return declined

        return await self.store.transact(work)


def _notice(about: Dispute, topic: Topic, *, to: Account, title: str, text: str) -> Notice:
    return Notice(
        id=f"{topic}:{about.id}:{to.id}",
        account=to.id,
        place=to.home,
        topic=topic,
        details={"title": title, "text": text},
        created_at=about.closed_at or about.opened_at,
    )
