"""Drafts: one question at a time in a place, files kept durably, and let go when the command ran."""

from datetime import timedelta

import pytest

from core.domain.account import Place, Platform
from core.domain.draft import OPEN_FOR, Draft
from core.domain.errors import ActionGone, NotYours
from core.ports.clock import HandClock
from core.ports.sources import Stored
from core.services.drafts import Drafts
from loraguild.composition import House
from tests.builders.entities import HOME
from tests.builders.scenes import somebody, stored

GROUP = Place(platform=Platform.TELEGRAM, chat="-1", private=False, community="-1")


@pytest.fixture
def drafts(house: House) -> Drafts:
    return house.services.drafts


async def asked(drafts: Drafts, draft: Draft, *, awaited: bool = False) -> Draft:
    """Ask for something."""
    return await drafts.change(draft, lambda now: now.but(asked="name", awaited=awaited))


async def references(house: House, sha256: str) -> int:
    row = await house.store.references._rows.find_one({"_id": sha256})  # type: ignore[attr-defined]  # noqa: SLF001 - counted where it is kept
    return int(row["references"])


async def test_a_new_question_lets_the_old_one_in_its_place_go(house: House, drafts: Drafts) -> None:
    ann = await somebody(house, "ann")
    old = await asked(drafts, await drafts.open(ann, HOME, command="me", given={}))
    elsewhere = await asked(drafts, await drafts.open(ann, GROUP, command="me", given={}))

    new = await drafts.open(ann, HOME, command="wallet", given={"a": "b"})

    assert await drafts.of(ann, HOME) == [new]
    assert await drafts.current(ann, GROUP) == elsewhere
    with pytest.raises(ActionGone):
        await drafts.find(ann, old.id)


async def test_what_is_about_to_be_run_or_waits_for_files_stays(house: House, drafts: Drafts, clock: HandClock) -> None:
    ann = await somebody(house, "ann")
    ready = await drafts.open(ann, HOME, command="me", given={})
    clock.advance(timedelta(seconds=1))
    waiting = await asked(drafts, await drafts.open(ann, HOME, command="dataset add", given={}), awaited=True)
    clock.advance(timedelta(seconds=1))

    new = await drafts.open(ann, HOME, command="wallet", given={})

    assert await drafts.of(ann, HOME) == [new, waiting, ready]


async def test_a_token_that_is_known_goes_on(house: House, drafts: Drafts) -> None:
    ann = await somebody(house, "ann")
    first = await drafts.open(ann, HOME, command="me", given={}, token="telegram:1")
    moved = await drafts.change(first, lambda now: now.but(given={"a": "b"}))

    again = await drafts.open(ann, HOME, command="me", given={}, token="telegram:1")

    assert again == moved


async def test_a_draft_is_its_owners_for_half_an_hour(house: House, drafts: Drafts, clock: HandClock) -> None:
    ann, bob = await somebody(house, "ann"), await somebody(house, "bob")
    draft = await drafts.open(ann, HOME, command="me", given={})

    with pytest.raises(NotYours):
        await drafts.find(bob, draft.id)
    clock.advance(OPEN_FOR)

    with pytest.raises(ActionGone):
        await drafts.find(ann, draft.id)
    assert await drafts.expired(Platform.CONSOLE) == [draft]
    assert await drafts.expired(Platform.TELEGRAM) == []
    assert await drafts.on(Platform.CONSOLE) == []


async def test_files_are_kept_once_each_until_the_draft_closes(house: House, drafts: Drafts) -> None:
    ann = await somebody(house, "ann")
    draft = await drafts.open(ann, HOME, command="dataset add", given={})
    artifact = await stored(house, "a.png")
    source = Stored(artifact=artifact, blobs=house.blobs)

    await drafts.receive(draft, source, origin="1")
    await drafts.receive(draft, source, origin="1")
    grown = await drafts.receive(draft, source, origin="2")
    held = await references(house, artifact.sha256)
    await drafts.open(ann, HOME, command="me", given={})
    kept = await drafts.find(ann, draft.id)
    await drafts.close(grown)
    await drafts.close(grown)

    assert [file.origin for file in grown.received] == ["1", "2"]
    assert kept == grown  # a new question does not let files go
    assert (held, await references(house, artifact.sha256)) == (2, 0)
    with pytest.raises(ActionGone):
        await drafts.receive(draft, source, origin="3")


async def test_every_answer_gives_more_time_and_another_stamp(house: House, drafts: Drafts, clock: HandClock) -> None:
    ann = await somebody(house, "ann")
    draft = await drafts.open(ann, HOME, command="me", given={})
    clock.advance(timedelta(minutes=20))

    asked = await drafts.change(draft, lambda now: now.but(asked="name", shown=("a", "b")))
    paged = asked.but(pages=("b",))

    assert asked.expires_at == clock.now() + OPEN_FOR
    assert len({draft.stamp, asked.stamp, paged.stamp}) == 3
    assert asked.stamp == asked.but(message="7", heard=("x",)).stamp
