"""Tokens: people issue them to their programs, and take them back."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from core.domain.account import Actor, Place, Role, acting
from core.domain.errors import NotFound, NotSignedIn, TooManyTokens
from core.domain.session import require_present, secret_hash
from core.domain.token import (
    KEPT,
    LENGTH,
    PREFIX,
    SIGN,
    TOKENS,
    Scope,
    Token,
    checked_days,
    checked_name,
    checked_scopes,
)
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A token that was just issued; its secret is shown once, and kept nowhere."""

    secret: str = field(repr=False)
    token: Token


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What programs show. `admins` are identities that are admins by setting."""

    store: Store
    clock: Clock
    ids: Ids
    admins: Collection[str]

    async def issue(self, actor: Actor, *, name: str, scopes: Collection[Scope], days: int) -> Issued:
        """A token for some of what the actor may do, for so many days. No edge lets a token ask for another.

        Raises:
            BadValue: The name, the scopes or the days do not fit.
            NotAllowed: It is for what moderators and admins do, and the actor is neither.
            TooManyTokens: The actor has enough of them.
        """
        chosen, now = checked_scopes(scopes), self.clock.now()
        if Scope.ADMIN in chosen:
            actor.require(Role.MODERATOR)
        secret = SIGN + (self.ids.code() + self.ids.code())[:LENGTH]
        token = Token(
            id=secret_hash(secret),
            account=actor.account,
            name=checked_name(name),
            prefix=secret[:PREFIX],
            scopes=chosen,
            created_at=now,
            expires_at=now + checked_days(days),
        )

        async def work(tx: Repositories) -> Issued:
            if sum(one.is_good(now) for one in await tx.tokens.of(actor.account)) >= TOKENS:
                raise TooManyTokens(most=TOKENS)
            await tx.tokens.add(token)
            return Issued(secret=secret, token=token)

        return await self.store.transact(work)

    async def list(self, actor: Actor) -> Sequence[Token]:
        """The actor's tokens, the latest issued first; those too that are over since lately."""
        return sorted(await self.store.tokens.of(actor.account), key=lambda one: one.created_at, reverse=True)

    async def revoke(self, actor: Actor, handle: str) -> Token:
        """Let a token of the actor's open nothing any more; once more changes nothing.

        Raises:
            NotFound: They have no such token.
        """
        now = self.clock.now()

        async def work(tx: Repositories) -> Token:
            found = next((one for one in await tx.tokens.of(actor.account) if one.handle == handle), None)
            if found is None:
                raise NotFound(noun="token", name=handle, hint="Your account's page lists yours.")
            await tx.tokens.save(found.revoked(now))
            return found.revoked(now)

        return await self.store.transact(work)

    async def seen(self, secret: str) -> tuple[Token, Actor, Place]:
        """Who a secret belongs to, as it lets them act, and where they are told things.

        That it was used is remembered to the minute.

        Raises:
            NotSignedIn: There is no such token (any more), or nobody of that account.
        """
        found = await self._good(self.store, secret_hash(secret))
        owner, appointed = await asyncio.gather(
            self.store.accounts.find(found.account), self.store.identities.several(self.admins)
        )
        account = require_present(owner)
        return await self._used(found), found.shown_by(acting(account, appointed=appointed)), account.home

    async def sweep(self) -> int:
        """Remove tokens that are over for long; return how many."""
        return await self.store.tokens.forget(before=self.clock.now() - KEPT)

    async def _used(self, found: Token) -> Token:
        """Remember that a token was used, unless it was just now; of many requests at once, one does so."""
        now = self.clock.now()

        async def work(tx: Repositories) -> Token:
            current = await self._good(tx, found.id)
            if current.is_fresh(now):
                return current
            await tx.tokens.save(current.but(used_at=now))
            return current.but(used_at=now)

        return found if found.is_fresh(now) else await self.store.transact(work)

    async def _good(self, rows: Repositories, name: str) -> Token:
        found = await rows.tokens.find(name)
        if found is None or not found.is_good(self.clock.now()):
            raise NotSignedIn
        return found
