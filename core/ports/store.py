"""What core asks of the database: one repository per noun, and transactions over all of them."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from core.domain.account import Account, Identity, Place, Platform, Role
from core.domain.action import Action
from core.domain.allowance import Allowance
from core.domain.audit import Audit
from core.domain.caption import MAIN, CaptionVersion, Scene
from core.domain.census import Crowd, Totals
from core.domain.character import Character
from core.domain.community import Community
from core.domain.connection import Connection
from core.domain.conversation import Part
from core.domain.cost import Cost, Total
from core.domain.dataset import Dataset, Scope, Status
from core.domain.dispute import Dispute
from core.domain.draft import Draft
from core.domain.export import Export
from core.domain.fleet import Worker
from core.domain.generation import Generation
from core.domain.inbox import Lead, Update
from core.domain.item import Item
from core.domain.job import Job, JobState
from core.domain.ledger import Act, Balance, Transaction
from core.domain.link import LinkCode, LinkRequest
from core.domain.model import Model
from core.domain.notice import Card, Notice
from core.domain.payout import Payout, PayoutState
from core.domain.quota import Usage as Stored
from core.domain.quote import Quote
from core.domain.rating import Rating
from core.domain.replay import Replay
from core.domain.report import Report
from core.domain.royalty import Remainder, Tally, Usage
from core.domain.run import MetricsPoint, Run
from core.domain.scheduling import Flow, Pool
from core.domain.session import Session, SignIn
from core.domain.snapshot import Snapshot
from core.domain.switch import Switch
from core.domain.token import Token
from core.domain.upload import Upload
from core.domain.value import Entity
from core.domain.voucher import Voucher
from core.domain.webhook import Post, Webhook

E = TypeVar("E", bound=Entity)
T = TypeVar("T")

PAGE = 25


class Repository(Protocol[E]):
    """Entities of one noun by id."""

    async def find(self, name: str) -> E | None:
        """The entity of this id, if there is one."""
        ...

    async def get(self, name: str) -> E:
        """The entity of this id.

        Raises:
            NotFound: There is none.
        """
        ...

    async def several(self, names: Collection[str]) -> Sequence[E]:
        """The entities of these ids, by id, as far as there are any."""
        ...

    async def add(self, entity: E) -> None:
        """Insert a new entity."""
        ...

    async def save(self, entity: E) -> None:
        """Replace the entity of the same id; read it in the same transaction first."""
        ...

    async def add_all(self, entities: Sequence[E]) -> None:
        """Insert new entities in one go."""
        ...

    async def save_all(self, entities: Sequence[E]) -> None:
        """Replace entities of the same ids in one go; read them in the same transaction first."""
        ...

    async def remove(self, name: str) -> bool:
        """Delete the entity of this id; whether there was one: of two who ask at the same time, one is told so."""
        ...

    def everything(self) -> AsyncIterator[E]:
        """All of them, in no order, for a proof."""
        ...


class Accounts(Repository[Account], Protocol):
    """Persons."""

    async def named(self, name: str) -> Sequence[Account]:
        """Those whose name begins so, by name, for admins to name them; nobody who was forgotten."""
        ...

    async def covering(self, role: Role) -> Sequence[Account]:
        """Those whose role is this one, or one that includes it."""
        ...

    async def taken_over(self, account: str) -> Sequence[Account]:
        """Those that an account has taken over."""
        ...

    async def forgetting(self, *, limit: int = PAGE) -> Sequence[Account]:
        """Those who wished to be forgotten, and of whom something may be left."""
        ...

    async def page(self, *, after: str = "", limit: int = PAGE) -> Sequence[Account]:
        """Everyone that was not taken over by another account, or forgotten, by id from after an id on."""
        ...


class Belonging(Repository[E], Protocol[E]):
    """What belongs to one account: logins, codes, requests."""

    async def of(self, account: str) -> Sequence[E]:
        """All that belong to an account."""
        ...


class Expiring(Belonging[E], Protocol[E]):
    """What belongs to one account for some time: sign-ins, sessions, tokens."""

    async def forget(self, *, before: datetime) -> int:
        """Remove what was over before a moment; return how many."""
        ...


class Audits(Repository[Audit], Protocol):
    """The audit log."""

    async def latest(self, *, actor: str | None = None, after: str = "", limit: int = PAGE) -> Sequence[Audit]:
        """The latest acts, of one account if it is named, newest first, from after an act on.

        Raises:
            NotFound: There is no such act to go on from.
        """
        ...


class Drafts(Repository[Draft], Protocol):
    """Commands that are still being asked for."""

    async def of(self, account: str, place: Place, *, now: datetime) -> Sequence[Draft]:
        """The drafts of an account in a place that have not expired, newest first."""
        ...

    async def open_on(self, platform: Platform, *, now: datetime) -> Sequence[Draft]:
        """All drafts of a platform that have not expired."""
        ...

    async def expired(self, platform: Platform, *, now: datetime, limit: int = PAGE) -> Sequence[Draft]:
        """Drafts of a platform whose time is over."""
        ...


class Updates(Repository[Update], Protocol):
    """The inbox of what platforms sent."""

    async def put(self, *updates: Update) -> int:
        """Insert those that are new, in one go, and return how many they were."""
        ...

    async def waiting(self, platform: str, *, limit: int = PAGE) -> Sequence[Update]:
        """What is not done yet, in the platform's order."""
        ...

    async def forget(self, *, before: datetime) -> int:
        """Remove what is done and was received before a moment; return how many."""
        ...


