"""The composition root: from settings to a working house, in one place. Every argument is a seam for tests."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from config.captioners import captioners
from config.catalogue import offerings, traits
from config.secrets import signing_keys
from config.settings import Settings
from core.domain.quota import MB, Quota
from core.kinds import discovered
from core.ports.blobs import Blobs
from core.ports.clock import Clock, Ids, RandomIds, SystemClock
from core.ports.store import Store
from core.services import Services
from core.services.accounts import Accounts
from core.services.captionings import Captionings
from core.services.captions import Captions
from core.services.censuses import Censuses
from core.services.characters import Characters
from core.services.communities import Communities
from core.services.connections import Connections
from core.services.consents import Consents
from core.services.conversations import Conversations
from core.services.costs import Costs
from core.services.datasets import Datasets
from core.services.deliveries import Deliveries
from core.services.disputes import Disputes
from core.services.downloads import Downloads
from core.services.drafts import Drafts
from core.services.earnings import Earnings
from core.services.exports import Exports
from core.services.forgettings import Forgettings
from core.services.generations import Generations
from core.services.inboxes import Inboxes
from core.services.intakes import Intakes
from core.services.items import Items
from core.services.jobs import Jobs
from core.services.lineages import Lineages
from core.services.links import Links
from core.services.mendings import Mendings
from core.services.models import Models
from core.services.moderation import Moderation
from core.services.notices import Notices
from core.services.operations import Operations
from core.services.payouts import Payouts
from core.services.publications import Publications
from core.services.purges import Purges
from core.services.replays import Replays
from core.services.reports import Reports
from core.services.retries import Retries
from core.services.reviews import Reviews
from core.services.runs import Runs
from core.services.sessions import Sessions
from core.services.sharings import Sharings
from core.services.steerings import Steerings
from core.services.tokens import Tokens
from core.services.trainings import Trainings
from core.services.uploads import Uploads
from core.services.vouchers import Vouchers
from core.services.wallets import Wallets
from core.services.watches import Watches
from core.services.webhooks import Webhooks
from loraguild.clouds import cloud, vault
from storage.blobs import GridBlobs
from storage.embedded import embedded_database
from storage.repositories.entities import Database
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
    async with ready(settings) as database:
        store, blobs = mongo_store(database), GridBlobs(database, moment)
        services = assembled(settings, store=store, blobs=blobs, clock=moment, ids=names)
        yield House(settings=settings, store=store, blobs=blobs, services=services)


@asynccontextmanager
async def ready(settings: Settings) -> AsyncIterator[Database]:
    """The database of the settings, and nothing over it.

    Raises:
        DatabaseUnavailable, StandaloneDatabase: There is none to work on.
    """
    async with AsyncExitStack() as stack:
        uri = settings.mongodb_uri
        if uri is None:
            folder = settings.data_folder / "database"
            uri = (await stack.enter_async_context(embedded_database(folder))).uri
        yield await stack.enter_async_context(connected(uri, name=settings.mongodb_database))


def assembled(settings: Settings, *, store: Store, blobs: Blobs, clock: Clock, ids: Ids) -> Services:
    """All use cases over these ports.

    Raises:
        OfferingBroken: An offering file does not fit.
        SecretMissing: There is no key to sign links with.
    """
    keys, address = signing_keys(settings), settings.address
    offered = offerings(folder=settings.offerings_folder, bases=settings.base_models)
    quota = Quota(bytes=settings.quota_mb * MB, items=settings.quota_items)
    kinds, admins = discovered(), settings.admins
    vouchers = Vouchers(store=store, clock=clock, ids=ids)
    return Services(
        accounts=Accounts(store=store, clock=clock, ids=ids, admins=admins, cap=settings.daily_points),
        captionings=Captionings(
            store=store, clock=clock, ids=ids, captioners=captioners(settings), captioner=settings.captioner
        ),
        captions=Captions(store=store, clock=clock),
        censuses=Censuses(store=store, clock=clock),
        characters=Characters(store=store, clock=clock, ids=ids, presets=traits()),
        communities=Communities(store=store, clock=clock, ids=ids),
        connections=Connections(
            store=store, clock=clock, ids=ids, keys=keys, address=address, cloud=cloud(settings), vault=vault(keys)
        ),
        consents=Consents(store=store, clock=clock, ids=ids, kinds=kinds, admins=admins),
        conversations=Conversations(store=store, clock=clock, ids=ids),
        costs=Costs(store=store, clock=clock),
        datasets=Datasets(store=store, clock=clock, ids=ids, quota=quota),
        deliveries=Deliveries(store=store, clock=clock),
        disputes=Disputes(store=store, clock=clock, ids=ids, admins=admins),
        downloads=Downloads(clock=clock, keys=keys, address=address),
        drafts=Drafts(store=store, blobs=blobs, clock=clock, ids=ids),
        earnings=Earnings(store=store, clock=clock, ids=ids),
        exports=Exports(store=store, clock=clock, ids=ids),
        forgettings=Forgettings(store=store, clock=clock, ids=ids, kinds=kinds),
        generations=Generations(
            store=store,
            clock=clock,
            ids=ids,
            offerings=offered,
            cap=settings.royalty_daily_cap,
            holding_days=settings.royalty_holding_days,
        ),
        inboxes=Inboxes(store=store, clock=clock, ids=ids),
        intakes=Intakes(store=store, blobs=blobs, clock=clock, ids=ids, quota=quota),
        items=Items(store=store),
        jobs=Jobs(store=store, clock=clock, ids=ids, kinds=kinds),
        lineages=Lineages(store=store),
        links=Links(store=store, clock=clock, ids=ids),
        mendings=Mendings(store=store, clock=clock, ids=ids),
        models=Models(store=store, clock=clock, ids=ids),
        moderation=Moderation(store=store, clock=clock, ids=ids),
        notices=Notices(store=store),
        operations=Operations(store=store, clock=clock, ids=ids),
        payouts=Payouts(
            store=store,
            blobs=blobs,
            clock=clock,
            ids=ids,
            minimum=settings.payout_minimum,
            four_eyes=settings.payout_four_eyes,
            admins=admins,
        ),
        publications=Publications(
            store=store,
            blobs=blobs,
            clock=clock,
            ids=ids,
            offerings=offered,
            retention_days=settings.retention_days,
            epochs_days=settings.epochs_days,
        ),
        purges=Purges(store=store, clock=clock, ids=ids, retention_days=settings.retention_days),
        replays=Replays(store=store, clock=clock),
        reports=Reports(store=store, clock=clock, ids=ids, kinds=kinds, admins=admins),
        retries=Retries(store=store, clock=clock, ids=ids, offerings=offered),
        reviews=Reviews(store=store),
        runs=Runs(store=store, clock=clock, offerings=offered),
        sessions=Sessions(store=store, clock=clock, ids=ids, admins=admins, keys=keys, address=address),
        sharings=Sharings(store=store, clock=clock),
        steerings=Steerings(store=store, clock=clock, offerings=offered),
        tokens=Tokens(store=store, clock=clock, ids=ids, admins=admins),
        trainings=Trainings(store=store, clock=clock, ids=ids, offerings=offered),
        uploads=Uploads(store=store, blobs=blobs, clock=clock, ids=ids, keys=keys, address=address, quota=quota),
        vouchers=vouchers,
        wallets=Wallets(store=store, clock=clock, ids=ids, providers={"voucher": vouchers}),
        watches=Watches(store=store, clock=clock),
        webhooks=Webhooks(store=store, clock=clock, ids=ids, keys=keys, local=settings.webhook_allow_local),
    )
