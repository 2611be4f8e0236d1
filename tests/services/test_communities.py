"""Settings of servers and groups, and what they let pass."""

import asyncio
from datetime import timedelta

import pytest

from core.domain.account import Actor, Place, Platform
from core.domain.community import Community, Setting
from core.domain.errors import BadValue, NotAllowed, NotFound, NotHere
from core.domain.model import Model, Visibility
from core.domain.rating import Rating
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME, NOON
from tests.builders.scenes import a_trained_model, everything_in, moderating, somebody

HERE = Place(platform=Platform.DISCORD, chat="7", private=False, community="1")
NEXT_DOOR = HERE.but(chat="8")
ELSEWHERE = HERE.but(community="2")


async def published(house: House, actor: Actor, clock: HandClock) -> Model:
    """Train a model and publish it, a minute after those before."""
    clock.advance(timedelta(minutes=1))
    return await house.services.models.publish(actor, (await a_trained_model(house, actor)).id)


async def test_settings_are_a_communitys_own_and_audited(house: House) -> None:
    root, communities = await somebody(house, "root"), house.services.communities
    await communities.choose(root, HERE, Setting.CHANNELS, "<#7>")
    chosen = await communities.choose(root, NEXT_DOOR, Setting.NSFW, "yes")

    assert chosen == Community(id="discord:1", channels=("7",), nsfw=True)
    assert await communities.of(NEXT_DOOR) == chosen
    assert await communities.of(ELSEWHERE) == Community(id="discord:2")
    assert await communities.of(HOME) == Community(id="console:home")
    acts = await house.store.audits.latest(actor=root.account)
    assert {(one.act, one.subject, *one.details.items()) for one in acts} == {
        ("admin.setting", "discord:1", ("channels", "7")),
        ("admin.setting", "discord:1", ("nsfw", "yes")),
    }


async def test_settings_that_are_chosen_at_once_are_all_kept(house: House) -> None:
    root, communities = await somebody(house, "root"), house.services.communities
    wished = {Setting.CHANNELS: "7 8", Setting.RATING: "nsfw", Setting.ORDERS: "moderator", Setting.NSFW: "yes"}
    await asyncio.gather(*(communities.choose(root, HERE, setting, text) for setting, text in wished.items()))

    kept = await communities.of(HERE)

    assert {setting: kept.value(setting) for setting in Setting} == wished


async def test_a_telegram_group_shows_what_its_admins_let_it_show_by_now(house: House) -> None:
    root, communities = await somebody(house, "root"), house.services.communities
    group = Place(platform=Platform.TELEGRAM, chat="-7", private=False, community="-7")
    at_first = await communities.rated(group.but(adult=True))
    await communities.choose(root, group, Setting.NSFW, "yes")

    assert (at_first, await communities.rated(group)) == (group, group.but(adult=True))
    for place in (HOME, HERE.but(adult=True), Place(platform=Platform.TELEGRAM, chat="7", adult=True)):
        assert await communities.rated(place) == place


async def test_what_cannot_be_chosen_writes_nothing(house: House, database: Database) -> None:
    ann, root, communities = await somebody(house), await somebody(house, "root"), house.services.communities
    before = await everything_in(database)

    for actor, place, text, error in (
        (ann, HERE, "yes", NotAllowed),
        (root, HOME, "yes", NotHere),
        (root, HERE, "perhaps", BadValue),
    ):
        with pytest.raises(error):
            await communities.choose(actor, place, Setting.NSFW, text)

    assert await everything_in(database) == before


async def test_a_moderator_pins_a_public_model_to_its_word_in_one_community(house: House, clock: HandClock) -> None:
    ann, bob, root = [await somebody(house, name) for name in ("ann", "bob", "root")]
    first, second = [await published(house, actor, clock) for actor in (ann, bob)]
    pinned = await house.services.communities.pin(moderating(root), HERE, second.id)
    again = await house.services.communities.pin(moderating(root), NEXT_DOOR, second.id)
    others = await house.services.communities.pin(moderating(root), HERE, first.id, on=False)

    assert pinned == again == others == Community(id="discord:1", pins={"zorp": second.id})
    assert await house.services.communities.of(ELSEWHERE) == Community(id="discord:2")
    assert await house.services.communities.pin(root, HERE, second.id, on=False) == Community(id="discord:1")
    acts = await house.store.audits.latest(actor=root.account)
    assert sorted((one.act, one.subject, *one.details.items()) for one in acts) == [
        ("admin.pin", "discord:1", ("zorp", "bob/zorp")),
        ("admin.pin", "discord:1", ("zorp", "bob/zorp")),
        ("admin.unpin", "discord:1", ("zorp", "ann/zorp")),
        ("admin.unpin", "discord:1", ("zorp", "bob/zorp")),
    ]


async def test_a_pin_and_a_setting_at_once_are_both_kept(house: House, clock: HandClock) -> None:
    root, communities = await somebody(house, "root"), house.services.communities
    model = await published(house, root, clock)
    await asyncio.gather(communities.pin(root, HERE, model.id), communities.choose(root, HERE, Setting.CHANNELS, "7"))

    assert await communities.of(HERE) == Community(id="discord:1", channels=("7",), pins={"zorp": model.id})


async def test_what_cannot_be_pinned_writes_nothing(house: House, database: Database, clock: HandClock) -> None:
    ann, root, communities = await somebody(house), await somebody(house, "root"), house.services.communities
    model = await published(house, ann, clock)
    unlisted, lewd, gone = model.but(id="m2", slug="2"), model.but(id="m3", slug="3"), model.but(id="m4", slug="4")
    for other in (
        unlisted.but(visibility=Visibility.UNLISTED, names=("2",)),
        lewd.but(rating=Rating.NSFW, names=("3",)),
        gone.but(deleted_at=NOON, names=("4",)),
    ):
        await house.store.models.add(other)
    before = await everything_in(database)

    for actor, place, name, error in (
        (ann, HERE, model.id, NotAllowed),
        (root, HOME, model.id, NotHere),
        (root, HERE, "nowhere", NotFound),
        (root, HERE, gone.id, NotFound),
        (root, HERE, unlisted.id, BadValue),
        (root, HERE, lewd.id, NotHere),
    ):
        with pytest.raises(error):
            await communities.pin(actor, place, name)

    assert await everything_in(database) == before
    assert (await communities.pin(root, HERE.but(adult=True), lewd.id)).pins == {"zorp": lewd.id}


async def test_a_channel_that_was_not_chosen_is_for_admins_only(house: House) -> None:
    ann, root, communities = await somebody(house), await somebody(house, "root"), house.services.communities
    await communities.choose(root, HERE, Setting.CHANNELS, "7")

    for actor, place in ((ann, HERE), (ann, HERE.but(thread="9")), (ann, ELSEWHERE), (ann, HOME), (root, NEXT_DOOR)):
        await communities.require(actor, place, orders=True)
    with pytest.raises(NotHere):
        await communities.require(ann, NEXT_DOOR, orders=False)
