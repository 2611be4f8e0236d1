"""Invariant 6: what somebody may not see answers exactly as what is not there; moderators see."""

from collections.abc import Awaitable, Callable

import pytest

from core.domain.account import Account, Actor, Role
from core.domain.caption import CaptionMode
from core.domain.dataset import Access, Scope
from core.domain.errors import NotAllowed, NotFound, NotThem
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME, NOON, an_item
from tests.builders.payouts import asked
from tests.builders.scenes import (
    a_quote_for,
    a_ready_dataset,
    a_trained_model,
    an_order,
    everything_in,
    imagined,
    moderating,
    somebody,
    uploaded,
)

READER = Account(id="cid", name="cid", role=Role.USER, home=HOME, created_at=NOON)
Act = Callable[[House, Actor, str], Awaitable[object]]
ACTS: dict[str, Act] = {
    "dataset view": lambda house, actor, name: house.services.datasets.view(actor, name),
    "dataset lineage": lambda house, actor, name: house.services.lineages.of(actor, name),
    "dataset edit": lambda house, actor, name: house.services.datasets.edit(actor, name, name="mine"),
    "dataset remove": lambda house, actor, name: house.services.purges.remove(actor, name, [], place=HOME, key="k"),
    "dataset open": lambda house, actor, name: house.services.sharings.open(actor, name, Access.PUBLIC),
    "dataset share": lambda house, actor, name: house.services.sharings.share(actor, name, READER),
    "dataset unshare": lambda house, actor, name: house.services.sharings.unshare(actor, name, READER),
    "dataset readers": lambda house, actor, name: house.services.sharings.readers(actor, name),
    "deleted restore": lambda house, actor, name: house.services.purges.restore(actor, name),
    "deleted purge": lambda house, actor, name: house.services.purges.purge(actor, name),
    "job view": lambda house, actor, name: house.services.jobs.view(actor, name),
    "job why": lambda house, actor, name: house.services.jobs.why(actor, name),
    "job cancel": lambda house, actor, name: house.services.jobs.cancel(actor, name),
    "model view": lambda house, actor, name: house.services.models.view(actor, name),
    "model publish": lambda house, actor, name: house.services.models.publish(actor, name),
    "model share": lambda house, actor, name: house.services.models.share(actor, name, READER),
    "model unshare": lambda house, actor, name: house.services.models.unshare(actor, name, READER),
    "model readers": lambda house, actor, name: house.services.models.readers(actor, name),
    "model rename": lambda house, actor, name: house.services.models.rename(actor, name, "zorp"),
    "model edit": lambda house, actor, name: house.services.models.edit(actor, name, tags=["toy"]),
    "model samples": lambda house, actor, name: house.services.models.samples(actor, name),
    "model show": lambda house, actor, name: house.services.models.show(actor, name, [1]),
    "model stats": lambda house, actor, name: house.services.models.stats(actor, name),
    "model card": lambda house, actor, name: house.services.publications.card(actor, name),
    "model download": lambda house, actor, name: house.services.publications.download(actor, name),
    "model delete": lambda house, actor, name: house.services.models.delete(actor, name),
    "quote order": lambda house, actor, name: house.services.trainings.order(actor, name, place=HOME),
    "receipt view": lambda house, actor, name: house.services.wallets.receipt(actor, name),
    "job dispute": lambda house, actor, name: house.services.disputes.open(actor, name, why="blurred"),
    "model earnings": lambda house, actor, name: house.services.earnings.of_model(actor, name),
    "generation view": lambda house, actor, name: house.services.generations.view(actor, name),
    "generation again": lambda house, actor, name: house.services.generations.again(actor, name, place=HOME, key="k"),
    "generation vary": lambda house, actor, name: house.services.generations.vary(
        actor, name, picture=1, strength=60, place=HOME, key="k"
    ),
    "generation rate": lambda house, actor, name: house.services.generations.rate(actor, name, stars=1, words=""),
    "generation delete": lambda house, actor, name: house.services.generations.delete(actor, name),
    "payout view": lambda house, actor, name: house.services.payouts.view(actor, name),
    "payout cancel": lambda house, actor, name: house.services.payouts.cancel(actor, name, key="k"),
    "payout again": lambda house, actor, name: house.services.payouts.again(actor, name, key="k"),
}


