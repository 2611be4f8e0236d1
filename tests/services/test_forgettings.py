"""Forgetting: everything of somebody goes, the books stay sound, and whoever comes back is somebody new."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import pytest

from core.domain.account import Actor, Role
from core.domain.action import Action, Style, Then
from core.domain.character import Character
from core.domain.errors import Banned, CannotForget, NotFound, TooOften
from core.domain.ledger import REVENUE, Act, Lot, Transaction, between, earnings
from core.ports.clock import HandClock
from core.ports.store import Repositories
from loraguild.composition import House
from loraguild.tidying import tidied
from storage.repositories.entities import Database
from storage.store import MongoStore
from tests.builders.entities import HOME, NOON
from tests.builders.scenes import (
    a_ready_dataset,
    a_trained_model,
    an_order,
    claimed,
    everything_in,
    finished,
    given,
    imagined,
    in_chunks,
    prove_the_ledger,
    somebody,
    uploaded,
)

T = TypeVar("T")
BYTES = ("blobs", "files.files", "files.chunks")  # they go when nobody refers to them


class Killed(BaseException):
    """What ends a process in the middle of its work."""


@dataclass(frozen=True)
class Mortal(MongoStore):
    """A store whose process is killed before a transaction: after so many of them."""

    lives: list[int]

    async def transact(self, work: Callable[[Repositories], Awaitable[T]]) -> T:
        if not self.lives[0]:
            raise Killed
        self.lives[0] -= 1
        return await super().transact(work)


async def a_life(house: House, name: str = "ann") -> Actor:
    """Have somebody leave traces wherever one can; their name is in many of them."""
    ann = await somebody(house, name)
    model = await a_trained_model(house, ann, name=f"{name}s")
    dataset = await a_ready_dataset(house, ann, name=f"{name}s-bin", pictures=1)
    await house.services.datasets.delete(ann, dataset)
    character = Character(
        id=f"{name} c", owner=ann.account, name=name, folded=name, trigger="c", created_at=NOON, updated_at=NOON
    )
    await house.store.characters.add(character)
    await house.services.models.publish(ann, model.id)
    drawn = await finished(house, await imagined(house, ann, f"{name}s at home of {name}"))
    await house.services.generations.rate(ann, drawn.id, stars=5, words=f"{name} likes it")
    await house.services.links.issue(ann, HOME)
    own = await a_ready_dataset(house, ann, name=f"{name}s-own", pictures=1)
    link = await house.services.uploads.open(ann, own, place=HOME)
    token = link.rpartition("/")[2]
    await house.services.uploads.begin(token, f"{name}.png", size=9)
    await house.services.uploads.put(token, f"{name}.png", offset=0, chunks=in_chunks(b"a piece"))
    button = Action(
        id=f"{name} b",
        account=ann.account,
        label=name,
        command="me",
        arguments={},
        style=Style.GO,
        then=Then.NEW,
        expires_at=NOON,
    )
    await house.services.conversations.keep([button])
    return ann


def earned(actor: Actor, amount: int) -> Transaction:
    entries = between(REVENUE, earnings(actor.account), {Lot.PURCHASED: amount})
    return Transaction(id="r", act=Act.ROYALTY, owner=actor.account, why="a test", entries=entries, at=NOON)


async def references(database: Database) -> int:
    return sum([row["references"] async for row in database["blobs"].find()])


async def test_nothing_of_somebody_is_left_but_ids(house: House, database: Database) -> None:
    quirin, bob = await a_life(house, "quirin"), await somebody(house, "bob")
    (model,) = await house.store.models.owned(quirin.account)
    drawn = await finished(house, await imagined(house, bob, f"{model.trigger} on a hill"))
    await house.services.generations.delete(bob, drawn.id)
    await house.services.forgettings.forget(quirin, giving_up=0)
    rows = await everything_in(database)

    words = [str(row) for name in rows if name not in {"ledger", *BYTES} for row in rows[name]]
    assert [row for row in words if "quirin/" in row or ("quirin" in row and bob.account not in row)] == []
    for gone in ("actions", "cards", "characters", "datasets", "drafts", "identities", "items", "link_codes", "notices",
                 "quotes", "uploads"):  # fmt: skip
        assert [row for row in rows.get(gone, []) if bob.account not in str(row)] == []
    assert await references(database) == 0
    assert (await house.store.accounts.get(quirin.account)).erased_at
    await prove_the_ledger(house.store)


async def test_whoever_comes_back_begins_anew(house: House) -> None:
    ann = await a_life(house)
    await given(house, ann, 50)
    await house.services.forgettings.forget(ann, giving_up=0)
    again = await somebody(house)
    wallet = await house.services.wallets.view(again)

    assert again.account != ann.account
    assert (wallet.free, wallet.qoints) == (100, 0)
    assert await house.services.datasets.list(again) == []
    with pytest.raises(Banned):
        (await house.services.accounts.actor(ann.account)).require_welcome()
    assert await house.services.accounts.named("forgotten") == []
    with pytest.raises(TooOften):  # or points would be had for the asking
        await house.services.forgettings.forget(again, giving_up=0)


async def test_a_login_may_be_forgotten_again_the_next_day(house: House, clock: HandClock) -> None:
    await house.services.forgettings.forget(await somebody(house), giving_up=0)
    clock.advance(timedelta(days=1))

    again = await somebody(house)
    await house.services.forgettings.forget(again, giving_up=0)

    assert (await house.store.accounts.get(again.account)).erased_at


async def test_what_others_have_stays_theirs(house: House) -> None:
    ann, bob = await a_life(house), await somebody(house, "bob")
    (model,) = await house.store.models.owned(ann.account)
    drawn = await finished(house, await imagined(house, bob, "anns"))
    waiting = await imagined(house, bob, "anns again")
    hers = await a_trained_model(house, bob, name="gorp")
    await house.services.models.share(bob, hers.id, await house.store.accounts.get(ann.account))
    await house.services.forgettings.forget(ann, giving_up=0)

    made = (await house.services.generations.view(bob, drawn.id)).generation
    assert len(made.pictures) == 1
    assert (await finished(house, waiting)).state == "succeeded"
    assert (await house.store.models.get(hers.id)).shared == ()
    with pytest.raises(NotFound):
        await house.services.models.view(bob, model.id)
    await prove_the_ledger(house.store)


@pytest.mark.parametrize("lives", range(10))
async def test_a_kill_at_any_moment_is_made_up_for_by_tidying(house: House, database: Database, lives: int) -> None:
    ann = await a_life(house)
    await an_order(house, ann, await a_ready_dataset(house, ann, name="anns-next"))
    mortal = Mortal(**vars(house.store), lives=[lives])
    with pytest.raises(Killed):
        await replace(house.services.forgettings, store=mortal).forget(ann, giving_up=0)
    account = await house.store.accounts.get(ann.account)
    if account.forgotten_at is None:
        assert (await somebody(house)).account == ann.account
        await house.services.forgettings.forget(ann, giving_up=0)
    else:
        assert (await somebody(house)).account != ann.account
        await tidied(house)

    assert (await house.store.accounts.get(ann.account)).erased_at
    assert (await everything_in(database))["datasets"] == []
    assert await references(database) == 0
    assert await house.services.forgettings.finish() == 0
    await prove_the_ledger(house.store)


async def test_waiting_jobs_are_paid_back_and_running_ones_waited_for(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    first, second = await an_order(house, ann, dataset), await an_order(house, ann, dataset)
    coming = await uploaded(
        house, ann, await house.services.datasets.create(ann, name="next", trigger="nextx"), "a.png"
    )
    _, token = await claimed(house, first)
    before = await everything_in(database)
    with pytest.raises(CannotForget, match="is running"):
        await house.services.forgettings.forget(ann, giving_up=0)
    assert await everything_in(database) == before
    await house.services.jobs.release(first.id, token)
    await house.services.forgettings.forget(ann, giving_up=0)

    states = [(await house.store.jobs.get(job.id)).state for job in (first, second, coming)]
    assert states == ["cancelled"] * 3
    await prove_the_ledger(house.store)


async def test_money_that_is_due_is_paid_out_or_given_up(house: House, database: Database) -> None:
    ann = await somebody(house)
    await house.store.ledger.post(earned(ann, 1500))
    payout = await house.services.payouts.request(ann, amount=1200, to="ann at a bank", key="k")
    forget = house.services.forgettings.forget
    with pytest.raises(CannotForget, match="1200 qoints are on their way"):
        await forget(ann, giving_up=1500)
    await house.services.payouts.cancel(ann, payout.id, key="k2")
    with pytest.raises(CannotForget, match="earned 1500 qoints"):
        await forget(ann, giving_up=1499)
    left = await house.services.forgettings.farewell(ann)
    await forget(ann, giving_up=left.earned)

    assert left.earned == 1500
    assert [row["to"] for row in (await everything_in(database))["payouts"]] == ["forgotten"]
    await prove_the_ledger(house.store)


async def test_somebody_who_took_another_over_is_forgotten_with_both(house: House, database: Database) -> None:
    ann, old = await somebody(house), await somebody(house, "annabel")
    await house.services.links.redeem(old, await house.services.links.issue(ann, HOME), HOME)
    (request,) = await house.services.links.waiting(ann)
    await house.services.links.confirm(ann, request.id)
    await house.services.forgettings.forget(ann, giving_up=0)

    assert {row["name"] for row in (await everything_in(database))["accounts"]} == {"forgotten"}
    assert (await somebody(house, "annabel")).account not in {ann.account, old.account}


async def test_a_broadcast_and_the_staff_know_nobody_who_was_forgotten(house: House) -> None:
    ann = await somebody(house)
    await house.store.accounts.save((await house.store.accounts.get(ann.account)).but(role=Role.ADMIN))
    await house.services.forgettings.forget(ann, giving_up=0)

    assert await house.store.accounts.page() == []
    assert await house.store.accounts.covering(Role.MODERATOR) == []


async def test_a_farewell_counts_what_would_go(house: House) -> None:
    ann = await a_life(house)
    left = await house.services.forgettings.farewell(ann)

    assert (left.datasets, left.characters, left.models, left.generations, left.queued) == (3, 1, 1, 1, 0)
    assert left.balance == 79
