"""Accounts, the identities that lead to them, and what a role may do."""

from datetime import datetime
from enum import StrEnum

from core.domain.errors import NotAllowed
from core.domain.value import Entity, Value


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
    """Where a card or a notice can be posted later: strings only, no platform type."""

    platform: Platform
    chat: str
    thread: str | None = None
    private: bool = True


class Account(Entity):
    """A person; `home` is where they can be told something in private."""

    name: str
    role: Role
    home: Place
    created_at: datetime


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

    def require(self, role: Role) -> None:
        """Let the actor pass, or say which role it takes.

        Raises:
            NotAllowed: The actor's role does not cover the needed one.
        """
        if not self.role.covers(role):
            raise NotAllowed(role=role.value)


def identity_id(platform: Platform, external: str) -> str:
    """The one name of a login: `console:alice`, `discord:1234`."""
    return f"{platform}:{external}"