class Uploads(Repository[Upload], Protocol):
    """Upload sessions."""

    async def stale(self, *, now: datetime, limit: int = PAGE) -> Sequence[Upload]:
        """Open sessions whose time is over."""
        ...

    async def open_for(self, dataset: str, *, now: datetime) -> Sequence[Upload]:
        """The sessions of a dataset that still take files, oldest first."""
        ...

    async def opened(self, account: str, *, now: datetime) -> int:
        """How many sessions of an account still take files."""
        ...

    async def reserved(self, account: str, *, now: datetime) -> int:
        """How many bytes are announced in the sessions of an account that still take files."""
        ...


class Ownership(Protocol):
    """Who owns what, over all nouns."""

    async def move(self, old: str, new: str, *, name: str) -> None:
        """Give everything that one account owns to another of this name; the ledger's past stays as it is."""
        ...

    async def erase(self, account: str) -> None:
        """Delete what is about nobody but an account, and all words in the rest; what others need stays by its id."""
        ...


class Ledger(Protocol):
    """The append-only ledger and the balances it adds up to."""

    async def post(self, transaction: Transaction) -> Transaction:
        """Append a transaction and move the balances with it; the same key and content again changes nothing.

        Raises:
            KeyReused: The key stands for other content.
            Overdrawn: A person's balance would go below zero.
        """
        ...

    async def find(self, key: str) -> Transaction | None:
        """The transaction under a key."""
        ...

    async def balance(self, account: str) -> Balance:
        """What a ledger account holds; nothing where it never held anything."""
        ...

    async def of(
        self, owner: str, *, apart_from: Collection[Act] = (), after: str = "", limit: int = PAGE
    ) -> Sequence[Transaction]:
        """The owner's transactions, but for some acts, newest first, from after a transaction on.

        Raises:
            NotFound: There is no such transaction to go on from.
        """
        ...

    async def between(self, owner: str, start: datetime, end: datetime) -> Sequence[Transaction]:
        """The owner's transactions from one moment until before another, oldest first."""
        ...

    async def replayed(self, owner: str, accounts: Collection[str], *, before: datetime) -> Balance:
        """What the owner's transactions before a moment add up to in some ledger accounts together."""
        ...

    async def about(self, job: str) -> Sequence[Transaction]:
        """The transactions of one job, in order."""
        ...

    def everything(self) -> AsyncIterator[Transaction]:
        """All transactions, for a proof."""
        ...

    def balances(self) -> AsyncIterator[Balance]:
        """All balance rows, for a proof."""
        ...


class Disputes(Repository[Dispute], Protocol):
    """Complaints about what jobs have cost."""

    async def open(self, *, limit: int = PAGE) -> Sequence[Dispute]:
        """Those that nobody has answered, the oldest first."""
        ...


class Generations(Repository[Generation], Protocol):
    """Pictures made from prompts."""

    async def owned(self, owner: str, *, after: str = "", limit: int = PAGE) -> Sequence[Generation]:
        """The owner's generations that are not deleted, newest first, from after one on.

        Raises:
            NotFound: There is no such generation of theirs to go on after.
        """
        ...

    async def unname(self, model: str, names: Collection[str]) -> None:
        """Call a model no longer by its names, in whatever was drawn with it."""
        ...


