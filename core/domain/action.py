"""Actions: a button is a command with arguments under a short token, bound to who may press it; a restart keeps it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from core.domain.value import Entity

VALID_FOR = timedelta(days=7)


class Style(StrEnum):
    """How a button looks."""

    GO = "go"
    PLAIN = "plain"
    DANGER = "danger"


class Then(StrEnum):
    """Whether the reply replaces the message the button sits on."""

    REPLACE = "replace"
    NEW = "new"


class Action(Entity):
    """A button; its id is the token, which is also the idempotency key of the command it runs."""

    account: str
    label: str
    command: str
    arguments: Mapping[str, str]
    style: Style
    then: Then
    expires_at: datetime
