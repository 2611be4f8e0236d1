"""What a look of the doctor leaves behind, whatever happened while he looked."""

from datetime import timedelta

import pytest

from core.domain.account import Actor
from core.domain.dataset import Dataset, Status
from core.domain.errors import LeaseLost
from core.domain.finding import Finding, LineError, Severity, Statistics, TokenCount
from core.domain.job import LEASE, Job
from core.kinds.mending import dropped
from core.kinds.validation import Payload, Result
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import BROKEN, a_ready_dataset, claimed, finished, somebody, stored, taken_in, uploaded

BAD = Finding(code="unreadable", severity=Severity.ERROR, words="…")


async def references(database: Database) -> dict[str, int]:
    return {row["_id"]: row["references"] async for row in database["blobs"].find({"references": {"$gt": 0}})}


async def checking(house: House, ann: Actor, dataset: Dataset, key: str = "k") -> Job:
    return await house.services.datasets.check(ann, dataset, place=HOME, key=key)


async def now_of(house: House, dataset: Dataset) -> Dataset:
    return await house.store.datasets.get(dataset.id)


async def looks(house: House, dataset: Dataset) -> list[Job]:
    return [job for job in await house.store.jobs.about(dataset.id) if job.kind == "validation"]


async def test_what_was_found_is_recorded_and_the_sheets_before_are_let_go(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    item = (await house.store.items.of(dataset.id))[0]
    fault = LineError(file="a.jsonl", line=1, turn=2, words="Nothing is said in this turn.")
    for number in range(2):
        one, two = await stored(house, f"sheet {number}"), await stored(house, f"preview {number}")
        result = Result(
            revision=dataset.revision,
            findings=(BAD,),
            statistics=Statistics(items=1),
            faults=(fault,),
            samples=("user: hello",),
            sheets=(one,),
            previews=(two,),
            pairs=one,
            tokens={item.captions["main"].id: 9, "somebody else's": 5},
        )
        await finished(house, await checking(house, ann, dataset, key=str(number)), result)

    after = await now_of(house, dataset)
    assert (after.status, after.findings, after.faults, after.samples) == (
        Status.ERROR,
        (BAD,),
        (fault,),
        ("user: hello",),
    )
    assert (after.sheets, after.previews, after.pairs) == ((one,), (two,), one)
    assert after.statistics.tokens == TokenCount(shortest=9, longest=9, total=9, texts=1)
    assert (await house.store.items.of(dataset.id))[0].captions["main"].tokens == 9
    assert await references(database) == {item.artifact.sha256: 1, one.sha256: 2, two.sha256: 1}


async def test_captions_that_change_meanwhile_are_looked_at_as_they_are_then(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    item = (await house.store.items.of(dataset.id))[0]
    job, token = await claimed(house, await checking(house, ann, dataset))
    await house.services.captions.edit(ann, item, text="a robot")
    counted = {item.captions["main"].id: 9}

    await house.services.jobs.finish(job.id, token, Result(revision=dataset.revision, tokens=counted))

    after, caption = await now_of(house, dataset), (await house.store.items.of(dataset.id))[0].captions["main"]
    assert (after.status, [finding.code for finding in after.findings]) == (Status.READY, ["triggerless"])
    assert (caption.text, caption.tokens, after.statistics.tokens.estimated) == ("a robot", None, True)


async def test_a_look_at_what_has_changed_is_taken_again_as_deep_as_before(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    job = await checking(house, ann, dataset)
    changed = await now_of(house, dataset)
    await house.store.datasets.save(changed.but(revision=changed.revision + 1))

    await finished(house, job, Result(revision=dataset.revision, findings=(BAD,)))

    (again,) = await looks(house, dataset)
    meanwhile = await now_of(house, dataset)
    cards = await house.store.cards.of(again.id)
    await finished(house, again)
    assert (again.payload, [card.place for card in cards]) == (
        Payload(dataset=dataset.id, deep=True).model_dump(),
        [HOME],
    )
    assert (meanwhile.status, meanwhile.findings) == (Status.VALIDATING, ())
    assert (await now_of(house, dataset)).status is Status.READY


@pytest.mark.parametrize("first", ["failed", "stale"])
async def test_of_two_looks_the_second_says_it_all_when_the_first_has_nothing_to_say(house: House, first: str) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    one, two = await checking(house, ann, dataset, key="1"), await checking(house, ann, dataset, key="2")

    await finished(house, one, BROKEN if first == "failed" else Result(revision=dataset.revision - 1))
    meanwhile, waiting = await now_of(house, dataset), await looks(house, dataset)
    await finished(house, two)

    assert (meanwhile.status, [job.id for job in waiting]) == (Status.VALIDATING, [two.id])
    assert ((await now_of(house, dataset)).status, await looks(house, dataset)) == (Status.READY, [])


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_look_that_does_not_end_leaves_a_draft_that_can_be_looked_at_again(
    house: House, *, cancelled: bool
) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    job = await checking(house, ann, dataset)
    if cancelled:
        await house.services.jobs.cancel(ann, job.id)
    else:
        await finished(house, job, BROKEN)

    draft = await now_of(house, dataset)
    await finished(house, await checking(house, ann, dataset, key="again"))

    assert (draft.status, (await now_of(house, dataset)).status) == (Status.DRAFT, Status.READY)


async def test_files_that_come_in_meanwhile_are_looked_at_with_the_others(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    look = await checking(house, ann, dataset)
    coming = await uploaded(house, ann, dataset, "more.png")

    await finished(house, look, Result(revision=dataset.revision, findings=(BAD,)))
    meanwhile = await now_of(house, dataset)
    await taken_in(house, coming)

    after = await now_of(house, dataset)
    assert (meanwhile.status, meanwhile.findings) == (Status.UPLOADING, ())
    assert (after.status, after.count, after.statistics.items) == (Status.READY, 4, 4)


async def test_the_doctor_waits_for_files_that_come_in_while_pictures_are_dropped(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    coming = await uploaded(house, ann, dataset, "more.png")
    current, items = await now_of(house, dataset), await house.store.items.of(dataset.id)
    now, ids = house.services.datasets.clock.now(), house.services.datasets.ids

    waiting = await house.store.transact(
        lambda tx: dropped(tx, current, items[:1], ids=ids, now=now, place=HOME, key="k")
    )
    looking = await looks(house, dataset)
    await taken_in(house, coming)

    after, left = await now_of(house, dataset), await house.store.items.of(dataset.id)
    assert (waiting.status, looking) == (Status.UPLOADING, [])
    assert (after.status, after.count, [item.position for item in left]) == (Status.READY, 3, [0, 1, 2])


async def test_a_dataset_that_is_deleted_meanwhile_is_as_it_should_be_when_it_is_restored(house: House) -> None:
    ann = await somebody(house)
    dataset, gone = await a_ready_dataset(house, ann), await a_ready_dataset(house, ann, name="blip")
    jobs = [await checking(house, ann, one, key=one.id) for one in (dataset, gone)]
    await house.services.datasets.delete(ann, dataset)
    await house.store.datasets.remove(gone.id)

    ended = [await finished(house, job, Result(revision=dataset.revision, findings=(BAD,))) for job in jobs]

    after = await now_of(house, dataset)
    assert (after.status, after.deleted_at is not None) == (Status.ERROR, True)
    assert all(job.state.ended for job in ended)


async def test_a_worker_that_is_lost_changes_nothing_and_the_next_one_says_it(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    job, token = await claimed(house, await checking(house, ann, dataset))
    clock.advance(LEASE + timedelta(seconds=1))
    await house.services.jobs.expire()
    again, other = await claimed(house, job, worker="w2")

    with pytest.raises(LeaseLost):
        await house.services.jobs.finish(job.id, token, Result(revision=dataset.revision, findings=(BAD,)))
    meanwhile = await now_of(house, dataset)
    await house.services.jobs.finish(again.id, other, Result(revision=dataset.revision))

    assert (again.id, meanwhile.status) == (job.id, Status.VALIDATING)
    assert (await now_of(house, dataset)).status is Status.READY
