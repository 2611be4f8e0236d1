"""Captions through the services: every change a version, many at once as shown, sets, reviews, and who may."""

import asyncio
from collections.abc import Sequence

import pytest

from core.domain.account import Actor
from core.domain.caption import KEPT, SETS, CaptionReview, CaptionSource
from core.domain.dataset import Access, Dataset, Status
from core.domain.errors import BadValue, MinorsGuarded, NameTaken, NotFound, NothingToDo, Outdated
from core.domain.item import Item
from core.domain.rating import Rating
from core.domain.rewrite import Verb, rewriting
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.scenes import a_ready_dataset, everything_in, moderating, somebody

HAT = rewriting(Verb.APPEND, words="a hat")


async def pictures(house: House, dataset: Dataset) -> Sequence[Item]:
    return await house.store.items.of(dataset.id)


async def texts(house: House, dataset: Dataset) -> list[str | None]:
    current = await house.store.datasets.get(dataset.id)
    captions = [current.caption_of(item) for item in await pictures(house, dataset)]
    return [caption.text if caption else None for caption in captions]


async def codes(house: House, dataset: Dataset) -> set[str]:
    return {finding.code for finding in (await house.store.datasets.get(dataset.id)).findings}


async def test_every_change_is_a_version_with_author_source_and_time(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    captions, (item,) = house.services.captions, await pictures(house, dataset)

    await captions.edit(ann, item, text=" zorp,\n a hat ")
    await captions.undo(ann, item)
    await captions.delete(ann, item)
    seen = await captions.history(ann, item)

    assert [(one.version, one.text, one.source, one.restored) for one in seen.versions] == [
        (4, "", CaptionSource.HAND, None),
        (3, "zorp number 0", CaptionSource.UNDO, 1),
        (2, "zorp, a hat", CaptionSource.HAND, None),
        (1, "zorp number 0", CaptionSource.UPLOAD, None),
    ]
    assert {one.author for one in seen.versions} == {ann.account}
    assert seen.names == {ann.account: "ann"}
    assert seen.versions[0] == (await pictures(house, dataset))[0].captions["main"]


async def test_a_change_of_captions_keeps_a_dataset_ready_and_renews_what_the_doctor_says_of_them(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=2)
    first, _ = await pictures(house, dataset)

    await house.services.captions.edit(ann, first, text="a hat")
    assert "triggerless" in await codes(house, dataset)
    await house.services.captions.delete(ann, first)
    after = await house.store.datasets.get(dataset.id)
    assert "uncaptioned" in await codes(house, dataset)
    assert "triggerless" not in await codes(house, dataset)
    assert (after.status, after.statistics.captioned) == (Status.READY, 1)
    assert after.revision == dataset.revision


async def test_undo_walks_back_and_to_any_version(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    captions, (item,) = house.services.captions, await pictures(house, dataset)
    for text in ("zorp b", "zorp c"):
        await captions.edit(ann, item, text=text)

    assert (await captions.undo(ann, item)).captions["main"].text == "zorp b"
    assert (await captions.undo(ann, item)).captions["main"].text == "zorp number 0"
    with pytest.raises(NothingToDo, match="nothing before the first"):
        await captions.undo(ann, item)
    assert (await captions.undo(ann, item, version=3)).captions["main"].text == "zorp c"
    with pytest.raises(NotFound, match=r"no version «9».*1 to 6"):
        await captions.undo(ann, item, version=9)


async def test_two_versions_are_compared(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    captions, (item,) = house.services.captions, await pictures(house, dataset)
    with pytest.raises(NothingToDo):
        await captions.compare(ann, item)
    for text in ("zorp b", "zorp c"):
        await captions.edit(ann, item, text=text)

    assert [one.text for one in await captions.compare(ann, item)] == ["zorp b", "zorp c"]
    assert [one.text for one in await captions.compare(ann, item, old=1)] == ["zorp number 0", "zorp c"]
    assert [one.text for one in await captions.compare(ann, item, new=2)] == ["zorp number 0", "zorp b"]
    with pytest.raises(NotFound):
        await captions.compare(ann, item, old=0)


async def test_what_has_no_caption_has_no_history(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    captions, (item,) = house.services.captions, await pictures(house, dataset)
    await captions.open_set(ann, dataset, name="long")
    await captions.choose_set(ann, dataset, "long")

    for nothing in (captions.history(ann, item), captions.undo(ann, item), captions.delete(ann, item)):
        with pytest.raises(NothingToDo, match="has no caption"):
            await nothing


async def test_many_captions_change_at_once_as_they_were_shown(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    captions, items = house.services.captions, await pictures(house, dataset)
    await captions.delete(ann, items[2])

    preview = await captions.preview(ann, dataset, HAT)
    assert [(one.item.position, one.before, one.after) for one in preview.changes] == [
        (0, "zorp number 0", "zorp number 0, a hat"),
        (1, "zorp number 1", "zorp number 1, a hat"),
    ]
    assert await texts(house, dataset) == ["zorp number 0", "zorp number 1", None]
    done = await captions.rewrite(ann, dataset, HAT, digest=preview.digest)
    assert done.changes == preview.changes
    assert await texts(house, dataset) == ["zorp number 0, a hat", "zorp number 1, a hat", None]
    latest = (await captions.history(ann, items[0])).versions[0]
    assert (latest.version, latest.source, latest.author) == (2, CaptionSource.BULK, ann.account)
    with pytest.raises(NothingToDo, match="No caption of «zorp» would change"):
        await captions.preview(ann, dataset, HAT)


async def test_a_change_that_would_not_be_what_was_shown_is_not_made(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    captions, items = house.services.captions, await pictures(house, dataset)
    preview = await captions.preview(ann, dataset, HAT)
    await captions.edit(ann, items[1], text="zorp on a hill")
    before = await everything_in(database)

    with pytest.raises(Outdated, match="has changed since you saw it"):
        await captions.rewrite(ann, dataset, HAT, digest=preview.digest)
    with pytest.raises(Outdated):
        await captions.rewrite(ann, dataset, rewriting(Verb.CLEAR), digest=preview.digest)
    assert await everything_in(database) == before


async def test_of_two_who_apply_the_same_change_one_is_told(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    captions = house.services.captions
    preview = await captions.preview(ann, dataset, HAT)

    done = await asyncio.gather(
        *(captions.rewrite(ann, dataset, HAT, digest=preview.digest) for _ in range(2)), return_exceptions=True
    )

    assert [isinstance(one, Outdated) for one in done].count(True) == 1
    assert await texts(house, dataset) == [f"zorp number {number}, a hat" for number in range(3)]


async def test_all_captions_are_cleared_and_come_back(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=2)
    captions, (first, _) = house.services.captions, await pictures(house, dataset)
    clear = rewriting(Verb.CLEAR)

    await captions.rewrite(ann, dataset, clear, digest=(await captions.preview(ann, dataset, clear)).digest)
    assert await texts(house, dataset) == [None, None]
    await captions.undo(ann, first)
    assert await texts(house, dataset) == ["zorp number 0", None]


async def test_a_caption_set_is_opened_chosen_and_let_go(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=2)
    captions, (first, _) = house.services.captions, await pictures(house, dataset)
    copied = await captions.open_set(ann, dataset, name="Long", copied="main")
    assert (copied.sets, copied.default_set) == (("main", "long"), "main")

    assert (await captions.choose_set(ann, dataset, "long")).default_set == "long"
    await captions.edit(ann, first, text="zorp, long story")
    assert await texts(house, dataset) == ["zorp, long story", "zorp number 1"]
    await captions.choose_set(ann, dataset, "main")
    assert await texts(house, dataset) == ["zorp number 0", "zorp number 1"]
    assert (await captions.drop_set(ann, dataset, "long")).sets == ("main",)
    with pytest.raises(NotFound, match="There are: main"):
        await captions.choose_set(ann, dataset, "long")
    await captions.open_set(ann, dataset, name="long")
    await captions.choose_set(ann, dataset, "long")
    assert await texts(house, dataset) == ["zorp, long story", "zorp number 1"]


async def test_choosing_a_set_has_the_doctor_look_at_its_captions(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=2)
    captions = house.services.captions
    await captions.open_set(ann, dataset, name="empty")

    chosen = await captions.choose_set(ann, dataset, "empty")

    assert {finding.code for finding in chosen.findings} >= {"uncaptioned"}
    assert (chosen.statistics.captioned, chosen.status) == (0, Status.READY)
    assert "uncaptioned" not in {one.code for one in (await captions.choose_set(ann, dataset, "main")).findings}


async def test_caption_sets_that_cannot_be(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    captions = house.services.captions
    for number in range(1, SETS):
        await captions.open_set(ann, dataset, name=f"set-{number}")

    with pytest.raises(NameTaken):
        await captions.open_set(ann, dataset, name="main")
    with pytest.raises(BadValue, match="at most 5"):
        await captions.open_set(ann, dataset, name="one-more")
    with pytest.raises(BadValue):
        await captions.open_set(ann, dataset, name="a b")
    with pytest.raises(NothingToDo, match="in use"):
        await captions.drop_set(ann, dataset, "main")
    await captions.drop_set(ann, dataset, "set-1")
    with pytest.raises(NotFound, match="caption set «set-1»"):
        await captions.open_set(ann, dataset, name="one-more", copied="set-1")


async def test_sets_that_were_let_go_do_not_add_up_without_end(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    captions = house.services.captions
    for number in range(1, KEPT):
        await captions.open_set(ann, dataset, name=f"set-{number}", copied="main")
        await captions.drop_set(ann, dataset, f"set-{number}")

    with pytest.raises(BadValue, match="20 with those that were deleted"):
        await captions.open_set(ann, dataset, name="one-more", copied="main")


async def test_captions_are_reviewed_one_after_the_other(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_ready_dataset(house, ann)
    await house.store.datasets.save((await house.store.datasets.get(dataset.id)).but(shared=(bob.account,)))
    reviews, items = house.services.reviews, await pictures(house, dataset)

    seen = await reviews.view(bob, dataset.id)
    assert (seen.item, seen.following) == (items[0], items[1])
    await reviews.review(bob, items[1], CaptionReview.REJECTED, note="too  short")
    await reviews.review(moderating(await somebody(house, "mod")), items[0], CaptionReview.APPROVED, version=1)
    seen = await reviews.view(ann, dataset.id, after=2)
    assert (seen.item, seen.following) == (items[2], None)
    assert seen.counts == {CaptionReview.APPROVED: 1, CaptionReview.REJECTED: 1, CaptionReview.PENDING: 1}
    shown = await reviews.view(ann, dataset.id, item=items[1].id)
    assert shown.item
    judged = shown.item.captions["main"]
    assert (judged.review, judged.note, judged.reviewer) == (CaptionReview.REJECTED, "too short", bob.account)
    assert (await house.services.captions.history(ann, items[1])).versions == (judged,)

    await house.services.captions.edit(ann, items[1], text="zorp, a long story")
    assert (await reviews.view(ann, dataset.id)).counts[CaptionReview.PENDING] == 2


async def test_a_caption_that_changed_since_it_was_seen_is_not_reviewed(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    reviews, (item,) = house.services.reviews, await pictures(house, dataset)
    await house.services.captions.edit(ann, item, text="zorp, other")

    with pytest.raises(Outdated):
        await reviews.review(ann, item, CaptionReview.APPROVED, version=1)
    await house.services.captions.delete(ann, item)
    with pytest.raises(NothingToDo):
        await reviews.review(ann, item, CaptionReview.APPROVED)
    assert (await reviews.view(ann, dataset.id)).item is None


async def test_words_of_young_age_cannot_stand_where_adults_look(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    await house.store.datasets.save((await house.store.datasets.get(dataset.id)).but(rating=Rating.NSFW))
    captions, (item,) = house.services.captions, await pictures(house, dataset)

    with pytest.raises(MinorsGuarded):
        await captions.edit(ann, item, text="zorp, a teenager")
    with pytest.raises(MinorsGuarded):
        await captions.preview(ann, dataset, rewriting(Verb.APPEND, words="a teenager"))
    assert await texts(house, dataset) == ["zorp number 0"]


async def refused(house: House, actor: Actor, dataset: Dataset, item: Item) -> int:
    """Try everything that changes captions; return how often there was no such dataset."""
    captions = house.services.captions
    attempts = (
        captions.edit(actor, item, text="mine"),
        captions.delete(actor, item),
        captions.undo(actor, item),
        captions.preview(actor, dataset, HAT),
        captions.rewrite(actor, dataset, HAT, digest="0"),
        captions.open_set(actor, dataset, name="mine"),
        captions.choose_set(actor, dataset, "main"),
        captions.drop_set(actor, dataset, "main"),
    )
    done = await asyncio.gather(*attempts, return_exceptions=True)
    return sum(isinstance(one, NotFound) and one.noun == "dataset" for one in done)


async def test_who_may_use_a_dataset_sees_its_captions_and_its_owner_alone_changes_them(
    house: House, database: Database
) -> None:
    ann, bob, cid = [await somebody(house, name) for name in ("ann", "bob", "cid")]
    dataset = await a_ready_dataset(house, ann, pictures=1)
    (item,) = await pictures(house, dataset)
    captions, reviews = house.services.captions, house.services.reviews
    hidden = await everything_in(database)

    assert await refused(house, bob, dataset, item) == 8
    for look in (captions.history(bob, item), captions.compare(bob, item), reviews.view(bob, dataset.id)):
        with pytest.raises(NotFound, match="There is no dataset"):
            await look
    with pytest.raises(NotFound):
        await reviews.review(bob, item, CaptionReview.APPROVED)
    assert await everything_in(database) == hidden

    opened = (await house.store.datasets.get(dataset.id)).but(access=Access.PUBLIC, shared=(cid.account,))
    await house.store.datasets.save(opened)
    assert [await refused(house, actor, dataset, item) for actor in (bob, cid, moderating(bob))] == [8, 8, 8]
    assert len((await captions.history(bob, item)).versions) == 1
    with pytest.raises(NotFound, match="reviewed by its owner"):
        await reviews.review(bob, item, CaptionReview.APPROVED)
    assert (await reviews.view(cid, dataset.id)).item == item
