"""A database that the last release has written is read: what was not known then has a default, or is migrated."""

from typing import Any

import pytest

from core.domain.account import Account, Notify, Place, Platform, Role
from core.domain.dataset import Dataset, Review
from core.domain.generation import Adapter, Generation
from core.domain.job import Job
from core.domain.model import Licence, Model, Visibility
from core.domain.notice import Card, Notice
from core.domain.rating import Rating
from core.domain.royalty import Terms
from core.domain.value import Entity
from core.kinds import training
from core.ports.store import Store
from storage.documents import document
from storage.migrations import m0003_models
from storage.repositories.entities import Database
from tests.builders.entities import HOME, NOON, a_card, a_dataset, a_job, a_model, a_notice, an_actor

PLACE = {"platform": "console", "chat": "home", "thread": None, "private": True}
NEW: dict[str, set[str]] = {  # what each collection's documents did not have
    "accounts": {"notify", "banned", "merged_into", "merged_at", "related"},
    "cards": {"posted_at", "next_at", "claimed_until"},
    "datasets": {"rating", "review", "review_note", "previews"},
    "generations": {
        "rating",
        "text",
        "negative",
        "offering",
        "adapters",
        "trace",
        "width",
        "height",
        "source",
        "strength",
        "terms",
        "stars",
        "feedback",
        "deleted_at",
    },
    "jobs": {"group"},
    "models": {
        "rating",
        "names",
        "shared",
        "description",
        "licence",
        "tags",
        "samples",
        "downloads",
        "deleted_at",
    },
    "notices": {"not_before", "tries"},
}
SLUGS = [("owner", 1), ("slug", 1)]  # an index that there was
ANN = Account(id="ann", name="ann", role=Role.USER, home=HOME, created_at=NOON)
MADE = Generation(
    id="g1",
    owner="ann",
    text="zorp",
    prompt="zorp",
    offering="tiny",
    adapters=(Adapter(model="m1", owner="ann", name="ann/zorp", percent=100),),
    seed=1,
    steps=4,
    guidance=3.0,
    width=64,
    height=64,
    count=1,
    terms=Terms(percent=0, cap=0, holding_days=0),
    created_at=NOON,
)
OTHERWISE: dict[str, dict[str, Any]] = {  # what they had instead
    "generations": {"model": "m1", "model_owner": "ann", "size": 64},
    "models": {"family": "sd15"},  # whichever the base was
}
KNOWN: dict[str, Entity] = {
    "accounts": ANN,
    "cards": a_card(),
    "datasets": a_dataset(),
    "generations": MADE,
    "jobs": a_job(),
    "models": a_model(base="tiny-sd", family="tiny-shapes", visibility=Visibility.PUBLIC, published_at=NOON),
    "notices": a_notice(),
}


def as_it_was(collection: str, entity: Entity) -> dict[str, Any]:
    """The document of an entity as the last release wrote it."""
    old = {name: value for name, value in document(entity).items() if name not in NEW[collection]}
    places = {name: PLACE for name in ("home", "place") if name in old}
    return old | places | OTHERWISE.get(collection, {})


@pytest.fixture
async def old(database: Database) -> Database:
    """A database of the last release, migrated; twice, since that changes nothing more."""
    for collection, entity in KNOWN.items():
        await database[collection].insert_one(as_it_was(collection, entity))
    await database["models"].create_index(SLUGS, unique=True)
    await m0003_models.up(database)
    await m0003_models.up(database)
    return database


@pytest.mark.usefixtures("old")
async def test_every_entity_is_read_with_defaults(store: Store) -> None:
    assert {name: await getattr(store, name).get(entity.id) for name, entity in KNOWN.items()} == KNOWN
    assert (ANN.notify, ANN.banned, HOME.adult) == (Notify(), None, False)
    dataset, model, made = (KNOWN[name] for name in ("datasets", "models", "generations"))
    assert isinstance(dataset, Dataset)
    assert isinstance(model, Model)
    assert isinstance(made, Generation)
    assert {dataset.rating, model.rating, made.rating} == {Rating.SFW}
    assert dataset.review is Review.PENDING
    assert (model.names, model.visibility, model.licence) == (("zorp",), Visibility.PUBLIC, Licence.OPENRAIL)


async def test_a_slug_that_a_model_had_is_free_of_the_old_index(old: Database) -> None:
    assert SLUGS not in [index["key"] for index in (await old["models"].index_information()).values()]


@pytest.mark.usefixtures("old")
async def test_what_was_published_is_listed_and_called_and_what_was_drawn_is_shown(store: Store) -> None:
    model, made = KNOWN["models"], KNOWN["generations"]

    assert await store.models.public() == [model]
    assert await store.models.called(["zorp"], [], account="bob") == [model]
    assert await store.models.called([], ["zorp"], account="bob") == [model]
    assert await store.generations.owned("ann") == [made]


@pytest.mark.usefixtures("old")
async def test_what_front_ends_and_admins_look_for_is_found(store: Store) -> None:
    card, notice, job = (KNOWN[name] for name in ("cards", "notices", "jobs"))
    assert isinstance(card, Card)
    assert isinstance(notice, Notice)
    assert isinstance(job, Job)

    assert await store.cards.due(Platform.CONSOLE, now=NOON) == [card]
    assert await store.cards.open_at(HOME) == [card]
    assert await store.notices.pending(Platform.CONSOLE, now=NOON) == [notice]
    assert await store.accounts.page() == await store.accounts.named("a") == [ANN]
    assert await store.jobs.queue() == [job]
    assert await store.datasets.unreviewed() == []


def test_what_was_ordered_is_for_everyone() -> None:
    payload = {"run": "j1", "name": "zorp", "trigger": "zorp", "family": "sd15", "owner_name": "ann"}

    assert training.Payload.model_validate(payload).rating is Rating.SFW
    assert Place.model_validate(PLACE).shows(Rating.SFW)
    assert a_model().visible_to(an_actor())
