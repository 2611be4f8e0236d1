"""Conversations: taken from unknown hands in bounded memory, looked at by the doctor, mended."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import orjson

from core.domain import conversation as rules
from core.domain.conversation import Conversation, PartFacts, Unreadable
from core.domain.finding import ERRORS, SAMPLES, LineError, TokenCount
from core.domain.value import Value
from core.kinds.intake import FileOutcome, Verdict
from worker.adapters import jsonlines, tokens
from worker.adapters.archives import RawFile, shown
from worker.adapters.jsonlines import FileRefused, Line
from worker.adapters.portions import Portion, Portions, TakenPortion, stored
from worker.adapters.progress import IntakeStopped, Progressed
from worker.channel import Channel

MEGABYTE = 2**20
SUFFIXES = (".jsonl", ".ndjson")
SHAPES = tuple(f'"{shape}"'.encode() for shape in rules.SHAPES)
REPAIRS = 20  # kinds of repairs of one file that are told apart
SAMPLE = 300  # characters


class TakenConversations(Value):
    """The portions, a verdict on every file, and the first lines that could not be read, of `error_count`."""

    portions: tuple[TakenPortion, ...]
    outcomes: tuple[FileOutcome, ...]
    errors: tuple[LineError, ...]
    error_count: int
    source_format: str


class Examined(Value):
    """What the doctor counts in stored conversations.

    `errors` are the first of the turns that have `facts.faults`, `flagged` the first with an address or a secret;
    `duplicates` say word for word what another one says.
    """

    count: int
    facts: PartFacts
    tokens: TokenCount
    errors: tuple[LineError, ...]
    flagged: tuple[LineError, ...]
    samples: tuple[str, ...]
    duplicates: int


class Mended(Value):
    """How many conversations a part has now, what is counted in them, and how many had nothing to learn."""

    count: int
    facts: PartFacts
    dropped: int


def is_conversations(file: RawFile) -> bool:
    """Say whether a file is to be read as conversations: by its name, and a `.json` also by how it begins."""
    name = file.name.lower()
    if not name.endswith(".json"):
        return name.endswith(SUFFIXES)
    try:
        head = jsonlines.text(file.path).head()
    except FileRefused:
        return False
    return any(shape in head for shape in SHAPES)


def taken(files: Sequence[RawFile], out: Path, channel: Channel) -> TakenConversations:
    """Read files of conversations and write them into the folder `out`; a bad line disturbs no other.

    Raises:
        IntakeStopped: The parent asked for an end.
    """
    intake = Intake(out, channel, total=sum(file.path.stat().st_size for file in files))
    outcomes = tuple(intake.take(file) for file in files)
    return TakenConversations(
        portions=intake.portions.closed(),
        outcomes=outcomes,
        errors=tuple(intake.errors),
        error_count=intake.error_count,
        source_format=" + ".join(sorted(intake.formats)),
    )


class Intake:
    """What was taken so far. Of all that was read only the ids are remembered, eight bytes of each."""

    def __init__(self, out: Path, channel: Channel, *, total: int) -> None:
        self.portions = Portions(out)
        self.formats: set[str] = set()
        self.errors: list[LineError] = []
        self.error_count = 0
        self._ids = Ids()
        self._channel = channel
        self._total = total
        self._done = 0

    def take(self, file: RawFile) -> FileOutcome:
        """Take the conversations of one file.

        Raises:
            IntakeStopped: The parent asked for an end.
        """
        name, repairs, errors, count = shown(file.name), Repairs(), self.error_count, 0
        try:
            found = jsonlines.text(file.path)
            if found.repair:
                repairs.add(found.repair)
            for line in jsonlines.records(found):
                self._progress(len(line.content))
                if not line.fault and not line.content.strip():
                    repairs.add("left out a blank line")
                elif conversation := self._read(line, name, repairs):
                    self.portions.add(conversation)
                    count += 1
        except FileRefused as refusal:
            return FileOutcome(name=file.name, verdict=Verdict.REFUSED, words=refusal.words)
        return summed_up(file.name, count, self.error_count - errors, repairs)

    def _read(self, line: Line, name: str, repairs: "Repairs") -> Conversation | None:
        try:
            found = rules.read(parsed(line), at=f"{name}:{line.number}")
        except Unreadable as reason:
            self.error_count += 1
            if len(self.errors) < ERRORS:
                self.errors.append(LineError(file=name, line=line.number, turn=reason.turn, words=reason.words))
            return None
        self.formats.add(found.format)
        repairs.add(*found.repairs)
        conversation = found.conversation
        unique = self._ids.unique(conversation.conversation_id)
        if unique == conversation.conversation_id:
            return conversation
        repairs.add("numbered an id that came twice")
        return conversation.but(conversation_id=unique)

    def _progress(self, size: int) -> None:
        before = self._done // MEGABYTE
        self._done = min(self._done + size + 1, self._total)
        if self._done // MEGABYTE == before:
            return
        if self._channel.stopping():
            raise IntakeStopped("The intake was stopped; nothing was taken.")
        self._channel.send(Progressed(done=self._done // MEGABYTE, total=-(-self._total // MEGABYTE)))


class Ids:
    """The ids that were given so far, none of them twice."""

    def __init__(self) -> None:
        self._given: set[bytes] = set()
        self._copies: Counter[bytes] = Counter()

    def unique(self, name: str) -> str:
        """Return an id as it is, or with a number when it was given before."""
        key, unique = digest(name), name
        while (given := digest(unique)) in self._given:
            self._copies[key] += 1
            unique = f"{name}-{self._copies[key] + 1}"
        self._given.add(given)
        return unique


class Repairs:
    """What was repaired in one file, in words, and how often."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, *repairs: str) -> None:
        """Count some; whoever has more kinds than anybody would read gets the rest as one."""
        for repair in repairs:
            known = repair in self._counts or len(self._counts) < REPAIRS
            self._counts[repair if known else "made other repairs"] += 1

    def __iter__(self) -> Iterator[str]:
        for repair, count in self._counts.items():
            yield repair if count == 1 else f"{repair} ({count:,} times)"


