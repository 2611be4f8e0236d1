"""What a command answers, before any chat has drawn it."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import model_validator

from core.domain.action import Style, Then
from core.domain.artifact import Artifact
from core.domain.errors import DomainError, Unavailable
from core.domain.job import Progress
from core.domain.rating import Rating
from core.domain.value import Value


class Button(Value):
    """A command with arguments under a label; the dispatcher gives it its token."""

    label: str
    command: str
    arguments: Mapping[str, str] = {}
    style: Style = Style.PLAIN
    then: Then = Then.NEW
    token: str = ""


class Table(Value):
    """At most three columns; chats without tables write key-value lines."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Reply(Value):
    """A neutral answer. Pictures and files are references; adapters open them through the Blobs port.

    What is shown as a picture and is none, such as the samples of a model that writes, is a file.
    `code` is the stable code of an error, `unavailable` whether it was the house's; `job` the job whose card follows;
    `rating` who the pictures are for; `link` an address that belongs to this person alone: shown in private only.
    All of a `personal` one is for this person alone, also where the command answers for everyone to see.
    """

    title: str
    lines: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    table: Table | None = None
    pictures: tuple[Artifact, ...] = ()
    files: tuple[Artifact, ...] = ()
    progress: Progress | None = None
    buttons: tuple[Button, ...] = ()
    job: str | None = None
    rating: Rating = Rating.SFW
    link: str | None = None
    personal: bool = False
    code: str | None = None
    unavailable: bool = False

    @model_validator(mode="before")
    @classmethod
    def _texts_are_files(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        shown = tuple(fields.get("pictures", ()))
        texts = tuple(one for one in shown if isinstance(one, Artifact) and not one.is_picture)
        if not texts:
            return fields
        pictures = tuple(one for one in shown if one not in texts)
        return {**fields, "pictures": pictures, "files": (*fields.get("files", ()), *texts)}

    @classmethod
    def refused(cls, *errors: DomainError, title: str = "Not done") -> Self:
        """The words for what went wrong; the first error's code stands for all."""
        return cls(
            title=title,
            lines=tuple(str(error) for error in errors),
            personal=any(error.personal for error in errors),
            code=errors[0].code,
            unavailable=any(isinstance(error, Unavailable) for error in errors),
        )
