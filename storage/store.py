"""The store over MongoDB: all repositories at once, transactions with the driver's own retry, and how to connect."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pymongo
from pymongo import AsyncMongoClient
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from core.domain.account import Identity
from core.domain.action import Action
from core.domain.allowance import Allowance
from core.domain.community import Community
from core.domain.connection import Connection
from core.domain.errors import StandaloneDatabase
from core.domain.inbox import Lead
from core.domain.link import LinkCode, LinkRequest
from core.domain.quote import Quote
from core.domain.replay import Replay
from core.domain.royalty import Remainder
from core.domain.scheduling import Flow
from core.domain.session import SignIn
from core.domain.switch import Switch
from core.domain.token import Token
from core.domain.voucher import Voucher
from core.domain.webhook import Webhook
from core.ports.store import Repositories, Store
from storage.documents import Document
from storage.errors import given_up, translated
from storage.indexes import ensure
from storage.migrations import migrate
from storage.repositories.accounts import Accounts, Audits, Belongings
from storage.repositories.captions import Captions, Scenes
from storage.repositories.censuses import Censuses
from storage.repositories.characters import Characters
from storage.repositories.costs import Costs
from storage.repositories.datasets import Datasets, Items, Parts
from storage.repositories.disputes import Disputes
from storage.repositories.drafts import Drafts
from storage.repositories.entities import Database, Entities, Session
from storage.repositories.exports import Exports
from storage.repositories.generations import Generations
from storage.repositories.jobs import Jobs, Pools
from storage.repositories.ledger import Ledger
from storage.repositories.models import Models
from storage.repositories.notices import Cards, Notices
from storage.repositories.ownership import Ownership
from storage.repositories.payouts import Payouts
from storage.repositories.references import References
from storage.repositories.reports import Reports
from storage.repositories.runs import Runs
from storage.repositories.sessions import Expiring, Sessions
from storage.repositories.snapshots import Snapshots
from storage.repositories.updates import Updates
from storage.repositories.uploads import Uploads
from storage.repositories.usages import Usages
from storage.repositories.webhooks import Posts
from storage.repositories.workers import Workers

T = TypeVar("T")

SECONDS = 30  # for one operation or one whole transaction
SECONDS_TO_CONNECT = 5
RACES = 5  # times a transaction runs again after somebody else inserted the same key first


def repositories(database: Database, session: Session = None) -> Repositories:
    """All repositories, bound to a session's transaction or free."""
    return Repositories(
        accounts=Accounts(database, session),
        actions=Entities(database, session, shape=Action, name="actions"),
        allowances=Entities(database, session, shape=Allowance, name="allowances"),
        audits=Audits(database, session),
        captions=Captions(database, session),
        cards=Cards(database, session),
        censuses=Censuses(database, session),
        characters=Characters(database, session),
        communities=Entities(database, session, shape=Community, name="communities"),
        connections=Entities(database, session, shape=Connection, name="connections"),
        costs=Costs(database, session),
        datasets=Datasets(database, session),
        disputes=Disputes(database, session),
        drafts=Drafts(database, session),
        exports=Exports(database, session),
        flows=Entities(database, session, shape=Flow, name="flows"),
        generations=Generations(database, session),
        identities=Belongings(database, session, shape=Identity, name="identities"),
        items=Items(database, session),
        jobs=Jobs(database, session),
        leads=Entities(database, session, shape=Lead, name="leads"),
        ledger=Ledger(database, session),
        link_codes=Belongings(database, session, shape=LinkCode, name="link_codes"),
        link_requests=Belongings(database, session, shape=LinkRequest, name="link_requests"),
        models=Models(database, session),
        notices=Notices(database, session),
        ownership=Ownership(database, session),
        parts=Parts(database, session),
        payouts=Payouts(database, session),
        pools=Pools(database, session),
        posts=Posts(database, session),
        quotes=Entities(database, session, shape=Quote, name="quotes"),
        references=References(database, session),
        replays=Entities(database, session, shape=Replay, name="replays"),
        remainders=Entities(database, session, shape=Remainder, name="remainders"),
        reports=Reports(database, session),
        runs=Runs(database, session),
        scenes=Scenes(database, session),
        sessions=Sessions(database, session),
        signins=Expiring(database, session, shape=SignIn, name="signins"),
        snapshots=Snapshots(database, session),
        switches=Entities(database, session, shape=Switch, name="switches"),
        tokens=Expiring(database, session, shape=Token, name="tokens"),
        updates=Updates(database, session),
        uploads=Uploads(database, session),
        usages=Usages(database, session),
        vouchers=Entities(database, session, shape=Voucher, name="vouchers"),
        webhooks=Belongings(database, session, shape=Webhook, name="webhooks"),
        workers=Workers(database, session),
    )


@dataclass(frozen=True, kw_only=True)
class MongoStore(Store):
    """The free repositories, and transactions over bound ones."""

    database: Database

    async def transact(self, work: Callable[[Repositories], Awaitable[T]]) -> T:
        """Run the work in one transaction and return what it returns; snapshot reads, majority writes.

        The driver runs it again on transient errors. A key that somebody else inserted first is such an error too:
        the work then finds it and answers accordingly.

        Raises:
            DatabaseUnavailable: The transaction could not be committed.
        """
        for _ in range(RACES):
            try:
                return await self._once(work)
            except DuplicateKeyError as error:
                lost = error
        raise lost

    async def _once(self, work: Callable[[Repositories], Awaitable[T]]) -> T:
        with given_up(), pymongo.timeout(SECONDS):
            async with self.database.client.start_session() as session:
                return await session.with_transaction(
                    lambda bound: work(repositories(self.database, bound)),
                    read_concern=ReadConcern("snapshot"),
                    write_concern=WriteConcern("majority"),
                    read_preference=ReadPreference.PRIMARY,
                )


def mongo_store(database: Database) -> MongoStore:
    """The store over a database."""
    return MongoStore(database=database, **vars(repositories(database)))


def require_transactions(hello: Mapping[str, Any]) -> None:
    """Let a server pass that says it is a replica set's or a router.

    Raises:
        StandaloneDatabase: It is neither.
    """
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StandaloneDatabase


def client_of(uri: str) -> AsyncMongoClient[Document]:
    """A client for a MongoDB URI, not connected yet."""
    return AsyncMongoClient(uri, tz_aware=True, appname="loraguild", timeoutMS=SECONDS * 1000)


@asynccontextmanager
async def connected(uri: str, *, name: str) -> AsyncIterator[Database]:
    """The database `name` at a MongoDB URI, migrated and indexed.

    Raises:
        DatabaseUnavailable: Nobody answers there.
        StandaloneDatabase: The server there has no transactions.
    """
    async with client_of(uri) as client:
        database = client[name]
        with translated(), pymongo.timeout(SECONDS_TO_CONNECT):
            hello = await client.admin.command("hello")
        require_transactions(hello)
        await migrate(database)
        await ensure(database)
        yield database
