"""The composition root: from settings to a working house, in one place. Every argument is a seam for tests."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from config.catalogue import offerings
from config.settings import Settings
from core.kinds import discovered
from core.ports.blobs import Blobs
from core.ports.clock import Clock, Ids, RandomIds, SystemClock
from core.ports.store import Store
from core.services import Services
from core.services.accounts import Accounts
from core.services.captions import Captions
from core.services.conversations import Conversations
from core.services.datasets import Datasets
from core.services.generations import Generations
from core.services.jobs import Jobs
from core.services.models import Models
from core.services.trainings import Trainings
from core.services.wallets import Wallets
from storage.blobs import GridBlobs
from storage.embedded import embedded_database
from storage.store import connected, mongo_store


@dataclass(frozen=True, kw_only=True)
class House:
    """What everything that runs is given."""

    settings: Settings
    store: Store
    blobs: Blobs
    services: Services


@asynccontextmanager
async def opened(settings: Settings, *, clock: Clock | None = None, ids: Ids | None = None) -> AsyncIterator[House]:
    """The house over the database of the settings; the embedded one is started, or joined, for as long.

    Raises:
        DatabaseUnavailable, StandaloneDatabase: There is no database to work on.
    """
    moment, names = clock or SystemClock(), ids or RandomIds()
    async with AsyncExitStack() as stack:
        uri = settings.mongodb_uri
        if uri is None:
            folder = settings.data_folder / "database"
            uri = (await stack.enter_async_context(embedded_database(folder))).uri
        database = await stack.enter_async_context(connected(uri, name=settings.mongodb_database))
        store, blobs = mongo_store(database), GridBlobs(database, moment)
        services = assembled(settings, store=store, blobs=blobs, clock=moment, ids=names)
        yield House(settings=settings, store=store, blobs=blobs, services=services)


def assembled(settings: Settings, *, store: Store, blobs: Blobs, clock: Clock, ids: Ids) -> Services:
    """All use cases over these ports.

    Raises:
        OfferingBroken: An offering file does not fit.
    """
    offered = offerings(folder=settings.offerings_folder, bases=settings.base_models)
    return Services(
        accounts=Accounts(store=store, clock=clock, ids=ids, admins=settings.admins, cap=settings.daily_points),
        captions=Captions(store=store, clock=clock, ids=ids, captioner=settings.captioner),
        conversations=Conversations(store=store, clock=clock, ids=ids),
        datasets=Datasets(store=store, blobs=blobs, clock=clock, ids=ids),
        generations=Generations(store=store, clock=clock, ids=ids, offerings=offered),
        jobs=Jobs(store=store, clock=clock, ids=ids, kinds=discovered()),
        models=Models(store=store, clock=clock),
        trainings=Trainings(store=store, clock=clock, ids=ids, offerings=offered),
        wallets=Wallets(store=store, clock=clock, ids=ids),
    )