class Payouts(Repository[Payout], Protocol):
    """Money that leaves."""

    async def of(self, owner: str, *, since: datetime | None = None, limit: int = PAGE) -> Sequence[Payout]:
        """The owner's payouts, requested since a moment if one is given, newest first."""
        ...

    async def latest(self, owner: str, *, after: str = "", limit: int = PAGE) -> Sequence[Payout]:
        """The owner's payouts, newest first, from after a payout on.

        Raises:
            NotFound: There is no such payout to go on from.
        """
        ...

    async def at(self, state: PayoutState, *, limit: int = PAGE) -> Sequence[Payout]:
        """Everybody's payouts in a state, the longest requested first."""
        ...


class Costs(Repository[Cost], Protocol):
    """What jobs took of devices."""

    async def of(self, kind: str, offering: str, gpu: str, *, since: datetime, limit: int) -> Sequence[Cost]:
        """The latest of one kind, offering and class of GPU, the newest first."""
        ...

    async def totals(self, *, since: datetime) -> Sequence[Total]:
        """Those since a moment together, by kind and offering."""
        ...


class Usages(Repository[Usage], Protocol):
    """Which models served which generations."""

    async def of(self, generation: str) -> Sequence[Usage]:
        """The usages of one generation, by model."""
        ...

    async def latest(self, owner: str, *, limit: int = PAGE) -> Sequence[Usage]:
        """The latest usages of an owner's models, newest first."""
        ...

    async def between(self, owner: str, start: datetime, end: datetime) -> Sequence[Usage]:
        """The usages of an owner's models from one moment until before another, oldest first."""
        ...

    async def due(self, owner: str, *, now: datetime, limit: int = PAGE) -> Sequence[Usage]:
        """Those of an owner whose holding period has ended just now, the longest ended first."""
        ...

    async def owners_due(self, *, now: datetime, limit: int = PAGE) -> Sequence[str]:
        """Some accounts whose usages are due."""
        ...

    async def tally(self, model: str) -> Tally:
        """How often others have used a model."""
        ...

    async def tally_of_run(self, run: str) -> Tally:
        """How often others have used what a training has made."""
        ...


class Datasets(Repository[Dataset], Protocol):
    """Datasets that are not deleted, unless asked for by id."""

    async def owned(self, owner: str, *, text: str = "", after: str = "", limit: int = PAGE) -> Sequence[Dataset]:
        """The owner's datasets by folded name: those that contain the text, from after a folded name on."""
        ...

    async def listed(
        self,
        account: str,
        scope: Scope,
        *,
        text: str = "",
        status: Status | None = None,
        tag: str | None = None,
        ratings: Collection[Rating] = tuple(Rating),
        after: str = "",
        skip: int = 0,
        limit: int = PAGE,
    ) -> Sequence[Dataset]:
        """The datasets of a scope for an account, as `owned`; those for everyone the latest changed first.

        The bin is listed without what is being purged, the latest deleted first. The first `skip` are passed over.
        """
        ...

    async def counted(
        self,
        account: str,
        scope: Scope,
        *,
        text: str = "",
        status: Status | None = None,
        tag: str | None = None,
        ratings: Collection[Rating] = tuple(Rating),
    ) -> int:
        """How many `listed` would find without a limit."""
        ...

    async def purgeable(self, *, before: datetime) -> Sequence[Dataset]:
        """Everybody's datasets that were deleted before a moment, and those whose purge is not at its end."""
        ...

    async def of_character(self, character: str) -> Sequence[Dataset]:
        """The datasets of a character that are not deleted."""
        ...

    async def usage(self, owner: str) -> Stored:
        """What the owner's datasets hold, those that are deleted but not purged included."""
        ...

    async def named(self, owner: str, folded: str) -> Dataset | None:
        """The owner's dataset of exactly this folded name."""
        ...

    async def unreviewed(self, *, limit: int = PAGE) -> Sequence[Dataset]:
        """Datasets for adults with pictures that wait for a moderator, oldest change first."""
        ...