def digest(name: str) -> bytes:
    """Return eight bytes that stand for an id."""
    return hashlib.blake2b(name.encode(), digest_size=8).digest()


def parsed(line: Line) -> object:
    """Return the value of one record.

    Raises:
        Unreadable: It is too long, or no JSON.
    """
    if line.fault:
        raise Unreadable(line.fault)
    try:
        return orjson.loads(line.content)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("str is not valid UTF-8"):
            raise Unreadable("This is no UTF-8 text.") from None
        raise Unreadable(f"This is no JSON: {error.msg} (column {error.colno}).") from None


def summed_up(name: str, count: int, errors: int, repairs: Iterable[str]) -> FileOutcome:
    """Return the outcome of a file that was read to its end."""
    if not count:
        why = "There is no conversation in it" + (f": {errors:,} cannot be read." if errors else ".")
        return FileOutcome(name=name, verdict=Verdict.REFUSED, words=why)
    lost = [f"left out {errors:,} that cannot be read"] if errors else []
    done = [*lost, *repairs]
    words = f"{count:,} {'conversation' if count == 1 else 'conversations'} taken"
    verdict = Verdict.REPAIRED if done else Verdict.TAKEN
    return FileOutcome(name=name, verdict=verdict, words=f"{'; '.join([words, *done])}.")


def examined(parts: Iterable[Path], counter: tokens.Counter) -> Examined:
    """Look at the conversations of a dataset, part after part."""
    counts, lengths = Counter[str](), TokenCount(estimated=not counter.exact)
    errors: list[LineError] = []
    flagged: list[LineError] = []
    samples: list[str] = []
    said: set[bytes] = set()
    count = 0
    for part in parts:
        texts: list[str] = []
        for conversation in stored(part):
            counted = rules.counted(conversation)
            counts.update(counted)
            if counted["faults"] and len(errors) < ERRORS:
                errors += places(conversation, rules.faults(conversation))
            if (counted["emails"] or counted["secrets"]) and len(flagged) < ERRORS:
                flagged += places(conversation, rules.flags(conversation))
            if len(samples) < SAMPLES:
                samples.append(sample(conversation))
            said.add(rules.fingerprint(conversation)[:8])
            texts += [turn.content for turn in conversation.turns]
            count += 1
        lengths = measured(lengths, counter.count(texts))
    return Examined(
        count=count,
        facts=PartFacts(**counts, tokens=lengths.total),
        tokens=lengths,
        errors=tuple(errors[:ERRORS]),
        flagged=tuple(flagged[:ERRORS]),
        samples=tuple(samples),
        duplicates=count - len(said),
    )


def places(conversation: Conversation, found: Iterable[tuple[int, str]]) -> Iterator[LineError]:
    """Say of every turn that something is found in where it came from."""
    file, _, line = conversation.at.rpartition(":")
    for turn, words in found:
        yield LineError(file=file, line=int(line), turn=turn, words=words)


def sample(conversation: Conversation) -> str:
    """Return how a conversation begins, a line for each turn."""
    text = "\n".join(f"{turn.role}: {turn.content[:SAMPLE]}" for turn in conversation.turns[:SAMPLE])
    return text if len(text) <= SAMPLE else f"{text[: SAMPLE - 1]}…"


def measured(before: TokenCount, lengths: Sequence[int]) -> TokenCount:
    """Return the count with more texts of these lengths."""
    if not lengths:
        return before
    return TokenCount(
        shortest=min(*lengths, before.shortest) if before.texts else min(lengths),
        longest=max(*lengths, before.longest),
        total=before.total + sum(lengths),
        texts=before.texts + len(lengths),
        estimated=before.estimated,
    )


def mend(part: Path, out: Path) -> Mended:
    """Write a part anew with the roles of its conversations in order; those with nothing to learn are dropped."""
    portion, dropped = Portion(), 0
    for conversation in stored(part):
        if mended := rules.mended(conversation):
            portion.add(mended)
        else:
            dropped += 1
    written = portion.written(out)
    return Mended(count=written.count, facts=written.facts, dropped=dropped)