async def answer(act: Act, house: House, actor: Actor, name: str) -> str | None:
    """Return the words of the refusal that somebody gets, with the name taken out."""
    try:
        await act(house, actor, name)
    except NotFound as missing:
        return str(missing).replace(name, "…")
    return None


async def test_a_stranger_cannot_tell_what_is_hidden_from_what_is_not_there(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    model = await a_trained_model(house, ann)
    dataset = (await house.services.datasets.list(ann))[0]
    quoted = await a_quote_for(house, ann, dataset)
    job = await an_order(house, ann, dataset)
    deleted = await house.services.datasets.create(ann, name="gone", trigger="gonex")
    await house.services.datasets.delete(ann, deleted)
    names = {"dataset": dataset.id, "job": job.id, "model": model.id, "quote": quoted.quote.id, "receipt": job.id}
    names |= {"deleted": deleted.id}
    names |= {"generation": (await imagined(house, ann)).id, "payout": (await asked(house, ann)).id}
    before = await everything_in(database)

    hidden = {what: await answer(act, house, bob, names[what.partition(" ")[0]]) for what, act in ACTS.items()}

    assert [what for what, words in hidden.items() if words is None] == []
    assert hidden == {what: await answer(act, house, bob, "nowhere") for what, act in ACTS.items()}
    assert await everything_in(database) == before


async def test_a_stranger_can_do_nothing_with_a_dataset_that_he_got_hold_of(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_ready_dataset(house, ann)
    item = (await house.services.datasets.view(ann, dataset.id)).items[0]
    before = await everything_in(database)

    for act in (
        uploaded(house, bob, dataset, "a.png"),
        house.services.datasets.check(bob, dataset, place=HOME, key="k1"),
        house.services.datasets.delete(bob, dataset),
        house.services.captionings.auto(bob, dataset, mode=CaptionMode.OVERWRITE, place=HOME, key="k2"),
        house.services.captions.edit(bob, item, text="mine"),
        house.services.captions.edit(bob, an_item(dataset="nowhere"), text="mine"),
        a_quote_for(house, bob, dataset),
    ):
        with pytest.raises(NotFound, match="There is no dataset"):
            await act

    assert await everything_in(database) == before


async def test_a_moderator_sees_but_spends_nobodys_points(house: House) -> None:
    ann, mod = await somebody(house), moderating(await somebody(house, "mod"))
    model = await a_trained_model(house, ann)
    dataset = (await house.services.datasets.list(ann))[0]

    assert (await house.services.datasets.view(mod, dataset.id)).dataset == dataset
    assert (await house.services.jobs.view(mod, model.run)).owner == ann.account
    assert (await house.services.models.view(mod, model.id)).model == model
    assert (await house.services.wallets.receipt(mod, model.run)).state == "succeeded"
    with pytest.raises(NotFound):
        await a_quote_for(house, mod, dataset)
    with pytest.raises(NotFound):
        await house.services.models.publish(mod, model.id)


async def test_a_moderator_sees_but_changes_nothing_of_others(house: House, database: Database) -> None:
    ann, mod = await somebody(house), moderating(await somebody(house, "mod"))
    dataset = await a_ready_dataset(house, ann)
    item = (await house.services.datasets.view(mod, dataset.id)).items[0]
    job = await an_order(house, ann, dataset)
    before = await everything_in(database)

    for act in (
        uploaded(house, mod, dataset, "a.png"),
        house.services.datasets.check(mod, dataset, place=HOME, key="k1"),
        house.services.datasets.delete(mod, dataset),
        house.services.uploads.open(mod, dataset, place=HOME),
        house.services.captionings.auto(mod, dataset, mode=CaptionMode.OVERWRITE, place=HOME, key="k2"),
        house.services.captions.edit(mod, item, text="mine"),
    ):
        with pytest.raises(NotFound, match="There is no dataset"):
            await act
    with pytest.raises(NotAllowed):
        await house.services.jobs.cancel(mod, job.id)

    assert await everything_in(database) == before


CHANGED = ("edit", "remove", "open", "share", "unshare", "readers")


async def test_only_its_owner_changes_a_dataset_that_others_may_use(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_ready_dataset(house, ann)
    await house.services.sharings.open(ann, dataset.id, Access.PUBLIC)
    before = await everything_in(database)

    for actor in (bob, moderating(bob)):
        assert (await house.services.datasets.view(actor, dataset.id)).dataset.owner == ann.account
        for change in CHANGED:
            with pytest.raises(NotFound, match="Only its owner can change a dataset"):
                await ACTS[f"dataset {change}"](house, actor, dataset.id)

    assert await everything_in(database) == before


async def test_whoever_may_use_a_dataset_finds_it_and_trains_on_it(house: House) -> None:
    ann, bob, cid = await somebody(house), await somebody(house, "bob"), await somebody(house, "cid")
    dataset = await a_ready_dataset(house, ann)
    await an_order(house, ann, dataset)
    shared, sharings = house.services.datasets.list, house.services.sharings
    await sharings.share(ann, dataset.id, await house.store.accounts.get(bob.account))
    found = [one.id for one in await shared(bob, scope=Scope.SHARED)]
    mine = await an_order(house, bob, dataset)

    assert (found, await shared(cid, scope=Scope.SHARED)) == ([dataset.id], [])
    assert [use.run.id for use in await house.services.lineages.of(bob, dataset.id)] == [mine.id]
    assert len(await house.services.lineages.of(ann, dataset.id)) == 2
    assert [one.name for one in await sharings.readers(ann, dataset.id)] == ["bob"]
    await sharings.unshare(ann, dataset.id, await house.store.accounts.get(bob.account))
    with pytest.raises(NotFound):
        await a_quote_for(house, bob, dataset)
    await sharings.open(ann, dataset.id, Access.UNLISTED)
    assert await shared(cid, scope=Scope.PUBLIC) == []
    assert (await a_quote_for(house, cid, dataset)).quote.owner == cid.account
    await sharings.open(ann, dataset.id, Access.PUBLIC)
    assert [one.id for one in await shared(cid, scope=Scope.PUBLIC, text="ZOR")] == [dataset.id]
    with pytest.raises(NotThem):
        await sharings.share(ann, dataset.id, await house.store.accounts.get(ann.account))


CHANGES = ("publish", "share", "unshare", "readers", "rename", "edit", "samples", "show", "delete")


async def test_only_its_owner_changes_a_model_that_others_see(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    model = await house.services.models.publish(ann, (await a_trained_model(house, ann)).id)
    before = await everything_in(database)

    for actor in (bob, moderating(bob)):
        for change in CHANGES:
            with pytest.raises(NotFound, match="Only its owner can change a model"):
                await ACTS[f"model {change}"](house, actor, model.id)

    assert await everything_in(database) == before


async def test_what_an_admin_cancels_is_audited_and_paid_back(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    job = await an_order(house, ann, await a_ready_dataset(house, ann))

    cancelled = await house.services.jobs.cancel(root, job.id)

    assert (cancelled.state, (await house.services.wallets.view(ann)).total) == ("cancelled", 100)
    (act,) = await house.store.audits.latest(actor=root.account)
    assert (act.act, act.subject) == ("admin.cancel", job.id)


async def test_lists_show_ones_own(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await a_trained_model(house, ann)

    assert await house.services.datasets.list(bob) == []
    assert await house.services.jobs.list(bob) == []
    assert await house.services.trainings.list(bob) == []
    assert await house.services.models.list(bob) == []
    assert await house.services.wallets.receipts(bob) == []
    assert [one.job for one in await house.services.wallets.receipts(ann)] == [
        job.id for job in await house.services.trainings.list(ann)
    ]
