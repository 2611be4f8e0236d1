"""Vouchers: codes that admins sell or give away, each good once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.account import Actor, Role
from core.domain.audit import Audit
from core.domain.errors import KeyReused, NothingToDo, VoucherGone
from core.domain.ledger import Lot
from core.domain.value import Value
from core.domain.voucher import Voucher, require_bounds, shown, voucher_hash
from core.ports.clock import Clock, Ids
from core.ports.payments import Payment
from core.ports.store import Repositories, Store


class Issued(Value):
    """New codes as people read them: the house keeps their hashes, so nobody sees them a second time."""

    codes: tuple[str, ...]
    amount: int
    lot: Lot
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Vouchers:
    """Codes that are worth qoints: the way to pay that every house has."""

    store: Store
    clock: Clock
    ids: Ids

    async def issue(self, actor: Actor, *, amount: int, count: int, days: int, sold: bool, key: str) -> Issued:
        """Make so many codes of an amount each; sold ones are worth purchased qoints, others granted ones.

        Raises:
            NotAllowed: The actor is no admin.
            BadValue: A number is not positive, or absurd.
            NothingToDo: The same key has issued them already; no code is ever shown again.
            KeyReused: The key stands for other codes.
        """
        actor.require(Role.ADMIN)
        require_bounds(amount=amount, count=count, days=days)
        now, lot = self.clock.now(), Lot.PURCHASED if sold else Lot.GRANTED
        details = {"amount": str(amount), "count": str(count), "days": str(days), "lot": lot.value}
        audit = Audit(
            id=f"codes:{key}", actor=actor.account, act="admin.code", subject="codes", details=details, at=now
        )
        codes = [self.ids.code() for _ in range(count)]
        expires_at = now + timedelta(days=days)

        async def work(tx: Repositories) -> None:
            if known := await tx.audits.find(audit.id):
                if known.but(at=now) != audit:
                    raise KeyReused(key=key)
                raise NothingToDo(why="These codes were issued before, and are shown only once. Nothing new was made.")
            await tx.audits.add(audit)
            for code in codes:
                made = Voucher(
                    id=voucher_hash(code),
                    amount=amount,
                    lot=lot,
                    issued_by=actor.account,
                    issued_at=now,
                    expires_at=expires_at,
                )
                await tx.vouchers.add(made)

        await self.store.transact(work)
        return Issued(codes=tuple(map(shown, codes)), amount=amount, lot=lot, expires_at=expires_at)

    async def take(self, tx: Repositories, proof: str, *, account: str, now: datetime) -> Payment:
        """Use up a code for an account, in the caller's transaction; it gets the same answer again.

        Raises:
            VoucherGone: There is no such code (any more).
        """
        found = await tx.vouchers.find(voucher_hash(proof))
        if found is None:
            raise VoucherGone
        await tx.vouchers.save(found.redeemed(by=account, now=now))
        return Payment(amount=found.amount, lot=found.lot, reference=found.id, why="a code was redeemed")
