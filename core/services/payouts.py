"""Payouts: owners ask for what they have earned, admins decide and pay."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.domain.account import Account, Actor, Role
from core.domain.artifact import Artifact
from core.domain.audit import Audit
from core.domain.claim import Claim, asked, news, table
from core.domain.errors import BadValue, KeyReused, NotFound, NothingToDo
from core.domain.event import stepped
from core.domain.ledger import Transaction, debt, earnings, qoints
from core.domain.payout import (
    ACTS,
    WINDOW,
    Circumstances,
    Payout,
    PayoutState,
    line,
    posting,
    require_earned,
    require_thawed,
    spent,
    takes_two,
)
from core.domain.trigger import folded
from core.kinds import announce, generation, staff
from core.ports.blobs import Blobs
from core.ports.clock import Clock, Ids
from core.ports.store import PAGE, Repositories, Store

LARGEST = 2**24  # bytes of a file


@dataclass(frozen=True, kw_only=True)
class Payouts:
    """From earnings to money outside. `four_eyes` is the sum of 30 days above which it takes two admins."""

    store: Store
    blobs: Blobs
    clock: Clock
    ids: Ids
    minimum: int
    four_eyes: int
    admins: Collection[str]

    async def list(self, actor: Actor, *, after: str = "", limit: int = PAGE) -> Sequence[Payout]:
        """The actor's payouts, newest first, from after a payout on.

        Raises:
            NotFound: The actor has no such payout.
        """
        return await self.store.payouts.latest(actor.account, after=after, limit=limit)

    async def view(self, actor: Actor, payout: str) -> Payout:
        """One payout.

        Raises:
            NotFound: There is no such payout, or it is somebody else's.
        """
        return await _found(self.store, actor, payout)

    async def request(self, actor: Actor, *, to: str, amount: int | None, key: str) -> Payout:
        """Ask for earnings as money, all of them unless an amount is given; the same key again asks for nothing more.

        Raises:
            BadValue: The address is none.
            PayoutFrozen: The account has just taken over another.
            NotEnoughEarned: There is less, or it is too little, or the actor owes the house something.
            KeyReused: The key stands for another request.
        """
        address, name, now = line(to, what="address"), self.ids.new(), self.clock.now()

        async def work(tx: Repositories) -> Payout:
            if known := await tx.audits.find(_act(PayoutState.REQUESTED, key)):
                payout = await tx.payouts.get(known.subject)
                if (payout.owner, payout.to) != (actor.account, address) or amount not in {None, payout.amount}:
                    raise KeyReused(key=key)
                return payout
            taken = await _taken(tx, actor.account, amount, least=self.minimum, now=now)
            payout = Payout(id=name, owner=actor.account, amount=taken, to=address, requested_at=now, updated_at=now)
            await self._commit(tx, actor, [payout], key=key)
            return payout

        return await self.store.transact(work)

    async def again(self, actor: Actor, payout: str, *, key: str) -> Payout:
        """Ask once more for what could not be transferred; the same key again changes nothing.

        Raises:
            NotFound: The actor has no such payout.
            PayoutMoved: It has not failed.
            PayoutFrozen, NotEnoughEarned, KeyReused: As for a new request.
        """
        return (await self._step(actor, [payout], PayoutState.REQUESTED, key=key))[0]

    async def cancel(self, actor: Actor, payout: str, *, key: str) -> Payout:
        """Call a request back; the same key again changes nothing.

        Raises:
            NotFound: The actor has no such payout.
            PayoutMoved: Somebody may be transferring it, or it is over.
            KeyReused: The key stands for another payout.
        """
        return (await self._step(actor, [payout], PayoutState.CANCELLED, key=key))[0]

    async def spend(self, actor: Actor, amount: int | None, *, key: str) -> Transaction:
        """Move earnings, all of them unless an amount is given, into the actor's own wallet; once per key.

        Raises:
            NotEnoughEarned: There is less, or the actor owes the house something.
            KeyReused: The key stands for another request.
        """
        now, owner = self.clock.now(), actor.account

        async def work(tx: Repositories) -> Transaction:
            if known := await tx.ledger.find(f"spend:{key}"):
                if known.owner != owner or amount not in {None, known.change(qoints(owner))}:
                    raise KeyReused(key=key)
                return known
            taken = await _taken(tx, owner, amount, least=1, now=now)
            return await tx.ledger.post(spent(taken, key=key, owner=owner, now=now))

        return await self.store.transact(work)

    async def approve(self, actor: Actor, payouts: Sequence[str], *, key: str) -> Sequence[Payout]:
        """Let payouts be transferred, all of them or none; the same key again changes nothing.

        Raises:
            NotAllowed: The actor is no admin.
            NothingToDo, NotFound: None is named, or there is no such payout.
            PayoutMoved: One does not wait for that (any more).
            FourEyes: One is the actor's own, or that of somebody related.
            PayoutFrozen, NotThem: One may not be paid now.
            KeyReused: The key stands for other payouts.
        """
        return await self._step(actor, payouts, PayoutState.APPROVED, key=key)

    async def reject(self, actor: Actor, payout: str, *, why: str, key: str) -> Payout:
        """Give back what was requested, with words for the owner; the same key again changes nothing.

        Raises:
            BadValue: No reason is given, or a very long one.
            NotAllowed, NotFound, PayoutMoved, FourEyes, KeyReused: As for an approval.
        """
        return (await self._step(actor, [payout], PayoutState.REJECTED, note=line(why, what="reason"), key=key))[0]

    async def failed(self, actor: Actor, payout: str, *, why: str, key: str) -> Payout:
        """Give back what could not be transferred, with words for the owner; the same key again changes nothing.

        Raises:
            BadValue: No reason is given, or a very long one.
            NotAllowed, NotFound, PayoutMoved, FourEyes, KeyReused: As for an approval.
        """
        return (await self._step(actor, [payout], PayoutState.FAILED, note=line(why, what="reason"), key=key))[0]

    async def paid(self, actor: Actor, payout: str, *, reference: str) -> Payout:
        """Say that a payout was transferred; the transfer's name outside is the key: it pays one payout, once.

        Raises:
            BadValue: The reference is none, or another payout has it.
            FourEyes: It takes another admin.
            NotAllowed, NotFound, PayoutMoved, PayoutFrozen, NotThem: As for an approval.
        """
        note = line(reference, what="reference")
        try:
            return (await self._step(actor, [payout], PayoutState.PAID, note=note, key=folded(note)))[0]
        except KeyReused as error:
            raise BadValue(what="reference", value=note, why="a payment of this reference is noted already") from error

    async def claims(self, actor: Actor, state: PayoutState, *, month: date | None = None) -> Sequence[Claim]:
        """Everybody's payouts in a state, or those that came into it in a month: what is over, the latest first.

        Raises:
            NotAllowed: The actor is no admin.
        """
        actor.require(Role.ADMIN)
        every = await self.store.payouts.at(state, limit=0)
        found = [one for one in every if month is None or f"{one.updated_at:%Y-%m}" == f"{month:%Y-%m}"]
        return [await self._claim(actor, one) for one in (found if state.open else reversed(found))]

    async def claim(self, actor: Actor, payout: str) -> Claim:
        """One payout as admins see it.

        Raises:
            NotAllowed: The actor is no admin.
            NotFound: There is no such payout.
        """
        actor.require(Role.ADMIN)
        return await self._claim(actor, await _found(self.store, actor, payout))

    async def file(self, actor: Actor, claims: Sequence[Claim], *, name: str) -> Artifact:
        """The CSV file of some payouts, for whoever transfers them; nobody refers to it, so it is gone after a day.

        Raises:
            NotAllowed: The actor is no admin.
            FileTooLarge: They are too many.
        """
        actor.require(Role.ADMIN)
        blob = await self.blobs.put(_whole(table(claims)), name=name, limit=LARGEST)
        return Artifact(name=name, sha256=blob.id, size=blob.size, media_type="text/csv")

    async def _step(
        self, actor: Actor, payouts: Sequence[str], state: PayoutState, *, note: str = "", key: str
    ) -> Sequence[Payout]:
        if not state.own:
            actor.require(Role.ADMIN)
        names, now = tuple(dict.fromkeys(payouts)), self.clock.now()
        if not names:
            raise NothingToDo(why="No payout is named.")

        async def work(tx: Repositories) -> Sequence[Payout]:
            found = [await _found(tx, actor, name, own=state.own) for name in names]
            if known := await tx.audits.find(_act(state, key)):
                if (known.subject, known.details["note"]) != (" ".join(names), note):
                    raise KeyReused(key=key)
                return found
            moved = [one.stepped(state, await self._seen(tx, actor, one), note=note, now=now) for one in found]
            await self._commit(tx, actor, moved, key=key)
            return moved

        return await self.store.transact(work)

    async def _commit(self, tx: Repositories, actor: Actor, payouts: Sequence[Payout], *, key: str) -> None:
        """What belongs to one step of some payouts: money, state, words for those it concerns, one row of audit."""
        for payout in payouts:
            owner = await tx.accounts.get(payout.owner)
            if payout.state is PayoutState.REQUESTED:
                await self._admit(tx, payout, owner)
            if transaction := posting(payout, debt=await tx.ledger.balance(debt(owner.id))):
                await tx.ledger.post(transaction)
            await tx.payouts.save(payout)
            await tx.notices.add(news(payout, owner))
            await announce(tx, stepped(payout), ids=self.ids)
        first = payouts[0]
        audit = Audit(
            id=_act(first.state, key),
            actor=actor.account,
            act=ACTS[first.state],
            subject=" ".join(one.id for one in payouts),
            details={"amount": str(sum(one.amount for one in payouts)), "note": first.reason or first.reference},
            at=first.updated_at,
        )
        await tx.audits.add(audit)

    async def _admit(self, tx: Repositories, payout: Payout, owner: Account) -> None:
        """Let a request pass, and tell the admins of it."""
        require_thawed(owner, now=payout.requested_at)
        await _taken(tx, owner.id, payout.amount, least=self.minimum, now=payout.requested_at)
        for admin in await staff(tx, self.admins):
            if admin.id != owner.id:
                await tx.notices.add(asked(payout, owner, admin))

    async def _seen(self, tx: Repositories, actor: Actor, payout: Payout) -> Circumstances:
        others = await tx.payouts.of(payout.owner, since=payout.requested_at - WINDOW, limit=0)
        return Circumstances(
            by=await tx.accounts.get(actor.account),
            owner=await tx.accounts.get(payout.owner),
            approver=await _standing(tx, payout.approved_by),
            owed=(await tx.ledger.balance(debt(payout.owner))).purchased,
            four_eyes=takes_two(payout, others, above=self.four_eyes),
        )

    async def _claim(self, actor: Actor, payout: Payout) -> Claim:
        seen, payer = await self._seen(self.store, actor, payout), await _standing(self.store, payout.paid_by)
        return Claim.of(payout, seen, payer=payer, now=self.clock.now())


async def _found(tx: Repositories, actor: Actor, payout: str, *, own: bool = False) -> Payout:
    found = await tx.payouts.find(payout)
    if found is None or not found.visible_to(actor) or (own and found.owner != actor.account):
        raise NotFound(noun="payout", name=payout, hint="See `payout list`.")
    return found


async def _standing(tx: Repositories, account: str | None) -> Account | None:
    """The account of an id, or the one that has taken it over."""
    found = await tx.accounts.get(account) if account else None
    while found and found.merged_into:
        found = await tx.accounts.get(found.merged_into)
    return found


async def _taken(tx: Repositories, owner: str, wished: int | None, *, least: int, now: datetime) -> int:
    """What somebody takes of what they have earned so far: all of it, unless an amount is wished."""
    await generation.mature(tx, owner, now=now)
    earned, owed = [(await tx.ledger.balance(name)).purchased for name in (earnings(owner), debt(owner))]
    amount = earned if wished is None else wished
    require_earned(amount, earned=earned, owed=owed, least=least)
    return amount


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _act(state: PayoutState, key: str) -> str:
    return f"{ACTS[state]}:{key}"
