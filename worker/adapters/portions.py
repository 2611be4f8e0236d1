"""Conversations in files as the parts of a dataset store them: JSON Lines of a bounded size."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from core.domain.conversation import Conversation, PartFacts, counted
from core.domain.value import Value

COUNT = 2_000
BYTES = 4 * 2**20  # no record is larger, so no portion is larger than some 8 MB


class TakenPortion(Value):
    """Some conversations in a file, as a part of a dataset stores them."""

    path: Path
    count: int
    facts: PartFacts


class Portion:
    """Conversations on their way into one file; what is kept of them are bytes, which the garbage collector skips."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._size = 0
        self._counts = Counter[str]()

    @property
    def full(self) -> bool:
        """Whether nothing more goes in."""
        return len(self._lines) >= COUNT or self._size >= BYTES

    def add(self, conversation: Conversation) -> None:
        """Put one in."""
        line = conversation.model_dump_json().encode() + b"\n"
        self._lines.append(line)
        self._size += len(line)
        self._counts.update(counted(conversation))

    def written(self, path: Path) -> TakenPortion:
        """Write them into a file."""
        path.write_bytes(b"".join(self._lines))
        return TakenPortion(path=path, count=len(self._lines), facts=PartFacts(**self._counts))


class Portions:
    """Conversations on their way into files in a folder, 2,000 or some megabytes in each."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._written: list[TakenPortion] = []
        self._open: Portion | None = None

    def add(self, conversation: Conversation) -> None:
        """Put one in, and write the portion when it is full."""
        self._open = self._open or Portion()
        self._open.add(conversation)
        if self._open.full:
            self._close()

    def closed(self) -> tuple[TakenPortion, ...]:
        """Write what is left, and return all there is."""
        self._close()
        return tuple(self._written)

    def _close(self) -> None:
        if self._open:
            path = self._out / f"conversations-{len(self._written) + 1:05d}.jsonl"
            self._written.append(self._open.written(path))
        self._open = None


def stored(path: Path) -> Iterator[Conversation]:
    """The conversations in such a file."""
    with path.open("rb") as lines:
        for line in lines:
            yield Conversation.model_validate_json(line)