class Items(Repository[Item], Protocol):
    """Pictures in datasets."""

    async def of(self, dataset: str, *, after: int = -1, limit: int = 0) -> Sequence[Item]:
        """The items of a dataset by position, from after one on; all unless there is a limit."""
        ...

    async def remove_all(self, names: Collection[str]) -> None:
        """Delete the items of these ids."""
        ...

    async def clear(self, dataset: str) -> None:
        """Delete all items of a dataset."""
        ...


class Parts(Repository[Part], Protocol):
    """Conversations in datasets."""

    async def of(self, dataset: str) -> Sequence[Part]:
        """All parts of a dataset by position."""
        ...

    async def clear(self, dataset: str) -> None:
        """Delete all parts of a dataset."""
        ...


class Characters(Repository[Character], Protocol):
    """Who is depicted; the queries see none that is deleted."""

    async def owned(self, owner: str) -> Sequence[Character]:
        """The owner's characters by folded name."""
        ...

    async def named(self, owner: str, folded: str) -> Character | None:
        """The owner's character of exactly this folded name."""
        ...

    async def triggered(self, owner: str, trigger: str) -> Character | None:
        """The owner's character with this trigger word."""
        ...

    async def deleted(self, owner: str) -> Sequence[Character]:
        """The owner's deleted characters, the latest deleted first."""
        ...


class Exports(Repository[Export], Protocol):
    """Files made of datasets."""

    async def stale(self, *, now: datetime, limit: int = PAGE) -> Sequence[Export]:
        """Those whose time is over."""
        ...

    async def of(self, dataset: str) -> Sequence[Export]:
        """Those of one dataset."""
        ...


class Reports(Repository[Report], Protocol):
    """What people say must not be."""

    async def about(self, thing: str) -> Sequence[Report]:
        """All reports about one thing, the oldest first."""
        ...

    async def open(self, *, limit: int = PAGE) -> Sequence[Report]:
        """Those that no moderator has decided, the oldest first."""
        ...


class Scenes(Repository[Scene], Protocol):
    """What captioners have said in jobs that go on."""

    async def of(self, job: str) -> Sequence[Scene]:
        """The scenes of one job."""
        ...

    async def clear(self, job: str) -> None:
        """Delete the scenes of one job."""
        ...


class Snapshots(Repository[Snapshot], Protocol):
    """What runs trained on."""

    async def of(self, dataset: str) -> Sequence[Snapshot]:
        """The snapshots of one dataset, the latest first."""
        ...

    async def erased(self, dataset: str) -> Collection[str]:
        """The ids of those of one dataset whose bytes are gone."""
        ...


class Captions(Repository[CaptionVersion], Protocol):
    """Every state of every caption."""

    async def of(self, item: str, set: str = MAIN) -> Sequence[CaptionVersion]:  # noqa: A002 - the word of the domain
        """The versions of one caption in a set, oldest first."""
        ...

    async def clear(self, items: Collection[str]) -> None:
        """Delete every version of every caption of some items."""
        ...


class Jobs(Repository[Job], Protocol):
    """The queue."""

    async def keyed(self, key: str) -> Job | None:
        """The job that was asked for under this idempotency key."""
        ...

    async def head(self, pool: str, *, near: float, limit: int = 32) -> Sequence[Job]:
        """The first queued, eligible, awake jobs of a pool, best rank first; about `near` is where it begins."""
        ...

    async def before(self, pool: str, rank: float, *, limit: int) -> Sequence[Job]:
        """Jobs of a pool that wait at a better rank, eligible or not."""
        ...

    async def sleepers(self, *, now: datetime) -> Sequence[Job]:
        """Jobs that are asleep and whose moment has come."""
        ...

    async def running(self) -> Sequence[Job]:
        """What all workers work on."""
        ...

    async def swap(self, before: Job, after: Job) -> bool:
        """Write what changed if state, attempt and checkpoint are as before: a claim, outside any transaction."""
        ...

    async def expired(self, *, now: datetime) -> Sequence[Job]:
        """Running jobs whose lease has run out."""
        ...

    async def active(self, owner: str) -> Sequence[Job]:
        """The owner's queued and running jobs, oldest first; in a transaction, two who ask for one owner conflict."""
        ...

    async def about(self, subject: str) -> Sequence[Job]:
        """The queued and running jobs about one thing."""
        ...

    async def alike(self, group: str, *, now: datetime, limit: int) -> Sequence[Job]:
        """Queued, eligible jobs of one group, best rank first."""
        ...

    async def owned(self, owner: str, *, kind: str | None = None, limit: int = PAGE) -> Sequence[Job]:
        """The owner's jobs, newest first."""
        ...

    async def ordered(
        self, owner: str, *, kind: str | None = None, state: JobState | None = None, after: str = "", limit: int = PAGE
    ) -> Sequence[Job]:
        """What somebody has ordered, of one kind and state if they are named, newest first, from after a job on.

        Raises:
            NotFound: There is no such job of theirs to go on after.
        """
        ...

    async def paid(self, owner: str, *, after: str = "", limit: int = PAGE) -> Sequence[Job]:
        """The owner's jobs that have a price, newest first, from after a job on.

        Raises:
            NotFound: There is no such job to go on from.
        """
        ...

    async def queue(self, *, limit: int = PAGE) -> Sequence[Job]:
        """Everybody's running and queued jobs, running first, then as they would be claimed."""
        ...

    async def ahead(self, pool: str, rank: float) -> int:
        """How many jobs of a pool wait at a better rank, eligible or not."""
        ...

    async def ranks(self, pool: str, *, below: float) -> Sequence[float]:
        """The ranks below one at which jobs of a pool wait, eligible or not, the best first."""
        ...


