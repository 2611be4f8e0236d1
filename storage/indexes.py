"""Every index, each with its reason. Making one that exists changes nothing; one that has changed is made anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import OperationFailure

from storage.documents import Document
from storage.errors import translated
from storage.repositories.entities import Database

CHANGED = {85, 86}  # IndexOptionsConflict, IndexKeySpecsConflict
GONE = 27  # IndexNotFound


@dataclass(frozen=True, kw_only=True)
class Index:
    """One index; `where` makes it partial, `expires` lets the server remove rows after the moment in its key.

    The server does so when it gets round to it: no rule may rest on it.
    """

    collection: str
    keys: tuple[tuple[str, int], ...]
    why: str
    unique: bool = False
    expires: bool = False
    where: Mapping[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """What the driver is told besides the keys."""
        expiring = {"expireAfterSeconds": 0} if self.expires else {}
        partial = {"partialFilterExpression": self.where} if self.where else {}
        return {"unique": self.unique, **expiring, **partial}


INDEXES = (
    Index(collection="accounts", keys=(("name", 1),), why="admins name people"),
    Index(collection="accounts", keys=(("role", 1), ("merged_into", 1)), why="whom to tell what admins must see to"),
    Index(collection="accounts", keys=(("merged_into", 1),), why="whom somebody has taken over"),
    Index(collection="accounts", keys=(("erased_at", 1), ("forgotten_at", 1)), why="who is to be forgotten"),
    Index(collection="actions", keys=(("expires_at", 1),), expires=True, why="buttons after their time"),
    Index(collection="allowances", keys=(("expires_at", 1),), expires=True, why="windows that are over"),
    Index(collection="audits", keys=(("actor", 1), ("at", -1), ("_id", -1)), why="what somebody did"),
    Index(collection="audits", keys=(("at", -1), ("_id", -1)), why="what was done lately"),
    Index(collection="costs", keys=(("at", 1),), why="what was lately spent"),
    Index(
        collection="costs",
        keys=(("kind", 1), ("offering", 1), ("gpu", 1), ("at", -1)),
        why="how long others like it took",
    ),
    Index(
        collection="datasets",
        keys=(("owner", 1), ("folded", 1)),
        unique=True,
        where={"deleted_at": {"$type": "null"}},
        why="one owner, one name, one dataset; lists by name",
    ),
    Index(collection="datasets", keys=(("rating", 1), ("review", 1), ("updated_at", 1)), why="what moderators look at"),
    Index(collection="datasets", keys=(("character", 1), ("deleted_at", 1)), why="a character's datasets"),
    Index(collection="datasets", keys=(("shared", 1), ("deleted_at", 1)), why="what is shared with somebody"),
    Index(collection="datasets", keys=(("access", 1), ("deleted_at", 1), ("updated_at", -1)), why="what is for all"),
    Index(
        collection="datasets",
        keys=(("owner", 1), ("deleted_at", 1), ("folded", 1)),
        why="somebody's datasets by name, their bin, and what they store",
    ),
    Index(collection="datasets", keys=(("deleted_at", 1),), why="what is to be purged"),
    Index(collection="datasets", keys=(("purged_at", 1),), why="whose purge is not at its end"),
    Index(collection="disputes", keys=(("state", 1), ("opened_at", 1)), why="what waits for an admin's answer"),
    Index(collection="drafts", keys=(("account", 1), ("place.chat", 1)), why="what somebody is being asked"),
    Index(collection="drafts", keys=(("expires_at", 1),), why="questions that nobody answered"),
    Index(
        collection="generations",
        keys=(("owner", 1), ("deleted_at", 1), ("created_at", -1), ("_id", -1)),
        why="somebody's pictures",
    ),
    Index(collection="generations", keys=(("adapters.model", 1),), why="where a model is named"),
    Index(collection="identities", keys=(("account", 1),), why="somebody's logins"),
    Index(collection="items", keys=(("dataset", 1), ("position", 1)), why="a dataset's pictures in order"),
    Index(collection="captions", keys=(("item", 1), ("set", 1), ("version", 1)), why="the history of a caption"),
    Index(
        collection="characters",
        keys=(("owner", 1), ("folded", 1)),
        unique=True,
        where={"deleted_at": {"$type": "null"}},
        why="one owner, one name, one character",
    ),
    Index(
        collection="characters",
        keys=(("owner", 1), ("trigger", 1)),
        unique=True,
        where={"deleted_at": {"$type": "null"}},
        why="one owner, one trigger word, one character",
    ),
    Index(collection="characters", keys=(("owner", 1), ("deleted_at", 1)), why="somebody's deleted characters"),
    Index(collection="exports", keys=(("expires_at", 1),), why="files that nobody needs any more"),
    Index(collection="exports", keys=(("dataset", 1),), why="what goes with a dataset"),
    Index(collection="parts", keys=(("dataset", 1), ("position", 1)), why="a dataset's conversations in order"),
    Index(collection="replays", keys=(("expires_at", 1),), expires=True, why="answers that nobody asks for again"),
    Index(collection="reports", keys=(("thing", 1), ("at", 1)), why="what was said about one thing"),
    Index(collection="reports", keys=(("state", 1), ("at", 1)), why="what waits for a moderator"),
    Index(collection="runs", keys=(("dataset", 1), ("created_at", -1)), why="what was made of a dataset"),
    Index(collection="runs", keys=(("continues", 1),), where={"continues": {"$gt": ""}}, why="what goes on from a run"),
    Index(
        collection="runs", keys=(("swept_at", 1), ("chosen_at", 1), ("ended_at", 1)), why="whose epochs were kept long"
    ),
    Index(collection="scenes", keys=(("job", 1),), why="how far a captioning came"),
    Index(collection="sessions", keys=(("account", 1),), why="where somebody is signed in"),
    Index(collection="sessions", keys=(("expires_at", 1),), why="sessions that nobody uses"),
    Index(collection="signins", keys=(("account", 1),), why="what somebody can sign in with"),
    Index(collection="signins", keys=(("expires_at", 1),), why="invitations that nobody used"),
    Index(collection="snapshots", keys=(("dataset", 1), ("taken_at", -1)), why="what a dataset was trained as"),
    Index(collection="jobs", keys=(("key", 1),), unique=True, why="asking twice makes one job"),
    Index(
        collection="jobs",
        keys=(("state", 1), ("eligible", 1), ("asleep", 1), ("pool", 1), ("rank", 1)),
        why="the window a worker claims from",
    ),
    Index(
        collection="jobs",
        keys=(("group", 1), ("state", 1), ("eligible", 1), ("not_before", 1)),
        where={"group": {"$gt": ""}},
        why="what can be done together with a job",
    ),
    Index(collection="jobs", keys=(("asleep", 1), ("not_before", 1)), why="jobs whose moment has come"),
    Index(collection="jobs", keys=(("state", 1), ("lease_until", 1)), why="leases that ran out"),
    Index(collection="jobs", keys=(("owner", 1), ("created_at", -1), ("_id", -1)), why="somebody's jobs, newest first"),
    Index(collection="jobs", keys=(("owner", 1), ("state", 1)), why="somebody's active jobs"),
    Index(collection="jobs", keys=(("subject", 1), ("state", 1)), why="what is going on with a dataset"),
    Index(collection="ledger", keys=(("owner", 1), ("at", -1), ("_id", -1)), why="somebody's statement"),
    Index(collection="ledger", keys=(("job", 1), ("at", 1)), why="the receipt of a job"),
    Index(collection="metrics", keys=(("run", 1), ("step", 1)), why="the chart of a run"),
    Index(
        collection="models", keys=(("owner", 1), ("names", 1)), unique=True, why="a slug, an old one too, is one model"
    ),
    Index(collection="models", keys=(("owner", 1), ("deleted_at", 1), ("created_at", -1)), why="somebody's models"),
    Index(collection="models", keys=(("names", 1),), why="tags call models by slug"),
    Index(
        collection="models", keys=(("shared", 1), ("deleted_at", 1), ("trigger", 1)), why="what is shared with somebody"
    ),
    Index(collection="models", keys=(("owner", 1), ("deleted_at", 1), ("trigger", 1)), why="one's own by trigger word"),
    Index(collection="models", keys=(("run", 1),), why="what a training has made"),
    Index(
        collection="models",
        keys=(("trigger", 1), ("visibility", 1), ("family", 1), ("published_at", 1), ("_id", 1)),
        why="which public model keeps a trigger word",
    ),
    Index(collection="models", keys=(("visibility", 1), ("deleted_at", 1), ("published_at", -1)), why="the gallery"),
    Index(
        collection="models",
        keys=(("tags", 1), ("visibility", 1), ("deleted_at", 1), ("published_at", -1)),
        why="the gallery by tag",
    ),
    Index(
        collection="models",
        keys=(("base", 1), ("visibility", 1), ("deleted_at", 1), ("published_at", -1)),
        why="the gallery by base",
    ),
    Index(collection="link_codes", keys=(("account", 1),), unique=True, why="one live code an account"),
    Index(collection="link_codes", keys=(("expires_at", 1),), expires=True, why="codes that nobody used"),
    Index(collection="link_requests", keys=(("account", 1),), why="who waits for somebody's confirmation"),
    Index(collection="link_requests", keys=(("expires_at", 1),), expires=True, why="requests that nobody answered"),
    Index(
        collection="notices",
        keys=(("place.platform", 1), ("state", 1), ("place.chat", 1), ("created_at", 1)),
        why="what waits in one chat",
    ),
    Index(
        collection="notices",
        keys=(("place.platform", 1), ("state", 1), ("not_before", 1)),
        why="what a front end has to deliver now; a broadcast waits by the thousand",
    ),
    Index(collection="notices", keys=(("account", 1), ("created_at", -1), ("_id", -1)), why="what somebody was told"),
    Index(collection="cards", keys=(("job", 1),), why="the cards of a job"),
    Index(
        collection="cards",
        keys=(("place.platform", 1), ("place.chat", 1), ("closed", 1)),
        why="the open cards of a place",
    ),
    Index(
        collection="cards",
        keys=(("place.platform", 1), ("closed", 1), ("next_at", 1)),
        why="the cards to bring up to date",
    ),
    Index(collection="payouts", keys=(("owner", 1), ("requested_at", -1), ("_id", -1)), why="somebody's payouts"),
    Index(collection="payouts", keys=(("state", 1), ("requested_at", 1)), why="what admins have to decide"),
    Index(collection="tokens", keys=(("account", 1),), why="somebody's tokens"),
    Index(collection="tokens", keys=(("expires_at", 1),), why="tokens that are over for long"),
    Index(collection="posts", keys=(("state", 1), ("due_at", 1), ("webhook", 1)), why="what is to be sent to webhooks"),
    Index(collection="posts", keys=(("webhook", 1), ("created_at", -1)), why="what was sent to a webhook"),
    Index(collection="posts", keys=(("created_at", 1),), why="what was sent long ago"),
    Index(collection="updates", keys=(("platform", 1), ("done", 1), ("number", 1)), why="what is to be dealt with"),
    Index(collection="updates", keys=(("done", 1), ("received_at", 1)), why="what is known long enough"),
    Index(collection="uploads", keys=(("state", 1), ("expires_at", 1)), why="uploads that nobody finished"),
    Index(
        collection="uploads", keys=(("account", 1), ("state", 1), ("expires_at", 1)), why="what somebody has announced"
    ),
    Index(collection="uploads", keys=(("dataset", 1), ("state", 1), ("expires_at", 1)), why="uploads to go on with"),
    Index(collection="usages", keys=(("generation", 1),), why="what a refund claws back"),
    Index(collection="usages", keys=(("owner", 1), ("at", -1)), why="what somebody earned"),
    Index(collection="usages", keys=(("owner", 1), ("due", 1)), why="what somebody may spend now"),
    Index(collection="usages", keys=(("due", 1),), why="whose holding period is over"),
    Index(
        collection="usages", keys=(("model", 1), ("rule", 1), ("payer", 1), ("share", 1)), why="the counters of a model"
    ),
    Index(
        collection="usages",
        keys=(("run", 1), ("rule", 1), ("payer", 1), ("share", 1)),
        why="the counters of a training",
    ),
    Index(collection="webhooks", keys=(("account", 1),), why="who is told of what happens to somebody's things"),
    Index(collection="workers", keys=(("seen_at", 1),), why="who is alive"),
    Index(collection="blobs", keys=(("references", 1), ("touched_at", 1)), why="what the sweeper may take"),
    Index(collection="blobs", keys=(("file", 1),), why="whether a file is known by another name"),
    Index(collection="files.chunks", keys=(("files_id", 1), ("n", 1)), unique=True, why="a file's bytes in order"),
)


async def ensure(database: Database) -> None:
    """Make all indexes that are missing, and anew those that another release has made otherwise."""
    with translated():
        for index in INDEXES:
            rows = database[index.collection]
            try:
                await rows.create_index(list(index.keys), **index.options)
            except OperationFailure as error:
                if error.code not in CHANGED:
                    raise
                await _drop(rows, index)
                await rows.create_index(list(index.keys), **index.options)


async def _drop(rows: AsyncCollection[Document], index: Index) -> None:
    """Drop whatever has the keys of an index; of many processes that start at once, others may be faster."""
    for name, known in (await rows.index_information()).items():
        if known["key"] == list(index.keys):
            try:
                await rows.drop_index(name)
            except OperationFailure as error:
                if error.code != GONE:
                    raise
