"""Every question that core asks of the database, over the wire."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.account import Account, Identity, Place, Platform, Role
from core.domain.action import Action, Style, Then
from core.domain.audit import Audit
from core.domain.caption import CaptionVersion
from core.domain.dataset import Dataset
from core.domain.errors import NotFound
from core.domain.finding import Finding
from core.domain.fleet import Worker
from core.domain.generation import Generation
from core.domain.item import Item
from core.domain.job import LEASE, Job, JobState
from core.domain.ledger import Balance, Transaction, grant
from core.domain.model import Model
from core.domain.notice import DELIVERY, Card, Notice
from core.domain.quote import Quote
from core.domain.run import Epoch, MetricsPoint, Run
from core.domain.scheduling import pool_of
from core.domain.snapshot import Snapshot
from core.domain.value import Entity
from core.ports.clock import RandomIds
from core.ports.store import Store
from storage.documents import document, entity
from storage.repositories.entities import Database, Entities
from tests.builders.entities import (
    HOME,
    NOON,
    a_caption,
    a_card,
    a_dataset,
    a_job,
    a_notice,
    a_run,
    an_artifact,
    an_item,
)

ENTITIES = (
    Account, Action, Audit, Balance, Card, CaptionVersion, Dataset, Generation, Identity, Item, Job, Model, Notice,
    Quote, Run, Snapshot, Transaction, Worker,
)  # fmt: skip
LATER = NOON + timedelta(hours=1)
json = st.just({"a": [1, "b", None, {"c": True}], "d": 1.5})
CHOSEN: dict[type[Entity], dict[str, st.SearchStrategy[Any]]] = {
    Job: {"payload": json, "result": json},
    Quote: {"hyperparameters": json},
    Run: {"hyperparameters": json},
    Transaction: {"entries": st.just(grant(5, key="k", owner="ann", why="", now=NOON).entries)},
}

moments = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis adds the zone
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
st.register_type_strategy(datetime, moments)
st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))
st.register_type_strategy(float, st.floats(allow_nan=False))
st.register_type_strategy(str, st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12))


@pytest.mark.parametrize("shape", ENTITIES)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_any_entity_comes_back_as_it_went(database: Database, shape: type[Entity], data: st.DataObject) -> None:
    before = data.draw(st.builds(shape, **CHOSEN.get(shape, {})))
    rows = Entities(database, None, shape=shape, name=f"round_{shape.__name__}")

    await rows.save(before)

    assert await rows.get(before.id) == before
    assert entity(shape, document(before)) == before


async def test_what_is_not_there_is_missing(store: Store) -> None:
    assert await store.jobs.find("nowhere") is None
    with pytest.raises(NotFound, match="There is no job «nowhere»"):
        await store.jobs.get("nowhere")


async def test_saving_replaces_the_whole_entity(store: Store) -> None:
    await store.datasets.add(a_dataset(findings=(Finding(code="x", severity="warning", words="…"),)))
    await store.datasets.save(a_dataset(count=3))

    assert await store.datasets.get("d1") == a_dataset(count=3)


async def test_accounts_by_name(store: Store) -> None:
    for name, account in (("ann", "1"), ("bob", "2"), ("ann", "3")):
        await store.accounts.add(Account(id=account, name=name, role=Role.USER, home=HOME, created_at=NOON))

    assert [account.id for account in await store.accounts.named("ann")] == ["1", "3"]


async def test_datasets_of_an_owner_by_name_without_the_deleted(store: Store) -> None:
    for name, facts in (
        ("b", {}),
        ("a", {}),
        ("c", {"deleted_at": NOON}),
        ("b.c (x)", {}),
        ("z", {"owner": "bob"}),
    ):
        await store.datasets.add(a_dataset(id=f"id {name}", name=name, folded=name, **facts))

    names = {
        "all": [dataset.name for dataset in await store.datasets.owned("ann")],
        "page": [dataset.name for dataset in await store.datasets.owned("ann", after="a", limit=1)],
        "text": [dataset.name for dataset in await store.datasets.owned("ann", text="b")],
        "literally": [dataset.name for dataset in await store.datasets.owned("ann", text=".c (")],
        "no pattern": [dataset.name for dataset in await store.datasets.owned("ann", text=".*")],
    }

    assert names == {
        "all": ["a", "b", "b.c (x)"],
        "page": ["b"],
        "text": ["b", "b.c (x)"],
        "literally": ["b.c (x)"],
        "no pattern": [],
    }
    assert await store.datasets.named("ann", "c") is None
    assert (await store.datasets.named("ann", "b")) == await store.datasets.get("id b")


async def test_items_and_captions_in_order(store: Store) -> None:
    for number in (10, 2, 1):
        await store.items.add(an_item(number))
        await store.captions.add(a_caption("x", version=number))
    await store.items.add(an_item(3, dataset="other"))
    await store.captions.add(a_caption("y", item="other"))

    assert [item.position for item in await store.items.of("d1")] == [1, 2, 10]
    assert [caption.version for caption in await store.captions.of("i0")] == [1, 2, 10]


@pytest.fixture
async def queue(store: Store) -> Store:
    """Jobs of every state, rank and need; the id says what a job is about."""
    running: dict[str, Any] = {"state": JobState.RUNNING, "worker": "w", "token": "t"}
    jobs: tuple[tuple[str, dict[str, Any]], ...] = (
        ("second", {"rank": 2.0}),
        ("first", {"rank": 1.0}),
        ("other kind", {"kind": "intake", "pool": "intake||gpu|0"}),
        ("elsewhere", {"pool": "other pool"}),
        ("not yet", {"not_before": LATER, "asleep": True}),
        ("beyond limits", {"eligible": False}),
        ("running", {**running, "lease_until": NOON + LEASE}),
        ("ended", {"state": JobState.SUCCEEDED}),
        ("of bob", {"owner": "bob", "subject": "d2"}),
    )
    for rank, (name, facts) in enumerate(jobs, start=10):
        created = NOON + timedelta(minutes=rank)
        known = {"id": name, "key": name, "rank": float(rank), "created_at": created, "pool": "training||gpu|0"}
        await store.jobs.add(a_job(**(known | facts)))
    return store


async def names_of(store: Store, pool: str, *, limit: int = 32) -> list[str]:
    return [job.id for job in await store.jobs.head(pool, near=0.0, limit=limit)]


async def test_the_head_of_a_pool_is_what_can_be_claimed_by_rank(queue: Store) -> None:
    assert await names_of(queue, "training||gpu|0") == ["first", "second", "of bob"]
    assert await names_of(queue, "training||gpu|0", limit=1) == ["first"]
    assert await names_of(queue, "other pool") == ["elsewhere"]
    assert await names_of(queue, "no pool") == []


@given(
    ranks=st.lists(st.integers(0, 10**7).map(float), min_size=1, max_size=12, unique=True),
    claims=st.lists(st.integers(1, 4), max_size=4),
    near=st.sampled_from([0.0, 1e5, 1e9]),
)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_head_is_right_whatever_it_was_before(
    store: Store, ranks: list[float], claims: list[int], near: float
) -> None:
    """A head remembers how far it reached; it finds what stands beyond as well, and what came to stand before."""
    pool, left = RandomIds().new(), sorted(ranks)
    for rank in ranks:
        await store.jobs.add(a_job(id=f"{pool} {rank}", key=f"{pool} {rank}", pool=pool, rank=rank))
    for taken in claims:
        assert [job.rank for job in await store.jobs.head(pool, near=near, limit=3)] == left[:3]
        for job in await store.jobs.head(pool, near=near, limit=taken):
            await store.jobs.save(job.but(state=JobState.CANCELLED))
        left = left[taken:]
    await store.jobs.add(a_job(id=pool, key=pool, pool=pool, rank=-1.0))

    assert [job.rank for job in await store.jobs.head(pool, near=near, limit=3)] == [-1.0, *left][:3]


async def test_who_sleeps_is_found_when_the_moment_has_come(queue: Store) -> None:
    assert await queue.jobs.sleepers(now=NOON) == []
    assert [job.id for job in await queue.jobs.sleepers(now=LATER)] == ["not yet"]


async def test_clocks_go_forward_alone(store: Store) -> None:
    for name, clock in (("slow", 1.0), ("fast", 9.0), ("other", 0.0)):
        await store.pools.add(pool_of(a_job(pool=name)).but(clock=clock))

    await store.pools.advance(["slow", "fast"], 5.0, reached=7.0)
    await store.pools.advance(["slow"], 4.0, reached=6.0)
    await store.pools.advance([], 99.0, reached=99.0)

    pools = {pool.id: (pool.clock, pool.reached) async for pool in store.pools.everything()}
    assert pools == {"slow": (5.0, 7.0), "fast": (9.0, 7.0), "other": (0.0, 0.0)}


async def test_leases_run_out_at_their_moment(queue: Store) -> None:
    assert await queue.jobs.expired(now=NOON + LEASE - timedelta(milliseconds=1)) == []
    assert [job.id for job in await queue.jobs.expired(now=NOON + LEASE)] == ["running"]


async def test_jobs_by_owner_subject_and_key(queue: Store) -> None:
    live = ["first", "second", "other kind", "elsewhere", "not yet", "beyond limits", "running"]

    assert [job.id for job in await queue.jobs.active("ann")] == live
    assert [job.id for job in await queue.jobs.about("d1")] == live
    assert [job.id for job in await queue.jobs.owned("bob")] == ["of bob"]
    assert [job.id for job in await queue.jobs.owned("ann", limit=2)] == ["ended", "running"]
    assert [job.id for job in await queue.jobs.owned("ann", kind="intake")] == ["other kind"]
    assert await queue.jobs.keyed("not yet") == await queue.jobs.get("not yet")
    assert await queue.jobs.keyed("never asked") is None


@pytest.mark.parametrize("limit", [1, 3, 40])
async def test_pages_are_turned_whatever_was_at_one_moment_or_is_left_out(store: Store, limit: int) -> None:
    at = [NOON] * 20 + [LATER] * 4
    rows = [
        a_job(id=f"j{row:02}", key=f"k{row}", created_at=moment, ordered=row % 5 == 0) for row, moment in enumerate(at)
    ]
    await store.jobs.add_all([*rows, a_job(id="bobs", key="b", owner="bob")])

    seen: list[str] = []
    for _ in range(6):
        seen += [job.id for job in await store.jobs.ordered("ann", after="".join(seen[-1:]), limit=limit)]
    with pytest.raises(NotFound, match="There is no place to go on from"):
        await store.jobs.ordered("ann", after="bobs")

    assert seen == [job.id for job in await store.jobs.ordered("ann", limit=0)] == ["j20", "j15", "j10", "j05", "j00"]


async def test_what_is_ahead_waits_in_the_pool_at_a_better_rank(queue: Store) -> None:
    bob = await queue.jobs.get("of bob")

    assert await queue.jobs.ahead(bob.pool, bob.rank) == 3
    assert [job.id for job in await queue.jobs.before(bob.pool, bob.rank, limit=9)] == [
        "first",
        "second",
        "beyond limits",
    ]


async def test_metrics_of_a_step_that_is_passed_again_are_replaced(store: Store) -> None:
    await store.runs.plot("j1", [MetricsPoint(step=step, loss=1.0, lr=0.1) for step in (1, 10, 2)])
    await store.runs.plot("j1", [MetricsPoint(step=10, loss=0.5, lr=0.1)])
    await store.runs.plot("other", [MetricsPoint(step=3, loss=9.0, lr=0.1)])

    assert [(point.step, point.loss) for point in await store.runs.chart("j1")] == [(1, 1.0), (2, 1.0), (10, 0.5)]


async def test_a_run_keeps_its_epochs(store: Store) -> None:
    epoch = Epoch(number=1, step=10, loss=0.5, artifact=an_artifact(), samples=(an_artifact("s.png"),))
    run = a_run().with_epoch(epoch.but(number=2, step=20)).with_epoch(epoch).with_epoch(epoch.but(loss=0.25))
    await store.runs.save(run)

    kept = await store.runs.get("j1")

    assert [(one.number, one.loss) for one in kept.epochs] == [(1, 0.25), (2, 0.5)]


async def test_notices_wait_until_somebody_delivers_them(store: Store) -> None:
    telegram = HOME.but(platform=Platform.TELEGRAM)
    for name, facts in (
        ("second", {"created_at": LATER}),
        ("first", {}),
        ("elsewhere", {"place": telegram}),
        ("in hands", {"claimed_until": NOON + DELIVERY}),
        ("dropped", {"claimed_until": NOON, "created_at": LATER + DELIVERY}),
    ):
        await store.notices.add(a_notice(**({"id": name} | facts)))
    await store.notices.add(a_notice(id="done").delivered())

    pending = await store.notices.pending(Platform.CONSOLE, now=NOON)

    assert [notice.id for notice in pending] == ["first", "second", "dropped"]
    assert len(await store.notices.pending(Platform.CONSOLE, now=NOON, limit=2)) == 2


async def test_what_is_in_hands_or_has_no_turn_keeps_nothing_else_waiting(store: Store) -> None:
    for number in range(20):
        busy = HOME.but(chat="busy" if number % 2 else HOME.chat)
        claimed = None if number % 2 else NOON + DELIVERY
        await store.notices.add(a_notice(id=str(number), place=busy, claimed_until=claimed))
    await store.notices.add(a_notice(id="paced", not_before=NOON))
    await store.notices.add(a_notice(id="later", not_before=LATER))
    await store.notices.add(a_notice(id="at once", created_at=LATER))

    pending = await store.notices.pending(Platform.CONSOLE, apart_from=["busy"], now=NOON, limit=2)
    here = await store.notices.pending(Platform.CONSOLE, chat=HOME.chat, now=NOON)

    assert [notice.id for notice in pending] == ["at once", "paced"]
    assert [notice.id for notice in here] == ["paced", "at once"]


async def test_cards_of_a_place_and_of_a_job(store: Store) -> None:
    thread = HOME.but(thread="t")
    other = Place(platform=Platform.CONSOLE, chat="other")
    for card in (
        a_card("j2", created_at=LATER),
        a_card("j1"),
        a_card("j3", closed=True),
        a_card("j1", place=thread),
        a_card("j1", place=other),
    ):
        await store.cards.add(card)

    assert [card.job for card in await store.cards.open_at(HOME)] == ["j1", "j2"]
    assert [card.place for card in await store.cards.open_at(thread)] == [thread]
    assert {card.place.chat for card in await store.cards.of("j1")} == {"home", "other"}


async def test_workers_heard_of_lately(store: Store) -> None:
    for name, seen in (("b", LATER), ("a", NOON), ("gone", NOON - timedelta(minutes=1))):
        await store.workers.save(
            Worker(id=name, host="h", pid=1, device="cpu", kinds=(), started_at=NOON, seen_at=seen)
        )

    assert [worker.id for worker in await store.workers.seen_since(NOON)] == ["a", "b"]


async def test_actions_keep_their_arguments(store: Store) -> None:
    action = Action(
        id="t",
        account="ann",
        label="Go",
        command="train confirm",
        arguments={"quote": "q1"},
        style=Style.GO,
        then=Then.REPLACE,
        expires_at=LATER,
    )
    await store.actions.add(action)

    assert await store.actions.get("t") == action
