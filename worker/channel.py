"""What a task inside a child process knows of its parent: how to report, what it hears, how to fail. No torch."""

from typing import ClassVar, Protocol

from core.domain.value import Value


class TaskFailed(Exception):  # noqa: N818 a past participle, as every result here
    """A failure that a task foresaw; each leaf has a stable `code`, the words are for the owner or the operator.

    It reaches the parent as the type it was raised with; any other exception arrives as ChildFailed.
    """

    code: ClassVar[str]

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Channel(Protocol):
    """The line from a running task to whoever called it."""

    def send(self, event: Value) -> None:
        """Report an event; the parent's callback gets it, in order and before the result."""
        ...

    def stopping(self) -> bool:
        """Say whether the parent asked for an end: finish the step, keep what is worth keeping, return."""
        ...

    def wishes(self) -> tuple[Value, ...]:
        """Return what the parent has told the running task since it was last asked, in order."""
        ...