class Pools(Repository[Pool], Protocol):
    """What waits, by what workers need for it."""

    async def advance(self, pools: Sequence[str], clock: float, *, reached: float) -> None:
        """Put pools forward, outside any transaction; what is further stays so."""
        ...


class Runs(Repository[Run], Protocol):
    """Trainings as they were done."""

    async def of_dataset(self, dataset: str) -> Sequence[Run]:
        """The runs that trained on a dataset, the latest first."""
        ...

    async def continuing(self, runs: Collection[str]) -> Sequence[Run]:
        """The runs that began with a model of one of these, the latest first."""
        ...

    async def idle(self, *, chosen_before: datetime, ended_before: datetime, limit: int = PAGE) -> Sequence[Run]:
        """Runs of which an epoch was chosen before a moment, and others that ended before one, not swept yet."""
        ...

    async def chart(self, run: str, *, after: int = 0) -> Sequence[MetricsPoint]:
        """The metrics points of a run after a step, by step."""
        ...

    async def plot(self, run: str, points: Sequence[MetricsPoint]) -> None:
        """Add metrics points; a step that is passed again replaces the point of before."""
        ...

    async def cut(self, run: str, *, after: int) -> None:
        """Remove the metrics points of a run after a step."""
        ...


class Models(Repository[Model], Protocol):
    """Trained models; those that are deleted only by id."""

    async def owned(self, owner: str, *, limit: int = PAGE) -> Sequence[Model]:
        """The owner's models, newest first."""
        ...

    async def called(self, words: Collection[str], slugs: Collection[str], *, account: str) -> Sequence[Model]:
        """Models with one of these trigger words or slugs (old ones too) that the account may use."""
        ...

    async def named(self, owner: str, slug: str) -> Model | None:
        """The owner's model that has, or had, this slug; also a deleted one: its name stays taken."""
        ...

    async def of_run(self, run: str) -> Model | None:
        """The model that a run has made."""
        ...

    async def shared_with(self, account: str, *, limit: int = PAGE) -> Sequence[Model]:
        """Other people's models that are shared with an account, newest first."""
        ...

    async def public(
        self,
        *,
        text: str = "",
        base: str | None = None,
        tag: str | None = None,
        ratings: Collection[Rating] = tuple(Rating),
        after: datetime | None = None,
        limit: int = PAGE,
    ) -> Sequence[Model]:
        """Models for everyone, the latest published first, from before a moment on."""
        ...

    async def registered(self, trigger: str) -> Model | None:
        """The model for everyone that keeps a trigger word: the earliest published."""
        ...

    async def downloaded(self, model: str) -> None:
        """Count one more download."""
        ...


class Notices(Repository[Notice], Protocol):
    """The outbox."""

    async def pending(
        self,
        platform: Platform,
        *,
        chat: str | None = None,
        apart_from: Collection[str] = (),
        now: datetime,
        limit: int = PAGE,
    ) -> Sequence[Notice]:
        """Notices due on a platform, in one chat or all but some, that no front end is delivering, oldest first.

        What has no moment comes before what was given one.
        """
        ...

    async def of(self, account: str, *, after: str = "", limit: int = PAGE) -> Sequence[Notice]:
        """What an account is told, newest first, from after a notice on.

        Raises:
            NotFound: There is no such notice to go on from.
        """
        ...


