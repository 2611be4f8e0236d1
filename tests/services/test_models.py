"""The registry of models: who may use one, what it is called, how it presents itself, what became of it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Account, Actor
from core.domain.errors import BadValue, NameTaken, NotFound, NotPublished, NotThem
from core.domain.model import Licence, Model, Scope, Search, Visibility
from core.domain.rating import Rating
from core.domain.royalty import Rule, Terms, Usage, usage_id
from core.domain.run import Epoch
from core.ports.clock import HandClock
from core.ports.store import Repositories
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import NOON, a_model
from tests.builders.scenes import (
    a_trained_model,
    everything_in,
    finished,
    imagined,
    moderating,
    prove_the_ledger,
    somebody,
    stored,
)

DAY = timedelta(days=1)


async def account_of(house: House, actor: Actor) -> Account:
    return await house.store.accounts.get(actor.account)


async def names(house: House, actor: Actor, search: Search | None = None, **page: int) -> list[str]:
    return [model.name for model in await house.services.models.list(actor, search, **page)]


async def counted(database: Database, *hashes: str) -> list[int]:
    """How often each of these blobs is referred to."""
    return [row["references"] for name in hashes if (row := await database["blobs"].find_one({"_id": name}))]


async def with_epochs(house: House, model: Model, *, epochs: int) -> Sequence[str]:
    """Give the run of a model so many epochs of two samples each, and say what their bytes are called."""
    run, hashes = await house.store.runs.get(model.run), []
    for number in range(1, epochs + 1):
        samples = tuple([await stored(house, f"epoch {number} {place}.png") for place in "ab"])
        run = run.with_epoch(Epoch(number=number, step=number, loss=0.5, artifact=model.artifact, samples=samples))
        hashes += [sample.sha256 for sample in samples]
    await house.store.runs.save(run)
    return hashes


async def used(house: House, model: Model, *, payer: str, rule: Rule = Rule.SHARED, share: int = 30) -> None:
    """Let a model have served a generation."""
    generation = house.services.conversations.token()
    usage = Usage(
        id=usage_id(generation, model.id),
        generation=generation,
        model=model.id,
        run=model.run,
        owner=model.owner,
        payer=payer,
        percent=100,
        rule=rule,
        terms=Terms(percent=30, cap=100, holding_days=7),
        share=share,
        at=NOON,
    )
    await house.store.usages.add(usage)


async def test_an_unlisted_model_is_for_who_knows_its_name(house: House) -> None:
    ann, bob, models = await somebody(house), await somebody(house, "bob"), house.services.models
    model = await a_trained_model(house, ann)
    unlisted = await models.publish(ann, model.id, visibility=Visibility.UNLISTED)

    assert await names(house, bob) == []
    assert await models.called(bob, "zorp") == []
    assert await models.called(bob, "Ann/Zorp") == await models.called(bob, model.id) == [unlisted]
    assert (await models.view(bob, model.id)).model == unlisted
    assert unlisted.published_at is None
    with pytest.raises(NotPublished, match="already unlisted"):
        await models.publish(ann, model.id, visibility=Visibility.UNLISTED)


async def test_a_model_that_is_published_again_has_the_moment_of_the_first_time(house: House, clock: HandClock) -> None:
    ann, bob, models = await somebody(house), await somebody(house, "bob"), house.services.models
    model = await a_trained_model(house, ann)
    first = await models.publish(ann, model.id)
    clock.advance(DAY)
    private = await models.publish(ann, model.id, visibility=Visibility.PRIVATE)
    assert await models.called(bob, "zorp") == []
    again = await models.publish(ann, model.id)

    assert (private.visibility, again) == (Visibility.PRIVATE, first)
    assert await models.called(bob, "zorp") == [first]


async def test_who_publishes_a_word_that_is_kept_is_told_so(house: House, clock: HandClock) -> None:
    ann, bob, models = await somebody(house), await somebody(house, "bob"), house.services.models
    his = await a_trained_model(house, bob)
    hers = await a_trained_model(house, ann)
    await models.publish(ann, hers.id)
    hidden = (await models.view(ann, hers.id)).keeper
    await models.publish(ann, hers.id, visibility=Visibility.PRIVATE)
    clock.advance(DAY)
    await models.publish(bob, his.id)
    alone = (await models.view(bob, his.id)).keeper
    again = await models.publish(ann, hers.id)

    assert (hidden, alone) == (None, None)
    assert (await models.view(bob, his.id)).keeper == again
    assert (await models.view(ann, hers.id)).keeper is None


async def test_a_model_is_shared_with_some_and_taken_back(house: House, database: Database) -> None:
    ann, bob, cid = [await somebody(house, name) for name in ("ann", "bob", "cid")]
    models, reader = house.services.models, await account_of(house, bob)
    model = await a_trained_model(house, ann)
    shared = await models.share(ann, model.id, reader)
    before = await everything_in(database)
    again = await models.share(ann, model.id, reader)

    assert again == shared == model.but(shared=(bob.account,))
    assert await everything_in(database) == before
    assert await models.readers(ann, model.id) == [reader]
    assert (await names(house, bob), await names(house, cid)) == (["ann/zorp"], [])
    assert await models.called(bob, "zorp") == [shared]
    await imagined(house, bob)
    assert await models.unshare(ann, model.id, reader) == await models.unshare(ann, model.id, reader) == model
    assert await names(house, bob) == []
    with pytest.raises(NotFound):
        await models.view(bob, model.id)
    with pytest.raises(NotThem):
        await models.share(ann, model.id, await account_of(house, ann))


async def test_a_renamed_model_keeps_all_its_names_for_ever(house: House) -> None:
    ann, bob, models = await somebody(house), await somebody(house, "bob"), house.services.models
    model, other = await a_trained_model(house, ann), await a_trained_model(house, ann, name="gorp")
    his = await a_trained_model(house, bob)
    renamed = await models.rename(ann, model.id, "Tin Hero")
    public = await models.publish(ann, model.id)

    assert (renamed.slug, renamed.names) == ("tin-hero", ("zorp", "tin-hero"))
    assert await models.called(bob, "ann/zorp") == await models.called(bob, "ann/tin-hero") == [public]
    for name in ("zorp", "tin-hero"):
        with pytest.raises(NameTaken):
            await models.rename(ann, other.id, name)
    await models.delete(ann, model.id)
    for name in ("zorp", "tin-hero"):
        with pytest.raises(NameTaken):
            await models.rename(ann, other.id, name)
    assert (await models.rename(bob, his.id, "tin hero")).name == "bob/tin-hero"
    assert (await models.rename(bob, his.id, "zorp")).names == ("zorp", "tin-hero")
    assert (await a_trained_model(house, ann, name="tin-hero")).slug == "tin-hero-2"


async def test_of_two_who_want_one_name_at_the_same_time_one_has_it(house: House) -> None:
    ann = await somebody(house)
    mine = [await a_trained_model(house, ann, name=name) for name in ("zorp", "gorp")]
    results = await asyncio.gather(
        *(house.services.models.rename(ann, model.id, "hero") for model in mine), return_exceptions=True
    )

    assert sorted(type(result).__name__ for result in results) == ["Model", "NameTaken"]
    assert min(await names(house, ann)) in {"ann/gorp", "ann/hero"}


async def test_a_model_says_what_it_is_for(house: House, database: Database) -> None:
    ann, models = await somebody(house), house.services.models
    model = await a_trained_model(house, ann)
    edited = await models.edit(ann, model.id, description="A tin\nrobot.", licence=Licence.CC0, tags=["Toy", "robot"])
    before = await everything_in(database)

    assert edited == model.but(description="A tin robot.", licence=Licence.CC0, tags=("toy", "robot"))
    for wrong in ({"description": "x" * 1001}, {"tags": ["a b"]}):
        with pytest.raises(BadValue):
            await models.edit(ann, model.id, **wrong)
    with pytest.raises(BadValue):
        await models.rename(ann, model.id, "!")
    assert await everything_in(database) == before
    assert await models.edit(ann, model.id, tags=[]) == edited.but(tags=())


async def test_samples_are_chosen_by_number_and_their_bytes_are_kept(house: House, database: Database) -> None:
    ann, models = await somebody(house), house.services.models
    model = await a_trained_model(house, ann)
    first_a, first_b, last_a, last_b = await with_epochs(house, model, epochs=2)
    known = await models.samples(ann, model.id)
    grid = known[0].sha256
    kept = await counted(database, grid)
    await models.show(ann, model.id, [2, 5, 2])
    chosen = await models.show(ann, model.id, [3, 5])

    assert [picture.sha256 for picture in known] == [grid, last_a, last_b, first_a, first_b]
    assert [picture.sha256 for picture in chosen.samples] == [last_b, first_b]
    assert await counted(database, last_a, last_b, first_a, first_b) == [0, 1, 0, 1]
    for numbers in ([6], [0], [-1]):
        with pytest.raises(BadValue, match="5 samples"):
            await models.show(ann, model.id, numbers)
    assert (await models.show(ann, model.id, [1])).samples == (known[0],)
    assert await counted(database, grid, last_b) == [kept[0] + 1, 0]
    assert (await models.show(ann, model.id, [])).samples == ()


async def test_eight_samples_are_the_most(house: House) -> None:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    await with_epochs(house, model, epochs=5)

    assert len((await house.services.models.show(ann, model.id, range(1, 9))).samples) == 8
    with pytest.raises(BadValue, match="up to 8"):
        await house.services.models.show(ann, model.id, range(1, 10))


async def test_a_deleted_model_is_gone_for_everybody_and_what_was_ordered_is_drawn(
    house: House, database: Database
) -> None:
    ann, bob, root = [await somebody(house, name) for name in ("ann", "bob", "root")]
    models = house.services.models
    model = await models.publish(ann, (await a_trained_model(house, ann)).id)
    job = await imagined(house, bob)
    before = await everything_in(database)
    gone = await models.delete(ann, model.id)

    assert gone == model.but(visibility=Visibility.PRIVATE, deleted_at=NOON)
    assert {**await everything_in(database), "models": before["models"]} == before
    for actor in (ann, bob, moderating(root)):
        assert (await names(house, actor), await models.called(actor, "ann/zorp")) == ([], [])
        with pytest.raises(NotFound):
            await models.view(actor, model.id)
    with pytest.raises(NotFound):
        await models.delete(ann, model.id)
    assert (await house.services.generations.assignment(job)).models == (gone,)
    assert (await finished(house, job)).state == "succeeded"
    assert len((await house.store.generations.get(job.id)).pictures) == 1
    await prove_the_ledger(house.store)


async def test_uses_are_for_all_to_see_and_earnings_for_the_owner_and_moderators(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    models = house.services.models
    model = await models.publish(ann, (await a_trained_model(house, ann)).id)
    for payer, rule, share in (("bob", Rule.SHARED, 125), ("bob", Rule.CAPPED, 0), ("cid", Rule.NOT_PURCHASED, 0)):
        await used(house, model, payer=payer, rule=rule, share=share)
    await used(house, model, payer=ann.account, rule=Rule.OWN, share=0)
    await used(house, model.but(id="another of its run"), payer="cid", share=50)
    seen = [await models.stats(actor, model.id) for actor in (ann, moderating(bob), bob)]

    assert {(one.uses, one.people, one.run_uses) for one in seen} == {(3, 2, 4)}
    assert [one.earned for one in seen] == [125, 125, None]
    assert (await models.view(bob, model.id)).uses == 3


async def test_a_download_brings_the_card_along_and_counts_for_others(house: House) -> None:
    ann, bob, models = await somebody(house), await somebody(house, "bob"), house.services.models
    publications = house.services.publications
    model = await models.rename(ann, (await a_trained_model(house, ann)).id, "hero")
    await models.publish(ann, model.id)
    file, card = await publications.download(bob, model.id)
    await publications.download(bob, model.id)
    await publications.download(ann, model.id)
    text = b"".join([chunk async for chunk in house.blobs.open(card.sha256)]).decode()

    assert file == model.artifact.but(name="hero.safetensors")
    assert (card.name, card.size, card.media_type) == ("README.md", len(text.encode()), "text/markdown")
    assert card == await publications.card(bob, model.id)
    assert 'base_model: "tiny-sd"' in text
    assert "| pictures | 3 |" in text
    assert (await house.store.models.get(model.id)).downloads == 2


async def test_a_download_and_a_change_at_the_same_time_are_both_kept(house: House) -> None:
    ann, bob, models = await somebody(house), await somebody(house, "bob"), house.services.models
    model = await models.publish(ann, (await a_trained_model(house, ann)).id)
    await asyncio.gather(
        *(house.services.publications.download(bob, model.id) for _ in range(4)),
        *(models.edit(ann, model.id, tags=[f"tag{number}"]) for number in range(4)),
    )

    assert (await house.store.models.get(model.id)).downloads == 4


async def test_lists_are_ones_own_then_shared_then_public_page_by_page(house: House, clock: HandClock) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await kept(house, ann, "mine-1", "mine-2")
    await kept(house, bob, "shared-1", shared=(ann.account,), base="other")
    await kept(house, bob, "secret")
    public = {"visibility": Visibility.PUBLIC, "published_at": NOON}
    for number in range(3):
        at = clock.now() + number * DAY
        await kept(house, bob, f"public-{number}", **(public | {"published_at": at, "tags": ("toy",)}))
    await kept(house, bob, "lewd", **public, rating=Rating.NSFW, tags=("toy",))
    await kept(house, ann, "shown", **public)
    every = ["ann/mine-1", "ann/mine-2", "ann/shown", "bob/shared-1", "bob/public-2", "bob/public-1", "bob/public-0"]

    assert sorted(await names(house, ann)) == sorted(every)
    assert (await names(house, ann))[3:] == every[3:]
    pages = [await names(house, ann, skip=skip, limit=3) for skip in range(0, 9, 3)]
    assert [name for page in pages for name in page] == await names(house, ann)
    assert [len(page) for page in pages] == [3, 3, 1]
    assert await names(house, ann, Search(scope=Scope.SHARED)) == ["bob/shared-1"]
    assert sorted(await names(house, ann, Search(scope=Scope.MINE, text="MINE"))) == ["ann/mine-1", "ann/mine-2"]
    assert min(await names(house, ann, Search(scope=Scope.PUBLIC))) == "ann/shown"
    assert await names(house, ann, Search(base="other")) == ["bob/shared-1"]
    assert len(await names(house, ann, Search(tag="toy"))) == 3
    assert len(await names(house, ann, Search(tag="toy", adult=True))) == 4


async def kept(house: House, actor: Actor, *slugs: str, **facts: Any) -> None:
    """Keep models of somebody."""

    async def work(tx: Repositories) -> None:
        for slug in slugs:
            fields = {"id": slug, "slug": slug, "owner": actor.account, "owner_name": actor.name, **facts}
            await tx.models.add(a_model(**fields))

    await house.store.transact(work)
