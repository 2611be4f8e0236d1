"""Accounts: the first contact makes one, roles come from settings and admins, every admin act is audited."""

from collections.abc import Collection
from dataclasses import dataclass

from core.domain.account import Account, Actor, Identity, Place, Platform, Role, identity_id
from core.domain.audit import Audit
from core.domain.ledger import points, refill
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """Who is who. `admins` are identities (`console:root`) that are admins by setting; `cap` the daily points."""

    store: Store
    clock: Clock
    ids: Ids
    admins: Collection[str]
    cap: int

    async def welcome(self, platform: Platform, external: str, *, name: str) -> Actor:
        """The actor behind a login: made at first contact, with today's points, an admin where the settings say so."""
        identity = await self.store.identities.find(identity_id(platform, external))
        if identity is None:
            identity = await self.store.transact(lambda tx: self._met(tx, platform, external, name))
        account = await self.store.accounts.get(identity.account)
        await self._refill(account.id)
        role = Role.ADMIN if identity.id in self.admins else account.role
        return Actor(account=account.id, name=account.name, role=role)

    async def acted_as(self, actor: Actor, *, host: str) -> None:
        """Audit that somebody at a trusted console spoke as this actor."""
        await self.store.audits.add(
            Audit(
                id=self.ids.new(),
                actor=actor.account,
                act="console.as",
                subject=actor.name,
                details={"host": host},
                at=self.clock.now(),
            )
        )

    async def named(self, name: str) -> list[Account]:
        """The accounts that are called so."""
        return list(await self.store.accounts.named(name))

    async def _met(self, tx: Repositories, platform: Platform, external: str, name: str) -> Identity:
        now = self.clock.now()
        key = identity_id(platform, external)
        if known := await tx.identities.find(key):
            return known
        home = Place(platform=platform, chat=external)
        account = Account(id=self.ids.new(), name=name, role=Role.USER, home=home, created_at=now)
        identity = Identity(id=key, account=account.id, name=name, created_at=now)
        await tx.accounts.add(account)
        await tx.identities.add(identity)
        return identity

    async def _refill(self, account: str) -> None:
        now = self.clock.now()
        today = refill(await self.store.ledger.balance(points(account)), owner=account, cap=self.cap, now=now)
        if today is None or await self.store.ledger.find(today.id):
            return

        async def work(tx: Repositories) -> None:
            again = refill(await tx.ledger.balance(points(account)), owner=account, cap=self.cap, now=now)
            if again and not await tx.ledger.find(again.id):
                await tx.ledger.post(again)

        await self.store.transact(work)
