"""Royalties: what a paid picture earns the owners of its models, how long it waits, and what a refund takes back."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.domain.account import Actor, Place, Platform
from core.domain.errors import NotAllowed, NotFound, NotThem
from core.domain.generation import Generation
from core.domain.job import Job
from core.domain.ledger import (
    MINT,
    SALES,
    Act,
    Lot,
    Transaction,
    between,
    captured,
    debt,
    earnings,
    earnings_pending,
    points,
    qoints,
    refund,
)
from core.domain.model import Model, Visibility
from core.domain.royalty import HUNDREDTHS, Rule, Tally, usage_id
from core.kinds.generation import claw_back
from core.ports.clock import HandClock
from core.ports.store import Repositories
from loraguild.composition import House
from loraguild.tidying import tidied
from storage.repositories.entities import Database
from tests.builders.entities import NOON, a_model, an_artifact
from tests.builders.scenes import (
    BROKEN,
    claimed,
    everything_in,
    finished,
    given,
    imagined,
    prove_the_ledger,
    somebody,
    well_done,
)

CONSOLE = Place(platform=Platform.CONSOLE, chat="ann")
HELD = timedelta(days=30)
LARGE: dict[str, Any] = {"count": 5, "width": 128, "height": 128}  # 20 qoints: 6 of them are shared


async def moved(house: House, actor: Actor, source: str, target: str, **parts: int) -> None:
    """Post that so much of each lot was moved."""
    entries = between(source, target, {Lot(lot): amount for lot, amount in parts.items()})
    key = house.services.conversations.token()
    await house.store.ledger.post(
        Transaction(id=f"test:{key}", act=Act.GRANT, owner=actor.account, why="a test", entries=entries, at=NOON)
    )


async def a_buyer(house: House, name: str = "bob", *, amount: int = 1000) -> Actor:
    """Meet somebody who has no points left, and so many purchased qoints."""
    actor = await somebody(house, name)
    left = (await house.services.wallets.view(actor)).free
    await moved(house, actor, points(actor.account), MINT, free=left)
    await moved(house, actor, SALES, qoints(actor.account), purchased=amount)
    return actor


async def a_public_model(house: House, owner: Actor, name: str = "zorp", **facts: Any) -> Model:
    wished: dict[str, Any] = {"id": name, "slug": name, "trigger": name, "run": f"run of {name}"}
    wished |= {"owner": owner.account, "owner_name": owner.name, "family": "tiny-shapes"}
    wished |= {"artifact": an_artifact(f"{name}.safetensors"), "visibility": Visibility.PUBLIC, "published_at": NOON}
    model = a_model(**(wished | facts))
    await house.store.models.add(model)
    return model


async def drawn(house: House, payer: Actor, text: str = "zorp", **wished: Any) -> Job:
    """Order pictures for 20 qoints unless told otherwise, and let a worker draw them."""
    return await finished(house, await imagined(house, payer, text, **(LARGE | wished)))


async def paid_back(house: House, job: Job, amount: int) -> None:
    """Refund so much of a job, as an admin does."""
    key, now = house.services.conversations.token(), house.services.earnings.clock.now()

    async def work(tx: Repositories) -> None:
        taken = captured(await tx.ledger.about(job.id))
        back = refund(taken, amount, key=key, owner=job.owner, job=job.id, why="blurred", now=now)
        await tx.ledger.post(back)
        await claw_back(tx, job, now=now)

    await house.store.transact(work)


async def purses(house: House, owner: Actor) -> tuple[int, int, int]:
    """Tell what is pending, payable and owed."""
    earned = await house.services.earnings.view(owner)
    return earned.pending, earned.payable, earned.owed


async def rules(house: House, job: Job) -> dict[str, tuple[Rule, int]]:
    return {one.model: (one.rule, one.share) for one in await house.store.usages.of(job.id)}


async def prove(house: House, *owners: Actor) -> None:
    """Assert the ledger's rules, and that what is pending is what uses are noted with."""
    await prove_the_ledger(house.store)
    for owner in owners:
        waiting = await house.store.usages.latest(owner.account, limit=0)
        assert sum(one.pending for one in waiting) == (await purses(house, owner))[0]
        assert all((one.due is not None) == (one.pending > 0) for one in waiting)


