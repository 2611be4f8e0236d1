"""What somebody no longer wants to be seen is seen by nobody else, in none of the places where it was shown."""

import pytest

from core.domain.account import Actor, Role
from core.domain.artifact import Artifact
from core.domain.dataset import Access, Dataset, Scope
from core.domain.errors import ConsentWithdrawn, NotFound, Suspended
from core.domain.export import Format
from core.domain.report import ReportedKind
from core.kinds import export, validation
from core.ports.clock import HandClock
from loraguild.composition import House
from loraguild.tidying import tidied
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import (
    a_quote_for,
    a_ready_dataset,
    an_order,
    claimed,
    finished,
    moderating,
    somebody,
    stored,
    well_done,
)
from tests.services.test_purges import MONTH, references


async def shown(house: House, actor: Actor) -> tuple[Dataset, Artifact]:
    """A dataset for everyone with a contact sheet, and what somebody has exported of it."""
    dataset = await a_ready_dataset(house, actor)
    await house.services.sharings.open(actor, dataset.id, Access.PUBLIC)
    sheet, file = await stored(house, "sheet.png"), await stored(house, "zorp.zip")
    job = await house.services.datasets.check(actor, dataset, place=HOME, key="check")
    found, token = await claimed(house, job)
    result = validation.Result.model_validate(await well_done(house, found)).but(sheets=(sheet,))
    await house.services.jobs.finish(job.id, token, result)
    order = await house.services.exports.order(actor, dataset, wished=Format.ZIP, place=HOME, key="x")
    await finished(house, order, export.Result(artifact=file, count=3))
    return await house.store.datasets.get(dataset.id), file


@pytest.mark.parametrize("whole", [True, False])
async def test_what_shows_a_withdrawn_picture_goes_with_the_consent(
    house: House, database: Database, *, whole: bool
) -> None:
    ann = await somebody(house)
    dataset, file = await shown(house, ann)
    item = None if whole else (await house.store.items.of(dataset.id))[1]
    assert {file.sha256, dataset.sheets[0].sha256} <= await references(database)

    await house.services.consents.withdraw(ann, dataset.id, item, key="k")

    after = await house.store.datasets.get(dataset.id)
    assert (after.sheets, await house.store.exports.of(dataset.id)) == ((), [])
    assert not {file.sha256, dataset.sheets[0].sha256} & await references(database)


async def test_a_look_that_was_under_way_does_not_show_what_was_withdrawn(house: House) -> None:
    ann = await somebody(house)
    dataset, _ = await shown(house, ann)
    found, token = await claimed(house, await house.services.datasets.check(ann, dataset, place=HOME, key="again"))
    seen = validation.Result.model_validate(await well_done(house, found))
    item = (await house.store.items.of(dataset.id))[1]

    await house.services.consents.withdraw(ann, dataset.id, item, key="k")
    await house.services.jobs.finish(found.id, token, seen.but(sheets=(await stored(house, "late sheet.png"),)))

    assert (await house.store.datasets.get(dataset.id)).sheets == ()


async def test_what_is_reported_or_withdrawn_is_out_of_sight_of_all_but_its_owner_and_moderators(house: House) -> None:
    ann, bob, eve = await somebody(house), await somebody(house, "bob"), await somebody(house, "eve")
    first, second = await a_ready_dataset(house, ann), await a_ready_dataset(house, ann, name="blip")
    for dataset in (first, second):
        await house.services.sharings.share(ann, dataset.id, await house.store.accounts.get(bob.account))
        await house.services.sharings.open(ann, dataset.id, Access.UNLISTED)
    quoted = [await a_quote_for(house, bob, dataset) for dataset in (first, second)]

    await house.services.reports.report(eve, ReportedKind.DATASET, first.id, why="that is me")
    await house.services.consents.withdraw(ann, second.id, key="k")

    for dataset in (first, second):
        for actor in (bob, eve, bob.but(role=Role.VIEWER)):
            with pytest.raises(NotFound):
                await house.services.datasets.view(actor, dataset.id)
        for actor in (ann, moderating(eve)):
            assert (await house.services.datasets.view(actor, dataset.id)).dataset.id == dataset.id
    assert await house.services.datasets.list(bob, scope=Scope.SHARED) == []
    with pytest.raises(Suspended):
        await house.services.trainings.order(bob, quoted[0].quote.id, place=HOME)
    with pytest.raises(ConsentWithdrawn):
        await house.services.trainings.order(bob, quoted[1].quote.id, place=HOME)


async def test_what_is_reported_stays_until_a_moderator_has_looked(house: House, clock: HandClock) -> None:
    ann, eve, mod = await somebody(house), await somebody(house, "eve"), moderating(await somebody(house, "mod"))
    dataset = await a_ready_dataset(house, ann)
    await house.services.sharings.open(ann, dataset.id, Access.PUBLIC)
    job = await finished(house, await an_order(house, ann, dataset))
    (report,) = await house.services.reports.report(eve, ReportedKind.DATASET, dataset.id, why="that is me")
    await house.services.datasets.delete(ann, dataset)

    with pytest.raises(Suspended):
        await house.services.purges.purge(ann, dataset.id)
    clock.advance(2 * MONTH)
    await tidied(house)
    await house.services.reports.uphold(mod, report.id)

    model = await house.store.models.of_run(job.id)
    assert model
    assert not model.usable
    await tidied(house)
    assert await house.store.datasets.find(dataset.id) is None