class Cards(Repository[Card], Protocol):
    """Messages about jobs."""

    async def open_at(self, place: Place) -> Sequence[Card]:
        """The cards in one place that are still kept up to date, oldest first."""
        ...

    async def of(self, job: str) -> Sequence[Card]:
        """The cards of one job."""
        ...

    async def due(
        self, platform: Platform, *, apart_from: Collection[str] = (), now: datetime, limit: int = PAGE
    ) -> Sequence[Card]:
        """Open cards in all but some chats whose time has come and that no front end is at, oldest first."""
        ...


class Posts(Repository[Post], Protocol):
    """Events on their way to webhooks."""

    async def due(self, *, now: datetime, apart_from: Collection[str] = (), limit: int = PAGE) -> Sequence[Post]:
        """Posts that may be sent now, to all but some webhooks, the longest due first."""
        ...

    async def of(self, webhook: str, *, limit: int = PAGE) -> Sequence[Post]:
        """The latest posts to one webhook, newest first."""
        ...

    async def clear(self, webhook: str) -> None:
        """Delete all posts to one webhook."""
        ...

    async def forget(self, *, before: datetime) -> int:
        """Delete the posts of before a moment; return how many."""
        ...


class Workers(Repository[Worker], Protocol):
    """The fleet."""

    async def seen_since(self, moment: datetime) -> Sequence[Worker]:
        """Workers heard of since then, by id."""
        ...

    async def seen_before(self, moment: datetime) -> Sequence[Worker]:
        """Workers not heard of since then, by id."""
        ...


class Censuses(Protocol):
    """The house, counted."""

    async def crowds(self) -> Sequence[Crowd]:
        """Jobs that have not ended, by kind, pool and state."""
        ...

    async def backlog(self, *, now: datetime) -> Mapping[Platform, int]:
        """Notices that could be delivered now, by chat."""
        ...

    async def totals(self) -> Totals:
        """Revenue and stored bytes: as slow as the ledger is long."""
        ...


class References(Protocol):
    """Who refers to which bytes: counted in the transaction that refers."""

    async def refer(self, *names: str) -> None:
        """Count one more reference to each sha256.

        Raises:
            BlobGone: The bytes are gone or just being swept.
        """
        ...

    async def forget(self, *names: str) -> None:
        """Count one less for each sha256."""
        ...


@dataclass(frozen=True, kw_only=True)
class Repositories:
    """All nouns, either free or bound to a transaction."""

    accounts: Accounts
    actions: Repository[Action]
    allowances: Repository[Allowance]
    audits: Audits
    captions: Captions
    cards: Cards
    censuses: Censuses
    characters: Characters
    communities: Repository[Community]
    connections: Repository[Connection]
    costs: Costs
    datasets: Datasets
    disputes: Disputes
    drafts: Drafts
    exports: Exports
    flows: Repository[Flow]
    generations: Generations
    identities: Belonging[Identity]
    items: Items
    jobs: Jobs
    leads: Repository[Lead]
    ledger: Ledger
    link_codes: Belonging[LinkCode]
    link_requests: Belonging[LinkRequest]
    models: Models
    notices: Notices
    ownership: Ownership
    parts: Parts
    payouts: Payouts
    pools: Pools
    posts: Posts
    quotes: Repository[Quote]
    references: References
    replays: Repository[Replay]
    remainders: Repository[Remainder]
    reports: Reports
    runs: Runs
    scenes: Scenes
    sessions: Expiring[Session]
    signins: Expiring[SignIn]
    snapshots: Snapshots
    switches: Repository[Switch]
    tokens: Expiring[Token]
    updates: Updates
    uploads: Uploads
    usages: Usages
    vouchers: Repository[Voucher]
    webhooks: Belonging[Webhook]
    workers: Workers


class Store(Repositories, ABC):
    """The database: single reads and writes, and transactions."""

    @abstractmethod
    async def transact(self, work: Callable[[Repositories], Awaitable[T]]) -> T:
        """Run the work in one transaction and return what it returns.

        The work may run more than once, so it touches nothing but its argument.

        Raises:
            DatabaseUnavailable: The transaction could not be committed.
        """
