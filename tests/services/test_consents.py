"""Consent: attested before the first training, withdrawn at any time, and what that means for what was made."""

import pytest

from core.domain.account import Actor
from core.domain.consent import RIGHTS, WORDS
from core.domain.dataset import Access, Dataset
from core.domain.errors import ConsentWithdrawn, JobEnded, LeaseLost, NotAttested, NotFound, NothingToDo, NoTrigger
from core.domain.job import JobState
from core.domain.model import Model, Visibility
from core.domain.notice import Topic
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import (
    a_quote_for,
    a_ready_dataset,
    an_order,
    claimed,
    everything_in,
    finished,
    imagined,
    moderating,
    prove_the_ledger,
    somebody,
    taken_in,
    uploaded,
    well_done,
)


async def a_published_model(house: House, actor: Actor, dataset: Dataset) -> Model:
    job = await finished(house, await an_order(house, actor, dataset))
    model = await house.services.models.of_run(actor, job.id)
    return await house.services.models.publish(actor, model.id)


async def a_public_dataset(house: House, actor: Actor, *, pictures: int = 3) -> Dataset:
    """Bundle so many pictures that everybody may train on, by the word of their owner."""
    dataset = await a_ready_dataset(house, actor, pictures=pictures)
    await house.store.datasets.save(dataset.but(access=Access.PUBLIC))
    return await house.services.consents.attest(actor, dataset.id, words=RIGHTS, key="attested")


async def told(database: Database) -> dict[str, str]:
    """Who was told what about consent."""
    rows = (await everything_in(database))["notices"]
    return {row["account"]: row["details"]["text"] for row in rows if row["topic"] == Topic.CONSENT}


async def test_an_attestation_says_who_when_and_in_which_words(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_ready_dataset(house, ann)
    quoted = await a_quote_for(house, ann, dataset)
    consents = house.services.consents
    with pytest.raises(NotAttested):
        await house.services.trainings.order(ann, quoted.quote.id, place=HOME)
    with pytest.raises(NotAttested):
        await consents.attest(ann, dataset.id, words="rights-0", key="k")
    with pytest.raises(NotFound):
        await consents.attest(bob, dataset.id, words=RIGHTS, key="k")
    for _ in range(2):
        await consents.attest(ann, dataset.id, words=RIGHTS, key="k")
    seen = await consents.view(ann, dataset.id)
    more = await uploaded(house, ann, dataset, "more.png")
    await taken_in(house, more)

    assert (seen.attested_by, seen.words) == ("ann", WORDS[RIGHTS])
    assert [row["act"] for row in (await everything_in(database))["audits"]] == ["dataset.attest"]
    assert (await consents.view(ann, dataset.id)).attested_by == ""  # these words were not meant of the new picture
    assert await house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)


async def test_a_withdrawn_dataset_takes_everything_made_of_it_along(house: House, database: Database) -> None:
    ann, bob, mod = await somebody(house), await somebody(house, "bob"), await somebody(house, "mod")
    await house.store.accounts.save((await house.store.accounts.get(mod.account)).but(role=moderating(mod).role))
    dataset = await a_public_dataset(house, ann)
    mine, his = [await a_published_model(house, who, dataset) for who in (ann, bob)]
    running, token = await claimed(house, await an_order(house, bob, dataset))
    waiting = await an_order(house, ann, dataset)
    await imagined(house, bob, "zorp")

    made = await house.services.consents.withdraw(ann, dataset.id, key="k")

    assert {one.run.id for one in made} == {mine.run, his.run, running.id, waiting.id}
    for job in (running, waiting):
        assert (await house.store.jobs.get(job.id)).state is JobState.CANCELLED
    with pytest.raises(LeaseLost):
        await house.services.jobs.finish(running.id, token, await well_done(house, running))
    for actor, model in ((ann, mine), (bob, his)):
        now = await house.store.models.get(model.id)
        assert (now.usable, now.visibility) == (False, Visibility.PRIVATE)
        with pytest.raises(ConsentWithdrawn):
            await house.services.models.publish(actor, model.id)
        with pytest.raises(ConsentWithdrawn):
            await house.services.publications.download(actor, model.id)
        with pytest.raises(NoTrigger):
            await imagined(house, actor, "zorp")
    with pytest.raises(ConsentWithdrawn):
        await a_quote_for(house, ann, dataset)
    words = "Nothing is trained on it any more.\nNobody can use what was made of it: "
    assert await told(database) == {
        bob.account: f"{words}bob/zorp.",
        mod.account: f"{words}ann/zorp, bob/zorp.",
    }
    await prove_the_ledger(house.store)


