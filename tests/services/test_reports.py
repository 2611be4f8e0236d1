"""Reports: anybody suspends at once what must not be, nobody learns who it was, and a moderator decides."""

from datetime import timedelta

import pytest

from core.domain.account import Actor, Role
from core.domain.consent import RIGHTS
from core.domain.errors import (
    BadValue,
    ConsentWithdrawn,
    NotAllowed,
    NotFound,
    NothingToDo,
    NoTrigger,
    NotThem,
    Suspended,
    TooOften,
)
from core.domain.job import JobState
from core.domain.model import Model
from core.domain.notice import Topic
from core.domain.report import ReportedKind, ReportState
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.scenes import (
    a_quote_for,
    a_ready_dataset,
    a_trained_model,
    an_order,
    everything_in,
    finished,
    imagined,
    moderating,
    somebody,
)

MODEL, DATASET, PICTURES = ReportedKind.MODEL, ReportedKind.DATASET, ReportedKind.GENERATION


async def a_public_model(house: House, actor: Actor, *, name: str = "zorp") -> Model:
    model = await a_trained_model(house, actor, name=name)
    return await house.services.models.publish(actor, model.id)


async def a_moderator(house: House) -> Actor:
    mod = await somebody(house, "mod")
    await house.store.accounts.save((await house.store.accounts.get(mod.account)).but(role=Role.MODERATOR))
    return moderating(mod)


async def told(database: Database) -> list[tuple[str, str, str]]:
    """Who was told what about reports."""
    rows = [row for row in (await everything_in(database))["notices"] if row["topic"] == Topic.REPORTED]
    return sorted((row["account"], row["details"]["title"], row["details"]["text"]) for row in rows)


async def test_a_reported_model_is_nobodys_at_once(house: House, database: Database) -> None:
    ann, bob, mod = await somebody(house), await somebody(house, "bob"), await a_moderator(house)
    model = await a_public_model(house, ann)
    viewer = bob.but(role=Role.VIEWER)

    (report,) = await house.services.reports.report(viewer, MODEL, model.id, why=" that\n is me ")

    for actor in (ann, bob):
        with pytest.raises(NoTrigger):
            await imagined(house, actor, "zorp")
    with pytest.raises(NotFound):
        await house.services.models.view(bob, model.id)
    with pytest.raises(Suspended):
        await house.services.publications.download(ann, model.id)
    with pytest.raises(Suspended):
        await house.services.models.publish(ann, model.id)
    assert await house.services.models.list(bob) == []
    assert [one.standing for one in await house.services.models.list(ann)] == ["suspended"]
    assert report.why == "that is me"
    title = "Model «ann/zorp» was reported"
    assert await told(database) == sorted(
        [
            (
                ann.account,
                title,
                "Nobody can use it until a moderator has looked at it. You are told what comes of it.",
            ),
            (mod.account, title, "that is me\nDecide: `moderation reports`."),
        ]
    )


async def test_a_reported_dataset_is_not_trained_on_and_not_attested(house: House) -> None:
    ann, mod = await somebody(house), await a_moderator(house)
    dataset = await a_ready_dataset(house, ann)
    await house.services.reports.report(mod, DATASET, dataset.id, why="me")

    with pytest.raises(Suspended):
        await a_quote_for(house, ann, dataset)
    with pytest.raises(Suspended):
        await house.services.consents.attest(ann, dataset.id, words=RIGHTS, key="k")


async def test_who_knows_no_more_than_a_picture_reports_what_drew_it(house: House) -> None:
    ann, bob, cid = await somebody(house), await somebody(house, "bob"), await somebody(house, "cid")
    model = await a_public_model(house, ann)
    drawn = await finished(house, await imagined(house, bob, "zorp"))

    (report,) = await house.services.reports.report(cid, PICTURES, drawn.id, why="that is me")

    assert (report.kind, report.thing, report.owner) == (MODEL, model.id, ann.account)
    assert (await house.store.models.get(model.id)).suspended == report.id


async def test_a_dismissed_report_leaves_everything_as_it_was(house: House, database: Database) -> None:
    ann, bob, cid, mod = [await somebody(house, name) for name in ("ann", "bob", "cid", "mod")]
    moderator, reports = moderating(mod), house.services.reports
    model = await a_public_model(house, ann)
    dataset = await a_ready_dataset(house, ann, name="blip")
    first, second = [(await reports.report(who, MODEL, model.id, why="me"))[0] for who in (bob, moderating(cid))]
    (third,) = await reports.report(moderator, DATASET, dataset.id, why="me")
    waiting = await reports.waiting(moderator)
    await reports.dismiss(moderator, first.id)
    still = await house.store.models.get(model.id)
    for report in (second, third, third):
        await reports.dismiss(moderator, report.id)

    assert [(one.report.id, one.reporter, one.owner) for one in waiting][:1] == [(first.id, "bob", "ann")]
    assert still.suspended
    assert await house.store.models.get(model.id) == model
    assert await house.store.datasets.get(dataset.id) == dataset
    assert await reports.waiting(moderator) == []
    assert await imagined(house, bob, "zorp")
    with pytest.raises(NothingToDo, match="saw nothing wrong"):
        await reports.report(bob, MODEL, model.id, why="me again")
    with pytest.raises(NothingToDo):
        await reports.uphold(moderator, first.id)
    texts = [text for account, _, text in await told(database) if account == bob.account]
    assert texts == ["There was nothing wrong with it."]


