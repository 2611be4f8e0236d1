"""Models in the database: found by word, slug and id; what a prompt means does not depend on how many there are."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from core.domain.errors import DomainError
from core.domain.model import Model, Visibility
from core.domain.prompt import Index, Resolution, resolved, spoken
from core.domain.rating import Rating
from core.ports.store import Store
from tests.builders.entities import NOON, a_model, a_run

LATER = NOON + timedelta(hours=1)
PUBLIC: Mapping[str, Any] = {"owner": "bob", "owner_name": "bob", "visibility": Visibility.PUBLIC, "published_at": NOON}
GONE: Mapping[str, Any] = {"visibility": Visibility.PRIVATE, "deleted_at": NOON}
WORDS = ("zorp", "blip", "gnarl")


async def kept(store: Store, **models: Mapping[str, Any]) -> None:
    """Keep models by id, each with a slug of its own."""
    for name, facts in models.items():
        await store.models.add(a_model(**{"id": name, "slug": name, **facts}))


def ids(models: Any) -> set[str]:
    return {model.id for model in models}


async def test_a_word_finds_ones_own_what_is_shared_and_the_earliest_public_ones(store: Store) -> None:
    other = {"owner": "bob", "owner_name": "bob"}
    await kept(
        store,
        own={},
        old={"created_at": LATER},
        dropped=GONE,
        shared={**other, "shared": ("cid", "ann")},
        private=other,
        unlisted={**other, "visibility": Visibility.UNLISTED},
        early={**PUBLIC, "created_at": LATER},
        late={**PUBLIC, "published_at": LATER},
        gone={**PUBLIC, **GONE, "published_at": NOON - timedelta(hours=1)},
        otherwise={**PUBLIC, "published_at": LATER, "family": "pony"},
        elsewhere={"trigger": "blip"},
    )

    assert ids(await store.models.called(["a", "zorp"], [], account="ann")) == {
        "own", "old", "shared", "early", "otherwise",
    }  # fmt: skip
    assert ids(await store.models.called(["zorp"], [], account="nobody")) == {"early", "otherwise"}
    assert await store.models.called([], [], account="ann") == []
    assert await store.models.registered("zorp") == await store.models.get("early")
    assert await store.models.registered("blip") is None


async def test_a_slug_an_old_one_and_an_id_find_what_may_be_used(store: Store) -> None:
    other = {"owner": "bob", "owner_name": "bob"}
    await kept(
        store,
        own={"names": ("own", "hero")},
        private={**other, "names": ("private", "hero")},
        shared={**other, "slug": "hero", "names": ("hero",), "owner": "cid", "shared": ("ann",)},
        unlisted={**other, "owner": "dan", "names": ("hero",), "visibility": Visibility.UNLISTED},
        late={**PUBLIC, "owner": "eve", "names": ("hero",), "published_at": LATER},
    )

    assert ids(await store.models.called([], ["hero"], account="ann")) == {"own", "shared", "unlisted", "late"}
    assert ids(await store.models.called([], ["unlisted", "private"], account="ann")) == {"unlisted"}
    assert ids(await store.models.called([], ["hero"], account="nobody")) == {"unlisted", "late"}


async def test_an_owner_has_a_name_once_old_and_deleted_ones_too(store: Store) -> None:
    await kept(store, first={"names": ("first", "hero"), "deleted_at": NOON})

    assert ids([await store.models.named("ann", "hero")]) == {"first"}
    assert await store.models.named("bob", "hero") is None
    await kept(store, his={"owner": "bob", "slug": "hero"})
    with pytest.raises(DuplicateKeyError):
        await kept(store, second={"names": ("second", "hero")})


async def test_the_gallery_is_searched_and_begins_with_the_latest(store: Store) -> None:
    await kept(
        store,
        mine={},
        early={**PUBLIC, "tags": ("robot", "toy"), "created_at": LATER},
        late={**PUBLIC, "published_at": LATER, "base": "other"},
        lewd={**PUBLIC, "published_at": LATER + timedelta(hours=1), "rating": Rating.NSFW, "trigger": "blip"},
    )

    async def found(**wished: Any) -> list[str]:
        return [model.id for model in await store.models.public(**wished)]

    assert await found() == ["lewd", "late", "early"]
    assert await found(limit=2) == ["lewd", "late"]
    assert await found(after=LATER) == ["early"]
    assert await found(ratings=[Rating.SFW]) == ["late", "early"]
    assert (await found(tag="toy"), await found(base="other"), await found(tag="toy", base="other")) == (
        ["early"], ["late"], [],
    )  # fmt: skip
    assert (await found(text="zor"), await found(text="lew"), await found(text=".*")) == (
        ["late", "early"], ["lewd"], [],
    )  # fmt: skip


async def test_models_of_a_person_of_a_run_and_shared_with_one(store: Store) -> None:
    await kept(store, first={"shared": ("bob",), "run": "j2"}, second={"created_at": LATER, "shared": ("bob", "cid")})
    await kept(store, third={"owner": "bob"}, gone={"deleted_at": NOON, "shared": ("bob",)})
    await store.runs.add(a_run())

    assert [model.id for model in await store.models.owned("ann", limit=2)] == ["second", "first"]
    assert [model.id for model in await store.models.shared_with("bob")] == ["second", "first"]
    assert ids([await store.models.of_run("j2")]) == {"first"}
    await store.models.downloaded("first")
    await store.models.downloaded("first")
    assert (await store.models.get("first")).downloads == 2


async def test_a_prompt_means_the_same_as_if_every_model_were_read(store: Store) -> None:
    chance = random.Random(7)
    models = [anything(number, chance) for number in range(100)]
    await store.models.add_all(models)

    for _ in range(60):
        line = " ".join(anyhow(chance, models) for _ in range(chance.randint(1, 4)))
        asker, family = chance.choice(["ann", "bob", "eve"]), chance.choice([None, "sd15", "pony", "none"])
        pins = {word: chance.choice(models).id for word in WORDS if chance.random() < 0.5}
        words, slugs = spoken(line)
        some = await store.models.called(words, slugs | set(pins.values()), account=asker)

        assert meaning(line, some, asker=asker, family=family, pins=pins) == meaning(
            line, models, asker=asker, family=family, pins=pins
        )
        assert len(some) < len(models) / 2


def anything(number: int, chance: random.Random) -> Model:
    """Make some model: of somebody, for somebody, of some family, under a name that others have too."""
    visibility = chance.choice([*Visibility, Visibility.PUBLIC])
    published = NOON + timedelta(minutes=chance.randint(0, 60))
    slug = f"{chance.choice(WORDS)}-{number % 5}"
    owner = f"owner{number // 5}" if chance.random() < 0.7 else chance.choice(["ann", "bob"])
    owned = owner in {"ann", "bob"}
    model = a_model(
        id=f"model{number:07}".replace("0", "z").replace("1", "y"),
        owner=owner,
        owner_name=owner,
        slug=f"{slug}-{number}" if owned else slug,
        trigger=chance.choice(WORDS),
        family=chance.choice(["sd15", "pony", "flux"]),
        visibility=visibility,
        shared=tuple(who for who in ("ann", "bob") if not owned and chance.random() < 0.05),
        created_at=NOON + timedelta(minutes=chance.randint(0, 60)),
        published_at=published if visibility is Visibility.PUBLIC or chance.random() < 0.3 else None,
    )
    return model.deleted(now=NOON) if chance.random() < 0.1 else model


def anyhow(chance: random.Random, models: list[Model]) -> str:
    """Call something: a word, off or on, or some model by slug, by name or by id."""
    model = chance.choice(models)
    weight = chance.choice(["", "", ":0", ":0.5"])
    said = chance.choice([*WORDS, "a", f"<lora:{model.slug}{weight}>", f"<lora:{model.id}>", model.name, model.id])
    return said if "<" in said else said + weight


def meaning(line: str, models: list[Model] | Any, **asked: Any) -> Resolution | str:
    try:
        return resolved(line, Index(models), **asked)
    except DomainError as error:
        return str(error)