async def test_the_bytes_of_the_snapshots_go_and_their_runs_cannot_be_repeated(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_public_dataset(house, ann)
    model = await a_published_model(house, ann, dataset)
    run = await house.store.runs.get(model.run)

    await house.services.consents.withdraw(ann, dataset.id, key="k")

    snapshot = await house.store.snapshots.get(run.snapshot)
    assert snapshot.erased_at
    assert {entry.caption for entry in snapshot.entries} == {""}


async def test_consent_given_again_is_for_owners_to_use(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_public_dataset(house, ann)
    model = await a_published_model(house, bob, dataset)
    await house.services.consents.withdraw(ann, dataset.id, key="k1")
    with pytest.raises(NothingToDo):
        await house.services.consents.withdraw(ann, dataset.id, key="k2")
    back = await house.services.consents.attest(ann, dataset.id, words=RIGHTS, key="k3")

    after = await house.store.models.get(model.id)
    assert back.revoked_at is None
    assert (after.usable, after.visibility) == (True, Visibility.PRIVATE)
    assert (await house.services.models.publish(bob, model.id)).listed
    assert await an_order(house, ann, dataset)


async def test_one_picture_takes_along_what_was_trained_on_it(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset = await a_public_dataset(house, ann, pictures=4)  # one that is enough without the withdrawn one
    before = await a_published_model(house, ann, dataset)
    first, *others = await house.store.items.of(dataset.id)
    for _ in range(2):
        await house.services.consents.withdraw(ann, dataset.id, first, key="k")
    after = await a_published_model(house, ann, dataset)
    run = await house.store.runs.get(after.run)
    snapshot = await house.store.snapshots.get(run.snapshot)

    assert [entry.item for entry in snapshot.entries] == [item.id for item in others]
    assert [(await house.store.models.get(model.id)).usable for model in (before, after)] == [False, True]
    assert [item.id for item in (await house.services.consents.view(ann, dataset.id)).withdrawn] == [first.id]
    audits = (await everything_in(database))["audits"]
    assert [row["details"] for row in audits if row["act"] == "dataset.withdraw"] == [{"picture": first.id}]

    await house.services.consents.withdraw(ann, dataset.id, key="all")
    await house.services.consents.attest(ann, dataset.id, words=RIGHTS, key="again")
    assert [(await house.store.models.get(model.id)).usable for model in (before, after)] == [False, True]
    await house.services.consents.attest(ann, dataset.id, first, words=RIGHTS, key="first")
    assert (await house.store.models.get(before.id)).usable
    assert (await house.store.items.get(first.id)).withdrawn_at is None


async def test_only_the_owner_withdraws_and_sees_what_was_made(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_public_dataset(house, ann)
    await a_published_model(house, ann, dataset)
    other = await a_ready_dataset(house, ann, name="blip")
    (foreign, *_) = await house.store.items.of(other.id)
    before = await everything_in(database)

    for actor, name, item in ((bob, dataset.id, None), (moderating(bob), dataset.id, None), (ann, dataset.id, foreign)):
        with pytest.raises(NotFound):
            await house.services.consents.withdraw(actor, name, item, key="k")
    assert await everything_in(database) == before
    assert len((await house.services.consents.view(ann, dataset.id)).descendants) == 1
    assert (await house.services.consents.view(bob, dataset.id)).descendants == ()
    with pytest.raises(NotFound):
        await house.services.consents.view(bob, other.id)


async def test_a_training_that_ends_meanwhile_is_over(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_public_dataset(house, ann)
    job = await an_order(house, ann, dataset)
    await house.services.consents.withdraw(ann, dataset.id, key="k")

    with pytest.raises(JobEnded):
        await house.services.jobs.cancel(ann, job.id)
    assert (await house.services.wallets.view(ann)).free == 100