async def test_what_a_moderator_upholds_is_gone_for_good(house: House, database: Database) -> None:
    ann, bob, mod = await somebody(house), await somebody(house, "bob"), await a_moderator(house)
    reports = house.services.reports
    model = await a_public_model(house, ann)
    dataset = await a_ready_dataset(house, ann, name="blip")
    derived = await finished(house, await an_order(house, ann, dataset))
    waiting = await an_order(house, ann, dataset)
    (one,) = await reports.report(bob, MODEL, model.id, why="me")
    (two,) = await reports.report(moderating(bob), DATASET, dataset.id, why="me")
    for _ in range(2):
        await reports.uphold(mod, one.id)
        upheld = await reports.uphold(mod, two.id)

    assert (upheld.state, upheld.decided_by) == (ReportState.UPHELD, mod.account)
    with pytest.raises(NotFound):
        await house.services.models.view(ann, model.id)
    with pytest.raises(ConsentWithdrawn):
        await a_quote_for(house, ann, dataset)
    with pytest.raises(Suspended):
        await house.services.consents.attest(ann, dataset.id, words=RIGHTS, key="k")
    assert (await house.store.jobs.get(waiting.id)).state is JobState.CANCELLED
    assert not (await house.services.models.of_run(ann, derived.id)).usable
    acts = [row["act"] for row in (await everything_in(database))["audits"]]
    assert sorted(act for act in acts if act.startswith("report")) == ["report.made"] * 2 + ["report.upheld"] * 2
    assert bob.account not in str([row for row in await told(database) if row[0] == ann.account])


async def test_a_report_that_cannot_be_writes_nothing(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    model, dataset = await a_trained_model(house, ann), await a_ready_dataset(house, ann, name="blip")
    public = await a_public_model(house, ann, name="gorp")
    (report,) = await house.services.reports.report(bob, MODEL, public.id, why="me")
    before = await everything_in(database)
    reports = house.services.reports

    for actor, kind, thing, why, error in (
        (bob, MODEL, model.id, "me", NotFound),
        (bob, DATASET, dataset.id, "me", NotFound),
        (bob, PICTURES, "nothing", "me", NotFound),
        (bob, MODEL, public.id, "", BadValue),
        (ann, MODEL, model.id, "me", NothingToDo),
    ):
        with pytest.raises(error):
            await reports.report(actor, kind, thing, why=why)
    for actor, name, wrong in (
        (bob, report.id, NotAllowed),
        (moderating(bob), "nothing", NotFound),
        (moderating(ann), report.id, NotThem),
    ):
        for decide in (reports.uphold, reports.dismiss):
            with pytest.raises(wrong):
                await decide(actor, name)
    with pytest.raises(NotAllowed):
        await reports.waiting(bob)

    assert await reports.waiting(moderating(ann)) == []
    assert await everything_in(database) == before


async def test_three_reports_a_day_and_the_same_once_more_is_none(house: House, clock: HandClock) -> None:
    mod = moderating(await somebody(house, "mod"))
    ann = await somebody(house)
    names = [
        (await house.services.datasets.create(ann, name=name, trigger=f"{name}x")).id
        for name in ("da", "db", "dc", "dd")
    ]
    reports = house.services.reports
    for name in (*names[:3], *names[:3]):
        await reports.report(mod, DATASET, name, why="me")
    with pytest.raises(TooOften):
        await reports.report(mod, DATASET, names[3], why="me")
    clock.advance(timedelta(days=1))

    assert await reports.report(mod, DATASET, names[3], why="me")
    assert len(await reports.waiting(mod)) == 4


async def test_what_was_reported_and_is_gone_by_now_is_decided_all_the_same(house: House) -> None:
    ann, bob, mod = await somebody(house), await somebody(house, "bob"), await a_moderator(house)
    model = await a_public_model(house, ann)
    (report,) = await house.services.reports.report(bob, MODEL, model.id, why="me")
    await house.services.forgettings.forget(ann, giving_up=0)

    (waiting,) = await house.services.reports.waiting(mod)
    assert waiting.report.name == "forgotten"
    assert (await house.services.reports.uphold(mod, report.id)).state is ReportState.UPHELD
