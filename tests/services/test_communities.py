"""Settings of servers and groups, and what they let pass."""

import asyncio

import pytest

from core.domain.account import Place, Platform
from core.domain.community import Community, Setting
from core.domain.errors import BadValue, NotAllowed, NotHere
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import everything_in, somebody

HERE = Place(platform=Platform.DISCORD, chat="7", private=False, community="1")
NEXT_DOOR = HERE.but(chat="8")
ELSEWHERE = HERE.but(community="2")


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


async def test_a_channel_that_was_not_chosen_is_for_admins_only(house: House) -> None:
    ann, root, communities = await somebody(house), await somebody(house, "root"), house.services.communities
    await communities.choose(root, HERE, Setting.CHANNELS, "7")

    for actor, place in ((ann, HERE), (ann, HERE.but(thread="9")), (ann, ELSEWHERE), (ann, HOME), (root, NEXT_DOOR)):
        await communities.require(actor, place, orders=True)
    with pytest.raises(NotHere):
        await communities.require(ann, NEXT_DOOR, orders=False)