def capped(house: House, cap: int) -> House:
    services = house.services
    return replace(house, services=replace(services, generations=replace(services.generations, cap=cap)))


async def test_a_picture_with_somebody_elses_model_earns_its_owner_a_share(house: House, clock: HandClock) -> None:
    ann, bob = await somebody(house), await a_buyer(house)
    model = await a_public_model(house, ann)
    job = await drawn(house, bob)
    (usage,) = await house.store.usages.of(job.id)

    assert (usage.id, usage.owner, usage.payer, usage.run) == (f"{job.id}:zorp", ann.account, bob.account, model.run)
    assert (usage.rule, usage.paid, usage.share, usage.pending) == (Rule.SHARED, 20, 600, 6)
    assert usage.due == clock.now() + HELD
    assert await purses(house, ann) == (6, 0, 0)
    posted = await house.store.ledger.find(f"royalty:{usage.id}")
    assert posted
    assert (posted.act, posted.owner, posted.amount) == (Act.ROYALTY, ann.account, 6)
    assert await house.services.earnings.of_model(ann, model.id) == Tally(uses=1, people=1, share=600)
    receipt = await house.services.wallets.receipt(bob, job.id)
    assert {one.act for one in receipt.transactions} == {Act.HOLD, Act.CAPTURE}
    await prove(house, ann, bob)


