"""Communities: the Discord servers and Telegram groups that the bot was invited to, and what their admins chose."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from core.domain.account import Actor, Place, Platform, Role
from core.domain.errors import BadValue, NotFound, NotHere
from core.domain.rating import Rating
from core.domain.value import Entity

WORDS = {True: "yes", False: "no"}
ALL = "all"
CHANNEL = re.compile(r"-?[0-9]{1,20}")


class Setting(StrEnum):
    """What can be chosen for a community."""

    CHANNELS = "channels"
    RATING = "rating"
    ORDERS = "orders"
    NSFW = "nsfw"


class Community(Entity):
    """One community and its settings; the id is `platform:community`.

    `channels` are the chats in which the bot answers (empty: all), `rating` that of a new dataset, `orders` the least
    role that may order, `nsfw` whether a Telegram group takes adult pictures (Discord marks its own channels), `pins`
    which public model (its id) a trigger word calls here, whoever registered it first.
    """

    channels: tuple[str, ...] = ()
    rating: Rating = Rating.SFW
    orders: Role = Role.USER
    nsfw: bool = False
    pins: Mapping[str, str] = {}

    def value(self, setting: Setting) -> str:
        """A setting as people write it."""
        match setting:
            case Setting.CHANNELS:
                return " ".join(self.channels) if self.channels else ALL
            case Setting.RATING:
                return self.rating.value
            case Setting.ORDERS:
                return self.orders.value
            case Setting.NSFW:
                return WORDS[self.nsfw]

    def chosen(self, setting: Setting, text: str) -> Self:
        """The community with one setting changed, as people write it.

        Raises:
            BadValue: The text is no value of this setting; the words say what would be one.
        """
        wished = text.strip().casefold()
        match setting:
            case Setting.CHANNELS if wished == ALL:
                return self.but(channels=())
            case Setting.CHANNELS if (channels := _channels(wished)) and all(map(CHANNEL.fullmatch, channels)):
                return self.but(channels=channels)
            case Setting.RATING if wished in set(Rating):
                return self.but(rating=Rating(wished))
            case Setting.ORDERS if wished in set(Role):
                return self.but(orders=Role(wished))
            case Setting.NSFW if wished in WORDS.values():
                return self.but(nsfw=wished == WORDS[True])
            case _:
                raise BadValue(what=setting.value, value=text, why=f"it takes {_takes(setting)}")

    def pinned(self, word: str, model: str) -> Self:
        """The community in which a trigger word calls this model (its id)."""
        return self.but(pins={**self.pins, word: model})

    def unpinned(self, word: str, model: str) -> Self:
        """The community in which a trigger word calls whichever model is for everyone, if it was this one's."""
        return self.but(pins={known: pin for known, pin in self.pins.items() if (known, pin) != (word, model)})

    def require(self, actor: Actor, place: Place, *, orders: bool) -> None:
        """Let pass what may be said in a place of this community; admins always may.

        Raises:
            NotHere: The bot does not answer in this channel, or the actor may not order here.
        """
        if actor.role.covers(Role.ADMIN):
            return
        if self.channels and place.chat not in self.channels:
            raise NotHere(what="Talking to the bot", why="go to one of its channels, or write to it in private.")
        if orders and not actor.role.covers(self.orders):
            raise NotHere(what="Ordering", why=f"it takes the role {self.orders}. Order in private, or ask an admin.")


def community_id(platform: Platform, community: str) -> str:
    """The one name of a community: `discord:2000`."""
    return f"{platform}:{community}"


def community_named(text: str) -> str:
    """The id of a server or group that somebody has typed.

    Raises:
        NotFound: It is none.
    """
    name = text.strip().casefold()
    platform, _, number = name.partition(":")
    if platform not in {Platform.DISCORD, Platform.TELEGRAM} or not CHANNEL.fullmatch(number):
        raise NotFound(noun="server or group", name=text[:40], hint="Give it as discord:1234 or telegram:-1234.")
    return name


def of_place(place: Place) -> str | None:
    """The id of the community that a place lies in; None for a private place."""
    return community_id(place.platform, place.community) if place.community else None


def inside(place: Place) -> str:
    """The id of the community that a place lies in.

    Raises:
        NotHere: The place is private.
    """
    name = of_place(place)
    if name is None:
        raise NotHere(what="This", why="settings belong to a server or a group. Say it there.")
    return name


def _channels(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip("<#>") for word in text.replace(",", " ").split()))


def _takes(setting: Setting) -> str:
    values: dict[Setting, list[str]] = {
        Setting.CHANNELS: ["the ids of channels", ALL],
        Setting.RATING: [*Rating],
        Setting.ORDERS: [*Role],
        Setting.NSFW: [*WORDS.values()],
    }
    return " or ".join(values[setting])
