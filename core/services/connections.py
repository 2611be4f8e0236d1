"""Connections: people let us put exports into a folder of their own cloud, without a password in any chat."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.account import Actor
from core.domain.connection import PURPOSE, Connection, Provider, challenge, connection_id
from core.domain.errors import (
    AlreadyConnected,
    CloudNotSetUp,
    CloudRevoked,
    CloudUnavailable,
    ConnectingOver,
    ExtraMissing,
    NotConnected,
)
from core.domain.signature import signed, verified
from core.domain.value import Value
from core.ports.clock import Clock, Ids
from core.ports.clouds import Cloud, Progressed
from core.ports.store import Repositories, Store
from core.ports.vault import Vault


class State(Value):
    """What goes to the provider and comes back: which connection, and the challenge that its proof answers."""

    connection: str
    challenge: str


@dataclass(frozen=True, kw_only=True)
class Connections:
    """Who is connected. `keys` sign what goes through the provider; `cloud` and `vault` are made on their first use.

    What they raise, `CloudNotSetUp` and `ExtraMissing`, everything here raises that needs them.
    """

    store: Store
    clock: Clock
    ids: Ids
    keys: Mapping[str, bytes] = field(repr=False)
    address: str
    cloud: Callable[[], Cloud]
    vault: Callable[[], Vault]

    @property
    def redirect(self) -> str:
        """The page that a provider sends people back to."""
        return f"{self.address}/connect/{Provider.DROPBOX}"

    @property
    def offered(self) -> bool:
        """Whether its operator has set a cloud up, and what it takes is installed."""
        try:
            self.cloud()
            self.vault()
        except (CloudNotSetUp, ExtraMissing):
            return False
        return True

    async def of(self, actor: Actor) -> Connection | None:
        """The actor's connection, if there is one that works as far as we know."""
        found = await self.store.connections.find(connection_id(actor.account, Provider.DROPBOX))
        return found if found and found.ready else None

    async def begin(self, actor: Actor) -> str:
        """Where the actor lets us in, within 10 minutes; show it in private only. The link before it is over.

        Raises:
            AlreadyConnected: They did before.
        """
        cloud, vault = self.cloud(), self.vault()
        verifier = "".join(self.ids.token() for _ in range(4))  # 64 characters; RFC 7636 wants 43 to 128
        begun = Connection(
            id=connection_id(actor.account, Provider.DROPBOX),
            account=actor.account,
            provider=Provider.DROPBOX,
            sealed=vault.seal(verifier),
            created_at=self.clock.now(),
        )

        async def work(tx: Repositories) -> None:
            found = await tx.connections.find(begun.id)
            if found and found.ready:
                raise AlreadyConnected(name=found.name)
            await tx.connections.save(begun)

        await self.store.transact(work)
        state = State(connection=begun.id, challenge=challenge(verifier))
        text = signed(state.model_dump_json(), purpose=PURPOSE, keys=self.keys)
        return cloud.page(state=text, challenge=state.challenge, redirect=self.redirect)

    async def whose(self, state: str) -> str:
        """Who began this, by the name they have here; nothing is used up.

        Raises:
            BadLink: Nobody did.
            ConnectingOver: It is over.
        """
        found, _ = await self._underway(self.store, state)
        return (await self.store.accounts.get(found.account)).name

    async def finish(self, state: str, code: str) -> Connection:
        """Use a code up and keep the token that it brings, encrypted. However it ends, it cannot be done again.

        Raises:
            BadLink: Nobody has begun this.
            ConnectingOver: It is over, or was done before, or the provider does not know the code.
            CloudUnavailable: The provider does not answer.
        """
        cloud, vault = self.cloud(), self.vault()

        async def use(tx: Repositories) -> tuple[Connection, str]:
            found, verifier = await self._underway(tx, state)
            used = found.but(sealed="")
            await tx.connections.save(used)
            return used, verifier

        used, verifier = await self.store.transact(use)
        grant = await cloud.exchange(code, verifier=verifier, redirect=self.redirect)
        done = used.but(sealed=vault.seal(grant.token), name=grant.name, ready=True)

        async def keep(tx: Repositories) -> bool:
            is_wanted = await tx.connections.find(used.id) == used
            if is_wanted:
                await tx.connections.save(done)
            return is_wanted

        if not await self.store.transact(keep):
            await cloud.revoke(grant.token)
            raise ConnectingOver
        return done

    async def forget(self, actor: Actor) -> bool:
        """Forget the actor's token, and give it back; whether the provider has heard of that.

        Raises:
            NotConnected: There is none.
        """
        name = connection_id(actor.account, Provider.DROPBOX)

        async def work(tx: Repositories) -> Connection:
            found = await tx.connections.find(name)
            if found is None:
                raise NotConnected
            await tx.connections.remove(name)
            return found

        gone = await self.store.transact(work)
        try:
            if gone.ready:
                await self.cloud().revoke(self._token(gone))
        except CloudRevoked:
            return True
        except (CloudUnavailable, CloudNotSetUp, ExtraMissing):
            return False
        return True

    async def upload(self, account: str, file: Path, *, path: str, progressed: Progressed) -> str:
        """Put a file into somebody's folder, and return where they find it.

        Raises:
            NotConnected: They are not connected (any more).
            CloudRevoked: They have taken the permission back; they are not connected from now on.
            CloudFull, CloudUnavailable: It does not go in.
        """
        found = await self.store.connections.find(connection_id(account, Provider.DROPBOX))
        if found is None or not found.ready:
            raise NotConnected
        try:
            return await self.cloud().upload(self._token(found), file, path=path, progressed=progressed)
        except CloudRevoked:
            await self._ended(found)
            raise

    def _token(self, found: Connection) -> str:
        token = self.vault().open(found.sealed)
        if token is None:  # the key that sealed it is gone
            raise CloudRevoked
        return token

    async def _underway(self, rows: Repositories, state: str) -> tuple[Connection, str]:
        """The connection that a state is about, and its proof."""
        asked = State.model_validate_json(verified(state, purpose=PURPOSE, keys=self.keys))
        found = await rows.connections.find(asked.connection)
        if found is None:
            raise ConnectingOver
        found.require_underway(self.clock.now())
        verifier = self.vault().open(found.sealed)
        if verifier is None or challenge(verifier) != asked.challenge:
            raise ConnectingOver
        return found, verifier

    async def _ended(self, known: Connection) -> None:
        async def work(tx: Repositories) -> None:
            if await tx.connections.find(known.id) == known:
                await tx.connections.save(known.but(sealed="", ready=False))

        await self.store.transact(work)
