"""Accounts: the first contact makes one, roles come from settings and admins, every admin act is audited."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from core.domain.account import (
    Account,
    Actor,
    Identity,
    Notify,
    Place,
    Platform,
    Role,
    Telling,
    Where,
    acting,
    identity_id,
)
from core.domain.audit import Audit
from core.domain.errors import NotThem
from core.domain.ledger import points, refill
from core.domain.notice import Notice, Topic
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
        elif identity.name != name:
            await self._renamed(identity.id, name)
        actor = await self.actor(identity.account)
        await self._refill(actor.account)
        return actor

    async def actor(self, account: str) -> Actor:
        """The actor that an account is now; of one that was taken over, the account that has it.

        Raises:
            NotFound: There is no such account.
        """
        found = await _standing(self.store, account)
        return acting(found, appointed=await self.store.identities.several(self.admins))

    async def logins(self, actor: Actor) -> Sequence[Identity]:
        """All logins that lead to the actor."""
        return await self.store.identities.of(actor.account)

    async def named(self, name: str) -> list[Account]:
        """The accounts whose name begins so."""
        return list(await self.store.accounts.named(name))

    async def known(self, name: str) -> Account | None:
        """The account of this id, or of this login (`discord:1234`)."""
        identity = await self.store.identities.find(name)
        found = await self.store.accounts.find(identity.account if identity else name)
        return await _standing(self.store, found.id) if found else None

    async def acted_as(self, actor: Actor, *, host: str) -> None:
        """Audit that somebody at a trusted console spoke as this actor."""
        await self.store.audits.add(self._audit(actor, "console.as", actor.name, {"host": host}))

    async def notify(self, actor: Actor, *, where: Where | None = None, telling: Telling | None = None) -> Notify:
        """Choose where and how to be told; what is not named stays."""

        async def work(tx: Repositories) -> Notify:
            account = await _standing(tx, actor.account)
            known = account.notify
            chosen = Notify(where=where or known.where, telling=telling or known.telling)
            await tx.accounts.save(account.but(notify=chosen))
            return chosen

        return await self.store.transact(work)

    async def ban(self, actor: Actor, account: Account, *, why: str) -> Account:
        """Let somebody do nothing here any more.

        Raises:
            NotAllowed: The actor is no admin.
            NotThem: It is the actor, or another admin.
        """
        audit = self._audit(actor, "admin.ban", account.id, {"why": why})
        return await self._judged(actor, audit, lambda found: found.but(banned=why), spared="an admin is never banned")

    async def unban(self, actor: Actor, account: Account) -> Account:
        """Let somebody in again.

        Raises:
            NotAllowed: The actor is no admin.
        """
        return await self._judged(
            actor, self._audit(actor, "admin.unban", account.id), lambda one: one.but(banned=None)
        )

    async def role(self, actor: Actor, account: Account, role: Role) -> Account:
        """Give somebody a role.

        Raises:
            NotAllowed: The actor is no admin.
            NotThem: It is the actor, or an admin by setting.
        """
        audit = self._audit(actor, "admin.role", account.id, {"role": role.value})
        return await self._judged(actor, audit, lambda found: found.but(role=role))

    async def verify(self, actor: Actor, account: Account, *, on: bool) -> Account:
        """Say that somebody is of age, or no longer so, and tell them; once more changes nothing.

        Raises:
            NotAllowed: The actor is no moderator.
            NotThem: It is the actor.
        """
        actor.require(Role.MODERATOR)
        now = self.clock.now()
        audit = self._audit(actor, "moderation.adult", account.id, {"state": "on" if on else "off"})
        title = "A moderator has verified that you are of age" if on else "You are no longer verified as of age"
        text = "You can order what is for adults." if on else "Nothing for adults can be ordered until you are."

        async def work(tx: Repositories) -> Account:
            found = await _standing(tx, account.id)
            if found.id == actor.account:
                raise NotThem(name=found.name, why="nobody judges over themselves")
            if (found.adult is not None) is on:
                return found
            verified = found.verified(by=actor.account if on else None, now=now)
            notice = Notice(
                id=f"verified:{audit.id}",
                account=found.id,
                place=found.home,
                topic=Topic.VERIFIED,
                details={"title": title, "text": text},
                created_at=now,
            )
            await tx.accounts.save(verified)
            await tx.audits.add(audit.but(subject=found.id))
            await tx.notices.add(notice)
            return verified

        return await self.store.transact(work)

    async def relate(self, actor: Actor, account: Account, other: Account, *, on: bool) -> tuple[Account, Account]:
        """Mark two accounts as the same person's or household's, or no longer so: between them no royalty is earned.

        Raises:
            NotAllowed: The actor is no admin.
            NotThem: One of them is the actor or related to the actor, or they are one.
        """
        actor.require(Role.ADMIN)
        details = {"with": other.id, "state": "on" if on else "off"}
        audit = self._audit(actor, "admin.related", account.id, details)

        async def work(tx: Repositories) -> tuple[Account, Account]:
            one, two = await _standing(tx, account.id), await _standing(tx, other.id)
            if actor.account in {one.id, two.id, *one.related, *two.related}:
                raise NotThem(name=actor.name, why="nobody judges over themselves, or those they are related to")
            if one.id == two.id:
                raise NotThem(name=one.name, why="it takes two accounts")
            pair = one.marked(two.id, related=on), two.marked(one.id, related=on)
            for marked in pair:
                await tx.accounts.save(marked)
            await tx.audits.add(audit)
            return pair

        return await self.store.transact(work)

    async def _judged(
        self, actor: Actor, audit: Audit, change: Callable[[Account], Account], *, spared: str = ""
    ) -> Account:
        """Change an account and audit it; `spared` is why no admin may be changed so, if none may."""
        actor.require(Role.ADMIN)

        async def work(tx: Repositories) -> Account:
            found = await _standing(tx, audit.subject)
            if found.id == actor.account:
                raise NotThem(name=found.name, why="nobody judges over themselves")
            if await self._appointed(tx, found):
                raise NotThem(name=found.name, why="the setting ADMINS makes them an admin")
            if spared and found.role is Role.ADMIN:
                raise NotThem(name=found.name, why=spared)
            changed = change(found)
            await tx.accounts.save(changed)
            await tx.audits.add(audit.but(subject=found.id))
            return changed

        return await self.store.transact(work)

    async def _appointed(self, tx: Repositories, account: Account) -> bool:
        """Whether any login of an account is an admin by setting."""
        return any(identity.id in self.admins for identity in await tx.identities.of(account.id))

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

    async def _renamed(self, identity: str, name: str) -> None:
        async def work(tx: Repositories) -> None:
            await tx.identities.save((await tx.identities.get(identity)).but(name=name))

        await self.store.transact(work)

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

    def _audit(self, actor: Actor, act: str, subject: str, details: Mapping[str, str] | None = None) -> Audit:
        now = self.clock.now()
        return Audit(id=self.ids.new(), actor=actor.account, act=act, subject=subject, details=details or {}, at=now)


async def _standing(tx: Repositories, account: str) -> Account:
    """The account of an id, or the one that has taken it over."""
    found = await tx.accounts.get(account)
    while found.merged_into:
        found = await tx.accounts.get(found.merged_into)
    return found
