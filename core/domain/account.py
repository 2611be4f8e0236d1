"""Accounts, the identities that lead to them, and what a role may do."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Self

from core.domain.consent import GROWN, Attestation
from core.domain.errors import Banned, NotAdult, NotAllowed, NotHere
from core.domain.rating import Rating
from core.domain.value import Entity, Value

FORGOTTEN = "forgotten"  # what is said instead of a name


class Platform(StrEnum):
    """Where somebody can be met."""

    CONSOLE = "console"
    DISCORD = "discord"
    TELEGRAM = "telegram"
    WEB = "web"


class Role(StrEnum):
    """What somebody may do; each role includes the ones before it."""

    VIEWER = "viewer"
    USER = "user"
    MODERATOR = "moderator"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Whether this role includes the needed one."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Place(Value):
    """Where a card or a notice can be posted later: strings only, no platform type.

    A private place is a person's own chat with the bot: `chat` is their id on the platform. Others lie in a community
    (a Discord server, a Telegram group). `adult` says that adult pictures may be shown there.
    """

    platform: Platform
    chat: str
    thread: str | None = None
    private: bool = True
    community: str | None = None
    adult: bool = False

    def shows(self, rating: Rating) -> bool:
        """Whether pictures of a rating may be shown here."""
        return self.adult or rating is Rating.SFW

    def require(self, rating: Rating) -> None:
        """Let pictures of a rating pass.

        Raises:
            NotHere: They are for adults, and this is no place for that.
        """
        if not self.shows(rating):
            why = "it takes a channel that is marked age-restricted, or a group whose admins allow it."
            raise NotHere(what="Anything for adults", why=why)


class Where(StrEnum):
    """Where somebody is told of what they ordered in a group."""

    DM = "dm"
    CHANNEL = "channel"


class Telling(StrEnum):
    """How much somebody is told: a card that moves and the end, only the end, or nothing."""

    LIVE = "live"
    FINAL = "final"
    QUIET = "quiet"


class Notify(Value):
    """Where and how somebody wants to be told."""

    where: Where = Where.DM
    telling: Telling = Telling.LIVE


class Account(Entity):
    """A person; `home` is where they can be told something in private.

    `banned` is why they may do nothing here; `merged_into` the account that took this one over, `merged_at` when one
    was last taken over by this. `related` are accounts that admins have marked as the same person's or household's:
    between them no royalty is earned. `adult` is the moderator's word that this is somebody of age. At `forgotten_at`
    they wished to be forgotten, and `erased_at` is when nothing of theirs was left.
    """

    name: str
    role: Role
    home: Place
    created_at: datetime
    notify: Notify = Notify()
    banned: str | None = None
    merged_into: str | None = None
    merged_at: datetime | None = None
    related: tuple[str, ...] = ()
    adult: Attestation | None = None
    forgotten_at: datetime | None = None
    erased_at: datetime | None = None

    def is_related(self, other: "Account") -> bool:
        """Whether either is marked as the same person's or household's as the other."""
        return other.id in self.related or self.id in other.related

    def marked(self, other: str, *, related: bool) -> Self:
        """The account with another marked as the same person's or household's, or no longer so."""
        others = {*self.related, other} if related else {*self.related} - {other}
        return self.but(related=tuple(sorted(others)))

    def verified(self, *, by: str | None, now: datetime) -> Self:
        """Of age, by the word of a moderator; or, without one, no longer so."""
        return self.but(adult=Attestation(by=by, at=now, words=GROWN) if by else None)

    def forgotten(self, *, now: datetime) -> Self:
        """Nobody in particular, who can do nothing here and is told nothing."""
        return type(self)(
            id=self.id,
            name=FORGOTTEN,
            role=Role.VIEWER,
            home=Place(platform=Platform.CONSOLE, chat=FORGOTTEN),
            created_at=self.created_at,
            banned="this account was forgotten",
            merged_into=self.merged_into,
            forgotten_at=self.forgotten_at or now,
        )


class Identity(Entity):
    """One login of a person; its id is `platform:external`."""

    account: str
    name: str
    created_at: datetime


class Actor(Value):
    """Who asks: what every service needs to know of the account behind a request."""

    account: str
    name: str
    role: Role = Role.USER
    notify: Notify = Notify()
    banned: str | None = None
    adult: bool = False

    def require_welcome(self) -> None:
        """Let the actor pass who is not banned.

        Raises:
            Banned: The actor is; the words say why.
        """
        if self.banned is not None:
            raise Banned(why=self.banned)

    def require_adult(self, rating: Rating) -> None:
        """Let the actor have pictures of a rating made.

        Raises:
            NotAdult: They are for adults, and no moderator has verified the actor.
        """
        if rating is Rating.NSFW and not self.adult:
            raise NotAdult

    def require(self, role: Role) -> None:
        """Let the actor pass, or say which role it takes.

        Raises:
            NotAllowed: The actor's role does not cover the needed one.
        """
        if not self.role.covers(role):
            raise NotAllowed(role=role.value)


def acting(account: Account, *, appointed: Collection[Identity]) -> Actor:
    """Who an account is to every service: an admin too where one of the logins that the settings appoint is its own."""
    return Actor(
        account=account.id,
        name=account.name,
        role=Role.ADMIN if any(login.account == account.id for login in appointed) else account.role,
        notify=account.notify,
        banned=account.banned,
        adult=account.adult is not None,
    )


def identity_id(platform: Platform, external: str) -> str:
    """The one name of a login: `console:alice`, `discord:1234`."""
    return f"{platform}:{external}"
