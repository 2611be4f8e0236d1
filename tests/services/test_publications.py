"""Publication as a stage of its own: done once, done anew, tried again; which epoch a model is, and which ones stay."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from core.domain.account import Actor
from core.domain.errors import EpochGone, NotFound
from core.domain.job import Failure, Job, JobState
from core.domain.model import Licence, Model
from core.domain.run import Epoch, Run
from core.kinds import publication
from core.ports.clock import HandClock
from loraguild.composition import House
from loraguild.tidying import tidied
from storage.repositories.entities import Database
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    a_trained_model,
    an_order,
    claimed,
    everything_in,
    finished,
    somebody,
    stored,
    well_done,
)

DAY = timedelta(days=1)


async def waiting(house: House, model: Model) -> list[Job]:
    """List the publications of a model that have not ended."""
    return [job for job in await house.store.jobs.about(model.id) if job.kind == publication.KIND]


async def published(house: House, model: Model) -> Model:
    """Let a worker publish a model."""
    (job,) = await waiting(house, model)
    await finished(house, job)
    return await house.store.models.get(model.id)


async def references(database: Database, *hashes: str) -> list[int]:
    """Count who refers to these blobs."""
    rows = {row["_id"]: row["references"] async for row in database["blobs"].find()}
    return [rows.get(name, -1) for name in hashes]


async def a_model_of_epochs(house: House, actor: Actor, *steps: int) -> tuple[Model, Sequence[Epoch]]:
    """Train a model with an epoch at each of these steps."""
    job, token = await claimed(house, await an_order(house, actor, await a_ready_dataset(house, actor)))
    for number, step in enumerate(steps, start=1):
        artifact = await stored(house, f"epoch {number}.safetensors")
        samples = (await stored(house, f"epoch {number}.png"),)
        epoch = Epoch(number=number, step=step, loss=1 / number, artifact=artifact, samples=samples)
        await house.services.runs.passed(job.id, token, epoch, run=job.id)
    result = await well_done(house, job)
    await house.services.jobs.finish(job.id, token, result.but(artifact=artifact))
    (model,) = await house.store.models.owned(actor.account)
    return model, (await house.store.runs.get(job.id)).epochs


async def run_of(house: House, model: Model) -> Run:
    return await house.store.runs.get(model.run)


async def test_a_trained_model_can_be_used_at_once_and_is_published_without_a_word(
    house: House, database: Database
) -> None:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    (job,) = await waiting(house, model)
    told = [await database[name].count_documents({}) for name in ("cards", "notices")]
    fresh = await published(house, model)

    assert (model.usable_by(ann.account), model.card, job.price, job.owner) == (True, None, 0, ann.account)
    assert fresh.artifact != model.artifact
    assert (fresh.weights, fresh.card and fresh.card.size) == ("c" * 64, len(f"{model.imprint} README.md"))
    assert await references(database, model.artifact.sha256, *fresh.files) == [0, 1, 1, 1]
    assert [await database[name].count_documents({}) for name in ("cards", "notices")] == told
    assert [file.sha256 for file in await house.services.publications.download(ann, model.id)] == list(fresh.files)
    assert await waiting(house, model) == []


async def test_what_presents_itself_otherwise_is_published_anew_once_for_all_changes(house: House) -> None:
    ann = await somebody(house)
    model = await published(house, await a_trained_model(house, ann))
    models = house.services.models
    await models.edit(ann, model.id, description="")
    await models.publish(ann, model.id)
    nothing = await waiting(house, model)
    await models.edit(ann, model.id, description="A robot.")
    await models.rename(ann, model.id, "hero")
    await models.edit(ann, model.id, licence=Licence.CC0)
    await models.show(ann, model.id, [1])
    once = await waiting(house, model)
    await published(house, model)

    assert (nothing, len(once)) == ([], 1)
    assert await waiting(house, model) == []


async def test_what_changes_while_it_is_published_is_published_anew(house: House, database: Database) -> None:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    job, token = await claimed(house, (await waiting(house, model))[0])
    outdated = await well_done(house, job)
    renamed = await house.services.models.rename(ann, model.id, "hero")
    assert [one.id for one in await waiting(house, model)] == [job.id]
    await house.services.jobs.finish(job.id, token, outdated)
    unchanged = await house.store.models.get(model.id)
    (again,) = await waiting(house, model)
    await finished(house, again)

    assert unchanged == renamed
    assert again.id != job.id
    fresh = await house.store.models.get(model.id)
    assert await references(database, *fresh.files) == [1, 1, 1]


async def test_the_same_published_twice_is_the_same(house: House, database: Database) -> None:
    ann = await somebody(house)
    first = await published(house, await a_trained_model(house, ann))
    await house.services.models.edit(ann, first.id, description="A robot.")
    await house.services.models.edit(ann, first.id, description="")
    again = await published(house, first)

    assert again == first
    assert await references(database, *again.files) == [1, 1, 1]


async def test_a_failure_is_tried_again_later_and_later_and_then_told(
    house: House, clock: HandClock, database: Database
) -> None:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    waits = []
    for _ in range(publication.TRIES):
        (job,) = await waiting(house, model)
        waits.append((job.not_before - clock.now()).total_seconds())
        clock.advance(job.not_before - clock.now())
        silent = await database["notices"].count_documents({"topic": "publication"})
        await finished(house, job, BROKEN)
    told = [row async for row in database["notices"].find({"topic": "publication"})]

    assert (waits, silent) == ([0, 60, 240, 960, 3840], 0)
    assert await waiting(house, model) == []
    assert [(row["account"], row["details"]["title"]) for row in told] == [
        (ann.account, "ann/zorp could not be published as it is now")
    ]
    assert told[0]["details"]["text"].startswith("It broke.\n")
    assert await house.store.models.get(model.id) == model


async def test_a_failing_first_attempt_is_made_good_by_the_second(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    await finished(house, (await waiting(house, model))[0], BROKEN)
    clock.advance(publication.WAIT)

    assert (await published(house, model)).weights


async def test_what_kills_workers_is_not_tried_again(house: House) -> None:
    model = await a_trained_model(house, await somebody(house))
    await finished(house, (await waiting(house, model))[0], Failure(code="quarantined", words="Three were lost."))

    assert await waiting(house, model) == []


async def test_a_model_that_is_deleted_meanwhile_stays_as_it_was(house: House, database: Database) -> None:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    job, token = await claimed(house, (await waiting(house, model))[0])
    result = await well_done(house, job)
    gone = await house.services.models.delete(ann, model.id)
    with pytest.raises(NotFound):
        await house.services.publications.manuscript(job)
    await house.services.jobs.finish(job.id, token, result)

    assert await house.store.models.get(model.id) == gone
    assert await references(database, model.artifact.sha256) == [1]
    assert await waiting(house, model) == []


async def test_an_epoch_is_chosen_and_published(house: House, database: Database) -> None:
    ann = await somebody(house)
    model, (first, last) = await a_model_of_epochs(house, ann, 10, 20)
    late = await published(house, model)
    chosen = await house.services.publications.choose(ann, model.id, 10)
    draft = await house.services.publications.manuscript((await waiting(house, model))[0])
    early = await published(house, model)

    assert (chosen.artifact, chosen.step, chosen.weights) == (first.artifact, 10, None)
    assert draft.sample == first.samples[0]
    assert early.artifact not in {late.artifact, first.artifact}
    hashes = [first.artifact.sha256, last.artifact.sha256, late.artifact.sha256, *early.files]
    assert await references(database, *hashes) == [1, 1, 0, 1, 1, 1]
    with pytest.raises(NotFound):
        await house.services.publications.choose(ann, model.id, 15)
    with pytest.raises(NotFound):
        await house.services.publications.choose(await somebody(house, "bob"), model.id, 20)


async def test_two_choices_at_the_same_time_leave_one_and_its_publication(house: House, database: Database) -> None:
    ann = await somebody(house)
    model, epochs = await a_model_of_epochs(house, ann, 10, 20, 30)
    model = await published(house, model)
    await asyncio.gather(*(house.services.publications.choose(ann, model.id, epoch.step) for epoch in epochs))
    chosen = await house.store.models.get(model.id)
    counts = dict(zip(epochs, await references(database, *(one.artifact.sha256 for one in epochs)), strict=True))

    assert counts == {one: 2 if one.step == chosen.step else 1 for one in epochs}
    assert len(await waiting(house, model)) == 1


async def test_other_epochs_go_a_month_after_the_choice(house: House, clock: HandClock, database: Database) -> None:
    ann = await somebody(house)
    model, (first, second, third) = await a_model_of_epochs(house, ann, 10, 20, 30)
    await published(house, model)
    clock.advance(80 * DAY)
    await house.services.publications.choose(ann, model.id, 20)
    fresh = await published(house, model)
    clock.advance(29 * DAY)
    early = await house.services.publications.sweep()
    clock.advance(2 * DAY)
    await tidied(house)
    clock.advance(2 * DAY)
    await tidied(house)

    assert early == 0
    assert (await run_of(house, model)).epochs == (first.but(gone=True), second, third.but(gone=True))
    files = [first.artifact, second.artifact, third.artifact, *first.samples, *third.samples]
    assert await references(database, *(file.sha256 for file in files)) == [0, 1, 0, 1, 1]
    assert await references(database, *fresh.files) == [1, 1, 1]
    with pytest.raises(EpochGone):
        await house.services.publications.choose(ann, model.id, 10)
    assert (await house.services.publications.choose(ann, model.id, 20)).artifact == second.artifact
    assert await house.services.publications.sweep() == 0


async def test_where_nobody_has_chosen_the_last_epoch_stays(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    model, (first, last) = await a_model_of_epochs(house, ann, 10, 20)
    clock.advance(90 * DAY)
    early = await house.services.publications.sweep()
    clock.advance(DAY)

    assert (early, await house.services.publications.sweep()) == (0, 1)
    assert (await run_of(house, model)).epochs == (first.but(gone=True), last)


async def test_a_training_that_made_no_model_keeps_no_epoch_for_ever(
    house: House, clock: HandClock, database: Database
) -> None:
    ann = await somebody(house)
    job, token = await claimed(house, await an_order(house, ann, await a_ready_dataset(house, ann)))
    artifact = await stored(house, "epoch.safetensors")
    await house.services.runs.passed(job.id, token, Epoch(number=1, step=1, loss=1.0, artifact=artifact), run=job.id)
    clock.advance(100 * DAY)
    running = await house.services.publications.sweep()
    await house.services.jobs.report(job.id, token)
    await house.services.jobs.finish(job.id, token, BROKEN)
    clock.advance(91 * DAY)

    assert (running, await house.services.publications.sweep()) == (0, 1)
    assert await references(database, artifact.sha256) == [0]


async def test_a_sweep_that_has_nothing_to_do_changes_nothing(house: House, database: Database) -> None:
    await a_model_of_epochs(house, await somebody(house), 10, 20)
    before = await everything_in(database)

    assert await house.services.publications.sweep() == 0
    assert await everything_in(database) == before


async def test_of_a_forgotten_owner_nothing_that_was_published_is_left(house: House, database: Database) -> None:
    ann = await somebody(house)
    model, epochs = await a_model_of_epochs(house, ann, 10, 20)
    fresh = await published(house, model)
    await house.services.publications.choose(ann, model.id, 10)
    await published(house, model)
    await house.services.models.edit(ann, model.id, description="A robot.")
    (job,) = await waiting(house, model)
    farewell = await house.services.forgettings.farewell(ann)
    await house.services.forgettings.forget(ann, giving_up=farewell.earned)
    left = await house.store.models.get(model.id)
    names = [*fresh.files, *(name for epoch in epochs for name in epoch.files)]

    assert (left.card, left.thumbnail, (await house.store.jobs.get(job.id)).state) == (None, None, JobState.CANCELLED)
    assert {count for count in await references(database, *names) if count} == set()
