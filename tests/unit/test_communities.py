"""What admins of a community choose, as they write it, and what may be said where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.account import Place, Platform, Role
from core.domain.community import Community, Setting, inside, of_place
from core.domain.errors import BadValue, NotHere
from core.domain.rating import Rating
from tests.builders.entities import HOME, an_actor

ids = st.integers(-(10**13), 10**18).map(str)
communities = st.builds(
    Community,
    id=st.just("discord:1"),
    channels=st.lists(ids, unique=True, max_size=5).map(tuple),
    rating=st.sampled_from(Rating),
    orders=st.sampled_from(Role),
    nsfw=st.booleans(),
)
HERE = Place(platform=Platform.DISCORD, chat="7", private=False, community="1")
PLAIN = Community(id="discord:1")


@given(communities, communities, st.sampled_from(Setting))
def test_a_setting_is_read_as_it_is_written(one: Community, other: Community, setting: Setting) -> None:
    chosen = other.chosen(setting, f" {one.value(setting).upper()} ")

    assert chosen.value(setting) == one.value(setting)
    assert all(chosen.value(rest) == other.value(rest) for rest in Setting if rest is not setting)


@given(communities)
def test_all_settings_together_make_the_same_community(one: Community) -> None:
    made = PLAIN
    for setting in Setting:
        made = made.chosen(setting, one.value(setting))

    assert made == one


def test_channels_are_mentions_or_ids() -> None:
    assert PLAIN.chosen(Setting.CHANNELS, "<#7>, 8 -1009 7").channels == ("7", "8", "-1009")


@pytest.mark.parametrize(
    ("setting", "text", "takes"),
    [
        (Setting.CHANNELS, "general", "the ids of channels or all"),
        (Setting.CHANNELS, "", "the ids of channels or all"),
        (Setting.CHANNELS, "٣", "the ids of channels or all"),
        (Setting.RATING, "adult", "sfw or nsfw"),
        (Setting.ORDERS, "boss", "viewer or user or moderator or admin"),
        (Setting.NSFW, "maybe", "yes or no"),
    ],
)
def test_what_is_no_value_is_told_what_would_be(setting: Setting, text: str, takes: str) -> None:
    with pytest.raises(BadValue) as refused:
        PLAIN.chosen(setting, text)

    assert str(refused.value) == f"«{text}» is not a valid {setting}: it takes {takes}."


@pytest.mark.parametrize(
    ("community", "role", "orders", "passes"),
    [
        (PLAIN, Role.USER, True, True),
        (PLAIN, Role.VIEWER, True, False),
        (PLAIN, Role.VIEWER, False, True),
        (PLAIN.but(channels=("7",)), Role.USER, False, True),
        (PLAIN.but(channels=("8",)), Role.MODERATOR, False, False),
        (PLAIN.but(channels=("8",), orders=Role.ADMIN), Role.ADMIN, True, True),
        (PLAIN.but(orders=Role.MODERATOR), Role.USER, True, False),
        (PLAIN.but(orders=Role.MODERATOR), Role.MODERATOR, True, True),
    ],
)
def test_what_may_be_said_where(community: Community, role: Role, orders: bool, passes: bool) -> None:  # noqa: FBT001 - a table
    if passes:
        community.require(an_actor(role=role), HERE, orders=orders)
    else:
        with pytest.raises(NotHere):
            community.require(an_actor(role=role), HERE, orders=orders)


def test_a_private_place_lies_in_no_community() -> None:
    assert (of_place(HOME), of_place(HERE), inside(HERE)) == (None, "discord:1", "discord:1")
    with pytest.raises(NotHere):
        inside(HOME)