async def test_only_what_was_paid_in_purchased_qoints_is_shared(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await a_public_model(house, ann)
    free = await drawn(house, bob)
    await moved(house, bob, points(bob.account), MINT, free=80)
    await given(house, bob, 35)
    granted = await drawn(house, bob)
    await moved(house, bob, SALES, qoints(bob.account), purchased=100)
    mixed = await drawn(house, bob)

    assert await rules(house, free) == {"zorp": (Rule.NOT_PURCHASED, 0)}
    assert await rules(house, granted) == {"zorp": (Rule.NOT_PURCHASED, 0)}
    assert await rules(house, mixed) == {"zorp": (Rule.SHARED, 150)}  # 15 granted, 5 purchased
    assert await purses(house, ann) == (1, 0, 0)
    assert await house.services.earnings.of_model(ann, "zorp") == Tally(uses=3, people=1, share=150)
    await prove(house, ann)


async def test_ones_own_pictures_earn_nothing_and_do_not_count(house: House) -> None:
    ann = await a_buyer(house, "ann")
    await a_public_model(house, ann)
    job = await drawn(house, ann)

    assert await rules(house, job) == {"zorp": (Rule.OWN, 0)}
    assert await purses(house, ann) == (0, 0, 0)
    assert await house.services.earnings.of_model(ann, "zorp") == Tally()
    assert (await house.services.earnings.month(ann)).lines == ()


async def test_what_fails_or_is_cancelled_earns_nothing(house: House) -> None:
    ann, bob = await somebody(house), await a_buyer(house)
    await a_public_model(house, ann)
    failed = await finished(house, await imagined(house, bob, **LARGE), BROKEN)
    cancelled = await house.services.jobs.cancel(bob, (await imagined(house, bob, **LARGE)).id)

    assert [await rules(house, job) for job in (failed, cancelled)] == [{}, {}]
    assert await purses(house, ann) == (0, 0, 0)
    assert (await house.services.wallets.view(bob)).purchased == 1000


async def test_many_small_pictures_earn_exactly_as_much_as_one_large_one(house: House) -> None:
    ann, cid, bob = await somebody(house), await somebody(house, "cid"), await a_buyer(house)
    await a_public_model(house, ann, "small")
    await a_public_model(house, cid, "large")
    for _ in range(11):
        await drawn(house, bob, "small", count=1, width=64, height=64)
    await drawn(house, bob, "large", count=1, width=64, height=64)
    await drawn(house, bob, "large", count=5, width=128, height=64)

    assert await purses(house, ann) == (3, 0, 0)
    assert await purses(house, cid) == (3, 0, 0)
    left = [await house.store.remainders.get(one.account) for one in (ann, cid)]
    assert [one.hundredths for one in left] == [30, 30]
    await prove(house, ann, cid)


async def test_stuffing_a_prompt_with_copies_and_own_models_takes_nothing_from_anybody(house: House) -> None:
    ann, eve, bob = await somebody(house), await somebody(house, "eve"), await a_buyer(house)
    original = await a_public_model(house, ann)
    for number in range(3):
        later = NOON + timedelta(days=number + 1)
        await a_public_model(house, eve, f"copy{number}", artifact=original.artifact, created_at=later)
    await a_public_model(house, bob, "mine")

    job = await drawn(house, bob, "copy0:2 copy1:2 copy2:2 mine:2 zorp zorp:1 <lora:ann/zorp:1>")

    copy = (Rule.COPY, 0)
    assert await rules(house, job) == {
        "copy0": copy,
        "copy1": copy,
        "copy2": copy,
        "mine": (Rule.OWN, 0),
        "zorp": (Rule.SHARED, 600),
    }
    assert [await purses(house, one) for one in (ann, eve, bob)] == [(6, 0, 0), (0, 0, 0), (0, 0, 0)]


async def test_models_share_by_strength_also_those_of_one_owner(house: House) -> None:
    ann, cid, bob = await somebody(house), await somebody(house, "cid"), await a_buyer(house)
    for owner, name in ((ann, "one"), (ann, "two"), (cid, "three")):
        await a_public_model(house, owner, name)

    job = await drawn(house, bob, "one two:0.5 three:0.3", count=1)

    shared = {"one": (Rule.SHARED, 67), "two": (Rule.SHARED, 33), "three": (Rule.SHARED, 20)}
    assert await rules(house, job) == shared
    assert [await purses(house, one) for one in (ann, cid)] == [(1, 0, 0), (0, 0, 0)]
    await prove(house, ann, cid)


async def test_a_ring_of_accounts_never_gets_more_out_than_the_share_of_what_was_purchased(
    house: House, clock: HandClock
) -> None:
    ring = [await a_buyer(house, name, amount=100) for name in ("ann", "bob", "cid")]
    for owner in ring:
        await a_public_model(house, owner, f"of-{owner.name}")
    prompts = ("of-ann of-bob:2", "of-cid of-ann", "of-bob:0.3 of-cid of-ann")
    jobs = [await drawn(house, payer, prompt) for payer in ring for prompt in prompts]
    await paid_back(house, jobs[0], 20)
    await paid_back(house, jobs[5], 7)
    clock.advance(HELD)
    await tidied(house)

    out = [await purses(house, owner) for owner in ring]
    paid = sum([captured(await house.store.ledger.about(job.id)).purchased for job in jobs])
    assert paid == 9 * 20 - 27
    assert sum(pending + payable - owed for pending, payable, owed in out) <= paid * 30 // 100
    left = sum([(await house.store.remainders.get(owner.account)).hundredths for owner in ring])
    assert sum(payable for _, payable, _ in out) * HUNDREDTHS + left == paid * 30
    await prove(house, *ring)


async def test_related_accounts_earn_nothing_from_each_other_whoever_was_named_first(
    house: House, database: Database
) -> None:
    ann, bob, root = await a_buyer(house, "ann"), await a_buyer(house), await somebody(house, "root")
    await a_public_model(house, ann, "hers")
    await a_public_model(house, bob, "his")
    one, two = [await house.store.accounts.get(actor.account) for actor in (ann, bob)]
    await house.services.accounts.relate(root, one, two, on=True)
    related = [await drawn(house, bob, "hers"), await drawn(house, ann, "his")]
    await house.services.accounts.relate(root, two, one, on=False)
    strangers = await drawn(house, bob, "hers")

    assert [await rules(house, job) for job in related] == [{"hers": (Rule.RELATED, 0)}, {"his": (Rule.RELATED, 0)}]
    assert await rules(house, strangers) == {"hers": (Rule.SHARED, 600)}
    audits = [
        (row["act"], row["actor"], row["subject"], row["details"]) for row in (await everything_in(database))["audits"]
    ]
    assert sorted(audits, key=lambda audit: audit[3]["state"]) == [
        ("admin.related", root.account, two.id, {"with": one.id, "state": "off"}),
        ("admin.related", root.account, one.id, {"with": two.id, "state": "on"}),
    ]


async def test_only_admins_relate_others_and_never_themselves(house: House, database: Database) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    one, two, three = [await house.store.accounts.get(actor.account) for actor in (ann, bob, root)]
    before = await everything_in(database)

    with pytest.raises(NotAllowed):
        await house.services.accounts.relate(ann, one, two, on=True)
    for pair in ((one, three), (three, one), (one, one)):
        with pytest.raises(NotThem):
            await house.services.accounts.relate(root, *pair, on=True)

    assert await everything_in(database) == before


async def test_one_payer_earns_others_no_more_than_the_cap_a_day(house: House, clock: HandClock) -> None:
    house = capped(house, 8)
    ann, bob, cid = await somebody(house), await a_buyer(house), await a_buyer(house, "cid")
    await a_public_model(house, ann)
    jobs = [await drawn(house, bob) for _ in range(3)]
    jobs.append(await drawn(house, cid))
    clock.advance(timedelta(days=1))
    jobs.append(await drawn(house, bob))

    assert [(await rules(house, job))["zorp"] for job in jobs] == [
        (Rule.SHARED, 600),
        (Rule.CAPPED, 200),
        (Rule.CAPPED, 0),
        (Rule.SHARED, 600),
        (Rule.SHARED, 600),
    ]
    await paid_back(house, jobs[0], 20)
    assert (await rules(house, jobs[0]))["zorp"] == (Rule.SHARED, 0)
    assert (await rules(house, await drawn(house, bob)))["zorp"] == (Rule.CAPPED, 200)
    await prove(house, ann)


async def test_what_is_finished_at_the_same_time_keeps_the_cap_and_the_sums(house: House) -> None:
    house = capped(house, 10)
    ann, bob = await somebody(house), await a_buyer(house)
    await a_public_model(house, ann)
    begun = [await claimed(house, await imagined(house, bob, **LARGE), worker=worker) for worker in ("w1", "w2")]
    outcomes = [await well_done(house, job) for job, _ in begun]

    await asyncio.gather(
        *(
            house.services.jobs.finish(job.id, token, outcome)
            for (job, token), outcome in zip(begun, outcomes, strict=True)
        )
    )

    shares = [(await rules(house, job))["zorp"] for job, _ in begun]
    assert sorted(shares) == [(Rule.CAPPED, 400), (Rule.SHARED, 600)]
    assert await purses(house, ann) == (10, 0, 0)
    await prove(house, ann)


async def test_who_looks_finds_what_is_due_free_to_use(house: House, clock: HandClock) -> None:
    ann, bob = await somebody(house), await a_buyer(house)
    await a_public_model(house, ann)
    await drawn(house, bob)
    clock.advance(HELD)

    earned = await house.services.earnings.view(ann)

    assert (earned.pending, earned.payable, earned.next_due) == (0, 6, None)
    await prove_the_ledger(house.store)


async def test_what_was_held_long_enough_may_be_spent(house: House, clock: HandClock) -> None:
    ann, bob = await somebody(house), await a_buyer(house)
    await a_public_model(house, ann)
    await drawn(house, bob)
    clock.advance(timedelta(days=1))
    await drawn(house, bob, count=1)
    seen = []
    for wait in (HELD - timedelta(days=1, seconds=1), timedelta(seconds=1), timedelta(days=1)):
        clock.advance(wait)
        await asyncio.gather(tidied(house), house.services.earnings.mature_all())
        earned = await house.services.earnings.view(ann)
        seen.append((earned.pending, earned.payable, earned.next_due))

    first = NOON + HELD
    assert seen == [(7, 0, first), (1, 6, first + timedelta(days=1)), (0, 7, None)]
    assert await house.services.earnings.mature_all() == 0
    await prove(house, ann)


async def test_a_refund_takes_back_what_is_pending_first_from_the_same_use(house: House, clock: HandClock) -> None:
    ann, bob = await somebody(house), await a_buyer(house)
    await a_public_model(house, ann)
    early = await drawn(house, bob)
    clock.advance(timedelta(days=1))
    late = await drawn(house, bob)
    await paid_back(house, late, 10)
    usages = [(await house.store.usages.of(job.id))[0] for job in (early, late)]

    assert [(one.paid, one.share, one.clawed, one.pending) for one in usages] == [(20, 600, 0, 6), (10, 300, 300, 3)]
    assert await purses(house, ann) == (9, 0, 0)
    clock.advance(HELD - timedelta(days=1))
    await tidied(house)
    assert await purses(house, ann) == (3, 6, 0)
    await prove(house, ann)


async def test_a_refund_of_what_may_be_spent_already_takes_what_is_pending_then_what_is_payable(
    house: House, clock: HandClock
) -> None:
    ann, bob = await somebody(house), await a_buyer(house)
    await a_public_model(house, ann)
    old = await drawn(house, bob)
    clock.advance(HELD)
    await tidied(house)
    await drawn(house, bob, count=3, width=64, height=64)
    await drawn(house, bob, count=1)
    before = await purses(house, ann)

    await paid_back(house, old, 20)

    assert (before, await purses(house, ann)) == ((2, 6, 0), (0, 2, 0))
    await prove(house, ann)


async def test_a_refund_of_what_was_paid_out_is_a_debt_that_later_royalties_repay(
    house: House, clock: HandClock
) -> None:
    ann, bob = await somebody(house), await a_buyer(house)
    await a_public_model(house, ann)
    old = await drawn(house, bob)
    clock.advance(HELD)
    await tidied(house)
    await moved(house, ann, earnings(ann.account), "house:payouts", purchased=6)
    await paid_back(house, old, 20)
    seen = [await purses(house, ann)]
    for count in (2, 5):
        await drawn(house, bob, count=count)
        seen.append(await purses(house, ann))

    assert seen == [(0, 0, 6), (0, 0, 4), (2, 0, 0)]  # 6 owed; 2.4 and 6 are earned, 0.4 of it remain
    assert (await house.store.remainders.get(ann.account)).hundredths == 40
    await prove(house, ann)


async def test_paying_back_in_small_steps_takes_exactly_what_was_earned(house: House) -> None:
    ann, cid, bob = await somebody(house), await somebody(house, "cid"), await a_buyer(house)
    await a_public_model(house, ann, "one")
    await a_public_model(house, cid, "two")
    job = await drawn(house, bob, "one two:0.7")
    for _ in range(20):
        await paid_back(house, job, 1)
        await prove(house, ann, cid)

    assert await rules(house, job) == {"one": (Rule.SHARED, 0), "two": (Rule.SHARED, 0)}
    for owner in (ann, cid):
        assert await purses(house, owner) == (0, 0, 0)
        assert (await house.store.remainders.get(owner.account)).hundredths == 0


async def test_a_refund_of_free_points_takes_nothing_back(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await a_public_model(house, ann)
    await moved(house, bob, points(bob.account), MINT, free=90)
    await moved(house, bob, SALES, qoints(bob.account), purchased=10)
    job = await drawn(house, bob)
    await paid_back(house, job, 10)
    without = await rules(house, job)
    await paid_back(house, job, 10)

    assert without == await rules(house, job) == {"zorp": (Rule.SHARED, 0)}
    assert await purses(house, ann) == (0, 0, 0)


async def test_a_deleted_model_keeps_what_it_earned_and_is_paid_for_what_was_ordered_before(
    house: House, clock: HandClock
) -> None:
    ann, bob = await somebody(house), await a_buyer(house)
    model = await a_public_model(house, ann)
    await drawn(house, bob)
    ordered = await imagined(house, bob, **LARGE)
    await house.store.models.save(model.but(deleted_at=clock.now()))
    await finished(house, ordered)
    clock.advance(HELD)
    await tidied(house)

    assert await rules(house, ordered) == {"zorp": (Rule.SHARED, 600)}
    assert await purses(house, ann) == (0, 12, 0)
    assert [(use.model, use.usage.share) for use in (await house.services.earnings.view(ann)).latest] == [
        ("ann/zorp", 600),
        ("ann/zorp", 600),
    ]


async def test_a_generation_that_was_deleted_meanwhile_stays_deleted_and_is_paid(
    house: House, clock: HandClock
) -> None:
    ann, bob = await somebody(house), await a_buyer(house)
    await a_public_model(house, ann)
    ordered = await imagined(house, bob, **LARGE)
    deleted = (await house.store.generations.get(ordered.id)).but(deleted_at=clock.now())
    await house.store.generations.save(deleted)
    await finished(house, ordered)

    found: Generation = await house.store.generations.get(ordered.id)
    assert found == deleted
    assert await rules(house, ordered) == {"zorp": (Rule.SHARED, 600)}


async def linked(house: House, staying: Actor, joining: Actor) -> None:
    code = await house.services.links.issue(staying, CONSOLE)
    request = await house.services.links.redeem(joining, code, CONSOLE)
    await house.services.links.confirm(staying, request.id)


async def test_an_owner_and_a_payer_who_become_one_keep_what_they_have_and_earn_nothing_more(
    house: House, clock: HandClock
) -> None:
    ann, bob, cid = await somebody(house), await a_buyer(house), await a_buyer(house, "cid")
    await a_public_model(house, ann, "hers")
    await a_public_model(house, bob, "his")
    before = await drawn(house, bob, "hers")
    await drawn(house, cid, "his", count=1)
    await drawn(house, cid, "hers", count=1, width=64, height=64)
    await linked(house, bob, ann)
    after = await drawn(house, bob, "hers")
    seen = [await purses(house, bob)]
    clock.advance(HELD)
    await tidied(house)
    seen.append(await purses(house, bob))
    await paid_back(house, before, 20)
    seen.append(await purses(house, bob))

    assert await rules(house, after) == {"hers": (Rule.OWN, 0)}
    assert seen == [(7, 0, 0), (0, 7, 0), (0, 1, 0)]
    assert (await house.store.remainders.get(bob.account)).hundredths == 50  # 6.00 + 0.30, and 1.20
    assert await purses(house, ann) == (0, 0, 0)
    await prove(house, bob)


async def test_two_owners_who_become_one_lose_no_hundredth_and_keep_a_debt(house: House) -> None:
    ann, bob, eve = await somebody(house), await somebody(house, "bob"), await a_buyer(house, "eve")
    await a_public_model(house, ann, "hers")
    await a_public_model(house, bob, "his")
    for name in ("hers", "his"):
        await drawn(house, eve, name, count=2, width=64, height=64)
    await moved(house, ann, "house:debts", debt(ann.account), purchased=5)
    await linked(house, bob, ann)

    assert await purses(house, bob) == (0, 1, 5)  # 0.60 and 0.60
    assert (await house.store.remainders.get(bob.account)).hundredths == 20
    assert (await house.store.remainders.get(ann.account)).hundredths == 0
    await prove(house, bob)


async def test_who_was_related_to_an_account_is_related_to_the_one_that_took_it_over(house: House) -> None:
    ann, bob, cid = [await a_buyer(house, name) for name in ("ann", "bob", "cid")]
    root = await somebody(house, "root")
    await a_public_model(house, ann)
    one, three = [await house.store.accounts.get(actor.account) for actor in (ann, cid)]
    await house.services.accounts.relate(root, one, three, on=True)
    await linked(house, bob, ann)

    assert (await house.store.accounts.get(bob.account)).related == (cid.account,)
    assert (await house.store.accounts.get(cid.account)).related == (bob.account,)
    assert (await house.store.accounts.get(ann.account)).related == ()
    assert await rules(house, await drawn(house, cid)) == {"zorp": (Rule.RELATED, 0)}


async def test_a_royalty_that_is_earned_while_its_owner_is_taken_over_reaches_whoever_has_the_model(
    house: House,
) -> None:
    for round_ in range(5):
        ann, bob = await somebody(house, f"ann{round_}"), await somebody(house, f"bob{round_}")
        cid = await a_buyer(house, f"cid{round_}")
        await a_public_model(house, ann, f"zorp{round_}")
        job, token = await claimed(house, await imagined(house, cid, f"zorp{round_}", **LARGE))
        outcome = await well_done(house, job)
        code = await house.services.links.issue(bob, CONSOLE)
        request = await house.services.links.redeem(ann, code, CONSOLE)

        await asyncio.gather(
            house.services.jobs.finish(job.id, token, outcome), house.services.links.confirm(bob, request.id)
        )

        assert [await purses(house, one) for one in (ann, bob)] == [(0, 0, 0), (6, 0, 0)]
        assert [one.owner for one in await house.store.usages.of(job.id)] == [bob.account]


async def test_a_month_is_told_by_model_with_what_was_paid_back(house: House, clock: HandClock) -> None:
    ann, bob, cid = await somebody(house), await a_buyer(house), await a_buyer(house, "cid")
    await a_public_model(house, ann, "one")
    await a_public_model(house, ann, "two")
    await drawn(house, bob, "one")
    await paid_back(house, await drawn(house, cid, "one two"), 5)
    clock.advance(timedelta(days=31))
    await drawn(house, bob, "two")

    march = await house.services.earnings.month(ann, datetime(2026, 3, 31, tzinfo=NOON.tzinfo))
    april = await house.services.earnings.month(ann)

    facts = [(line.name, line.uses, line.people, line.share, line.clawed) for line in march.lines]
    assert facts == [("ann/one", 2, 2, 825, 75), ("ann/two", 1, 1, 225, 75)]
    assert [(line.name, line.share) for line in april.lines] == [("ann/two", 600)]
    assert (march.start.isoformat(), april.start.isoformat()) == ("2026-03-01", "2026-04-01")
    assert (await house.services.earnings.month(bob)).lines == ()


async def test_what_a_model_earned_is_its_owners_to_know(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await a_public_model(house, ann)
    words = []
    for name in ("zorp", "nothing"):
        with pytest.raises(NotFound) as refused:
            await house.services.earnings.of_model(bob, name)
        words.append(str(refused.value).replace(name, "…"))

    assert words[0] == words[1]


async def test_a_use_is_counted_once(house: House) -> None:
    ann, bob = await somebody(house), await a_buyer(house)
    await a_public_model(house, ann)
    job = await drawn(house, bob)

    assert await house.store.usages.find(usage_id(job.id, "zorp")) == (await house.store.usages.of(job.id))[0]
    assert (await house.store.ledger.balance(earnings_pending(ann.account))).purchased == 6
