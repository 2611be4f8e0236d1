"""Sessions: how people get from a chat, or from a platform that knows them, into the pages, and out again."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.domain.account import Actor, Place, acting
from core.domain.allowance import counted, window
from core.domain.errors import NotFound, NotSignedIn, SignInGone
from core.domain.link import CODE_LENGTH, VALID_FOR, shown
from core.domain.session import (
    ATTEMPTS,
    PURPOSE,
    SESSIONS,
    Session,
    SignIn,
    invitation_hash,
    invited,
    is_typed,
    neighbourhood,
    opened,
    require_present,
    secret_hash,
    used,
)
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """How somebody signs in, once: by a code to type at /login, or by a link. Both are for them alone."""

    code: str = field(repr=False)
    link: str = field(repr=False)
    minutes: int = int(VALID_FOR.total_seconds()) // 60


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A session that has begun; its secret is for the browser's cookie, and kept nowhere."""

    secret: str = field(repr=False)
    session: Session
    actor: Actor


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """Who is signed in where. `admins` are identities that are admins by setting, `address` where the pages are.

    `keys` sign what the pages give a browser to bring back.
    """

    store: Store
    clock: Clock
    ids: Ids
    admins: Collection[str]
    keys: Mapping[str, bytes] = field(repr=False)
    address: str

    async def invite(self, actor: Actor) -> Invitation:
        """A code and a link to sign in with, instead of those before."""
        code, secret, now = self.ids.new()[:CODE_LENGTH], self.ids.code(), self.clock.now()
        rows = [invited(one, account=actor.account, now=now) for one in (code, secret)]

        async def work(tx: Repositories) -> None:
            await _withdraw(tx, actor.account)
            await tx.signins.add_all(rows)

        await self.store.transact(work)
        return Invitation(code=shown(code), link=f"{self.address}/login/{secret}")

    async def peek(self, secret: str) -> str:
        """Whose account a link leads into; nothing is used up. It says nothing of codes: those could be guessed here.

        Raises:
            SignInGone: There is no such link (any more).
            NotSignedIn: There is nobody of that account (any more).
        """
        if is_typed(secret):
            raise SignInGone
        found = await self._invitation(self.store, secret)
        return require_present(await self.store.accounts.find(found.account)).name

    async def redeem(self, secret: str, *, device: str, remote: str | None = None) -> Opened:
        """Sign in by a code or the secret of a link; of many who use it at once, one does.

        Wrong codes from one network are counted, whoever else is right: nobody can shut out others elsewhere, and a
        link always opens.

        Raises:
            TooOften: Too many wrong codes came from there within the hour.
            SignInGone: There is no such code or link (any more).
            NotSignedIn: There is nobody of that account (any more).
            Banned: The account may do nothing here.
        """
        cookie, now = self._secret(), self.clock.now()
        fresh = window(f"{PURPOSE}:{secret_hash(neighbourhood(remote or ''))}", ATTEMPTS, now=now)

        async def work(tx: Repositories) -> Opened | None:
            tried = await tx.allowances.find(fresh.id) or fresh
            again = counted(tried, ATTEMPTS, now=now) if is_typed(secret) else tried
            try:
                found = await self._invitation(tx, secret)
            except SignInGone:
                if again != tried:
                    await tx.allowances.save(again)
                return None
            await _withdraw(tx, found.account)
            actor = await self._actor(tx, found.account)
            return await self._open(tx, actor, cookie, device=device)

        done = await self.store.transact(work)
        if done is None:
            raise SignInGone
        return done

    async def open(self, actor: Actor, *, device: str, proof: str | None = None) -> Opened:
        """Sign in somebody whom a platform has vouched for; a `proof` that could be shown again is good once.

        Raises:
            SignInGone: The proof was used before.
            Banned: The account may do nothing here.
        """
        cookie = self._secret()

        async def work(tx: Repositories) -> Opened:
            if proof:
                shown_once = used(proof, now=self.clock.now())
                if await tx.allowances.find(shown_once.id):
                    raise SignInGone
                await tx.allowances.add(shown_once)
            return await self._open(tx, actor, cookie, device=device)

        return await self.store.transact(work)

    async def seen(self, secret: str) -> tuple[Session, Actor, Place]:
        """Who a cookie's secret belongs to, and where they are told things; it lasts longer by that.

        Raises:
            NotSignedIn: There is no such session (any more), or nobody of that account.
        """
        now = self.clock.now()
        found = await _live(self.store, secret_hash(secret), now=now)
        owner, appointed = await asyncio.gather(
            self.store.accounts.find(found.account), self.store.identities.several(self.admins)
        )
        account = require_present(owner)
        return await self._used(found), acting(account, appointed=appointed), account.home

    async def list(self, actor: Actor) -> Sequence[Session]:
        """The actor's sessions, the one that was used last first."""
        live = [one for one in await self.store.sessions.of(actor.account) if one.expires_at > self.clock.now()]
        return sorted(live, key=lambda one: one.seen_at, reverse=True)

    async def end(self, actor: Actor, handle: str) -> None:
        """Sign out one browser of the actor's.

        Raises:
            NotFound: They have no such session.
        """
        found = next((one for one in await self.list(actor) if one.handle == handle), None)
        if found is None or not await self.store.sessions.remove(found.id):
            raise NotFound(noun="session", name=handle, hint="It may have ended already.")

    async def end_all(self, actor: Actor, *, but: Session | None = None) -> int:
        """Sign out all browsers of the actor's, but for one if it is named; return how many."""
        ended = [one for one in await self.list(actor) if but is None or one.id != but.id]
        for one in ended:
            await self.store.sessions.remove(one.id)
        return len(ended)

    async def close(self, secret: str) -> None:
        """Sign out the browser with this secret in its cookie, whoever it is; nothing where it is signed out."""
        await self.store.sessions.remove(secret_hash(secret))

    async def sweep(self) -> int:
        """Remove invitations and sessions that are over; return how many."""
        now = self.clock.now()
        return await self.store.signins.forget(before=now) + await self.store.sessions.forget(before=now)

    async def _used(self, found: Session) -> Session:
        """Let a session last longer that was used, unless it was just now; of many requests at once, one does so."""
        now = self.clock.now()

        async def work(tx: Repositories) -> Session:
            current = await _live(tx, found.id, now=now)
            if current.is_fresh(now):
                return current
            await tx.sessions.save(current.seen(now))
            return current.seen(now)

        return found if found.is_fresh(now) else await self.store.transact(work)

    def _secret(self) -> str:
        return self.ids.token() + self.ids.token()

    async def _invitation(self, rows: Repositories, secret: str) -> SignIn:
        found = await rows.signins.find(invitation_hash(secret))
        if found is None or found.expires_at <= self.clock.now():
            raise SignInGone
        return found

    async def _actor(self, tx: Repositories, account: str) -> Actor:
        found = require_present(await tx.accounts.find(account))
        return acting(found, appointed=await tx.identities.several(self.admins))

    async def _open(self, tx: Repositories, actor: Actor, secret: str, *, device: str) -> Opened:
        actor.require_welcome()
        session = opened(secret, account=actor.account, device=device, now=self.clock.now())
        known = sorted(await tx.sessions.of(actor.account), key=lambda one: one.seen_at, reverse=True)
        for surplus in known[SESSIONS - 1 :]:
            await tx.sessions.remove(surplus.id)
        await tx.sessions.add(session)
        return Opened(secret=secret, session=session, actor=actor)


async def _live(rows: Repositories, name: str, *, now: datetime) -> Session:
    found = await rows.sessions.find(name)
    if found is None or found.expires_at <= now:
        raise NotSignedIn
    return found


async def _withdraw(tx: Repositories, account: str) -> None:
    for row in await tx.signins.of(account):
        await tx.signins.remove(row.id)
