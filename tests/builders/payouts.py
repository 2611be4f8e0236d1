"""Payouts on their way: what somebody has earned, asked for and been granted, through the real services."""

from typing import Any

from core.domain.account import Actor, Role
from core.domain.ledger import PAID_OUT, REVENUE, Act, Lot, Transaction, balances, between, earnings
from core.domain.payout import Payout, set_aside
from loraguild.composition import House
from tests.builders.scenes import somebody

IBAN = "DE02 1203 0000 0000 2020 51"


async def earned(house: House, owner: Actor, amount: int) -> None:
    """Let somebody have earned so much."""
    entries = between(REVENUE, earnings(owner.account), {Lot.PURCHASED: amount})
    key, now = house.services.conversations.token(), house.services.payouts.clock.now()
    royalty = Transaction(id=key, act=Act.ROYALTY, owner=owner.account, why="a test", entries=entries, at=now)
    await house.store.transact(lambda tx: tx.ledger.post(royalty))


async def asked(house: House, owner: Actor, amount: int = 2000, *, to: str = IBAN) -> Payout:
    """Let somebody earn so much and ask for it."""
    await earned(house, owner, amount)
    key = house.services.conversations.token()
    return await house.services.payouts.request(owner, to=to, amount=amount, key=key)


async def approved(house: House, owner: Actor, admin: Actor, amount: int = 2000) -> Payout:
    """Let somebody earn so much and ask for it, and an admin approve."""
    payout = await asked(house, owner, amount)
    (done,) = await house.services.payouts.approve(admin, [payout.id], key=f"approve {payout.id}")
    return done


async def an_admin(house: House, name: str) -> Actor:
    """Meet somebody who is an admin by role."""
    await changed(house, await somebody(house, name), role=Role.ADMIN)
    return await somebody(house, name)


async def changed(house: House, actor: Actor, **facts: Any) -> None:
    """Change the account of somebody."""
    account = await house.store.accounts.get(actor.account)
    await house.store.accounts.save(account.but(**facts))


async def lies(house: House, owner: Actor, payout: Payout) -> tuple[int, int, int]:
    """How much the owner has earned, how much is on its way, how much has left the house."""
    rows = balances([one async for one in house.store.ledger.everything()])
    names = (earnings(owner.account), set_aside(payout.id), PAID_OUT)
    return tuple(rows[name].purchased if name in rows else 0 for name in names)  # type: ignore[return-value] # three
