"""What the limited intake child does: turn raw uploads into pictures or conversations, with a verdict on every file."""

import tempfile
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from core.domain.dataset import Kind
from core.domain.finding import LineError
from core.domain.quota import Usage
from core.domain.value import Value
from core.kinds.intake import FileOutcome, Verdict, mixed
from worker.adapters import archives, conversations, labels, media, tables
from worker.adapters.archives import ArchiveRefused, RawFile
from worker.adapters.labels import Label, Labelled
from worker.adapters.media import CleanPicture, PictureRefused
from worker.adapters.portions import TakenPortion
from worker.adapters.progress import IntakeStopped, Progressed
from worker.channel import Channel

FULL = "It does not fit any more into what you may store. Make room (`dataset delete`, then `dataset purge`)."
NOTHING = "There is nothing in the archive."
NO_ZIP = "Of archives only zips are opened. Pack the files as a zip and send that."
MAX_TEXT = 8 * 2**20  # bytes of names, captions and metadata, because all of them lie in one row
WORDY = "left out its caption: all captions of one upload together are longer than 8 MB"
AHEAD = 2  # pictures for each thread that are cleaned before their turn


class IntakeTask(Value):
    """Take these files into a dataset of this name; write what is clean into the folder `out`, which exists.

    `kind` is what the dataset holds already, `room` what may still come in (None: as much as there is), `threads` how
    many pictures are decoded at a time.
    """

    files: tuple[RawFile, ...]
    out: Path
    dataset: str = ""
    kind: Kind | None = None
    room: Usage | None = None
    threads: int = 1


class TakenPicture(CleanPicture):
    """A clean picture with the name its owner knows it by, its caption, and what else was said of it."""

    name: str
    caption: str | None
    metadata: dict[str, str]


class Taken(Value):
    """The outcomes, loose files before archives, and the pictures or the portions of conversations.

    `errors` are the first lines that could not be read, of `error_count`.
    """

    outcomes: tuple[FileOutcome, ...] = ()
    pictures: tuple[TakenPicture, ...] = ()
    portions: tuple[TakenPortion, ...] = ()
    errors: tuple[LineError, ...] = ()
    error_count: int = 0
    source_format: str = ""


class Bundle(NamedTuple):
    """Files that belong together, the loose ones or those of one archive; or why the archive was refused."""

    archive: RawFile | None
    labelled: Labelled = Labelled()
    conversations: tuple[RawFile, ...] = ()
    refusal: str = ""


class Unpacking:
    """The object that an intake child holds."""

    def take(self, task: IntakeTask, channel: Channel) -> Taken:
        """Judge every file; a bad one is refused in its outcome and disturbs no other.

        The first kind of a dataset stays its only one. Of pictures and conversations for a new one the pictures win.

        Raises:
            IntakeStopped: The parent asked for an end.
        """
        with (
            tempfile.TemporaryDirectory(dir=task.out) as folder,
            ThreadPoolExecutor(task.threads) as pool,
            warnings.catch_warnings(action="ignore"),  # of what decoders forgive
        ):
            bundles = tuple(bundled(task.files, Path(folder)))
            seeing = Seeing(task, channel, pool, total=sum(len(bundle.labelled.pictures) for bundle in bundles))
            seen = [seeing.judge(bundle.labelled) for bundle in bundles]
            pictures = tuple(seeing.pictures.values())
            kind = task.kind or (Kind.IMAGES if pictures else Kind.CONVERSATIONS)
            heard = hear(task.but(kind=kind), [file for bundle in bundles for file in bundle.conversations], channel)
        of_conversations = iter(heard.outcomes)
        outcomes = (
            summed_up(bundle, (*saw, *islice(of_conversations, len(bundle.conversations))))
            for bundle, saw in zip(bundles, seen, strict=True)
        )
        formats = (bundle.labelled.source_format for bundle in bundles if bundle.labelled.pictures)
        return heard.but(
            outcomes=(*chain.from_iterable(outcomes), *of_conversations),
            pictures=pictures,
            source_format=min(formats, key=labels.FORMATS.index) if pictures else heard.source_format,
        )


def bundled(files: Sequence[RawFile], folder: Path) -> Iterator[Bundle]:
    """Sort the loose files, then those of each archive, which are unpacked into the folder."""
    zips = [file for file in files if archives.is_zip(file.path)]
    paths = {file.path for file in zips}
    yield bundle(None, [file for file in files if file.path not in paths])
    unpacked: list[RawFile] = []
    for number, archive in enumerate(zips):
        try:
            inside = archives.unpack(archive.path, folder / str(number), beside=unpacked)
        except ArchiveRefused as refusal:
            yield Bundle(archive, refusal=refusal.words)
        else:
            unpacked += inside
            yield bundle(archive, inside)


def bundle(archive: RawFile | None, files: Sequence[RawFile]) -> Bundle:
    """Tell conversations from everything that has to do with pictures."""
    seen: list[RawFile] = []
    heard: list[RawFile] = []
    for file in files:
        is_heard = conversations.is_conversations(file) and not tables.is_table(file)
        (heard if is_heard else seen).append(file)
    return Bundle(archive, labels.labelled(seen), tuple(heard))


class Seeing:
    """The pictures taken so far, by sha256, and the count of those judged."""

    def __init__(self, task: IntakeTask, channel: Channel, pool: Executor, *, total: int) -> None:
        self.pictures: dict[str, TakenPicture] = {}
        self._task = task
        self._channel = channel
        self._pool = pool
        self._total = total
        self._done = 0
        self._used = Usage()
        self._text = 0

    def judge(self, bundle: Labelled) -> tuple[FileOutcome, ...]:
        """Take the pictures of one bundle with their labels, and return a verdict on each of its files.

        Raises:
            IntakeStopped: The parent asked for an end.
        """
        if self._task.kind is Kind.CONVERSATIONS:
            words = str(mixed(self._task.dataset, Kind.CONVERSATIONS))
            return (*(refused(file, words) for file, _ in bundle.pictures), *bundle.outcomes)
        outcomes = []
        for (file, label), looked in zip(bundle.pictures, self._looked_at(bundle), strict=True):
            if self._channel.stopping():
                raise IntakeStopped("The intake was stopped; nothing was taken.")
            outcomes.append(self._judge(file, label, looked))
            self._done += 1
            self._channel.send(Progressed(done=self._done, total=self._total))
        return (*outcomes, *bundle.outcomes)

    def _looked_at(self, bundle: Labelled) -> Iterator[CleanPicture | PictureRefused]:
        """Clean the pictures in their order, some of them ahead of it."""
        waiting = deque[Future[CleanPicture | PictureRefused]]()
        for file, _ in bundle.pictures:
            waiting.append(self._pool.submit(looked_at, file.path, self._task.out))
            if len(waiting) > AHEAD * self._task.threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _judge(self, file: RawFile, label: Label, looked: CleanPicture | PictureRefused) -> FileOutcome:
        if isinstance(looked, PictureRefused):
            return refused(file, looked.words)
        if twin := self.pictures.get(looked.sha256):
            return refused(file, f"It is the same picture as «{archives.shown(twin.name)}», which was taken.")
        used = self._used + Usage(bytes=looked.bytes, items=1)
        if not fits(used, self._task.room):
            for path in looked.files:
                path.unlink(missing_ok=True)
            return refused(file, FULL)
        self._used = used
        label = self._shortened(file, label)
        facts = dict(looked) | {"repairs": (*looked.repairs, *label.repairs)}
        picture = TakenPicture(**facts, name=file.name, caption=label.caption, metadata=dict(label.metadata))
        self.pictures[picture.sha256] = picture
        words = "; ".join(picture.repairs)
        verdict = Verdict.REPAIRED if words else Verdict.TAKEN
        return FileOutcome(name=file.name, verdict=verdict, words=words and f"{words[0].upper()}{words[1:]}.")

    def _shortened(self, file: RawFile, label: Label) -> Label:
        """The label of a picture, without its texts where there are too many of them."""
        texts = (label.caption or "", *chain.from_iterable(label.metadata.items()))
        size = 2 * len(file.name.encode()) + sum(len(text.encode()) for text in texts)
        if self._text + size > MAX_TEXT and any(texts):
            return Label(repairs=(*label.repairs, WORDY))
        self._text += size
        return label


def looked_at(raw: Path, out: Path) -> CleanPicture | PictureRefused:
    """Return a clean picture, or why there is none."""
    try:
        return media.clean(raw, out)
    except PictureRefused as refusal:
        return PictureRefused(NO_ZIP) if archives.is_archive(raw) else refusal


def hear(task: IntakeTask, files: Sequence[RawFile], channel: Channel) -> Taken:
    """Take conversations, as many portions of them as there is room for.

    Raises:
        IntakeStopped: The parent asked for an end.
    """
    if task.kind is Kind.IMAGES:
        return Taken(outcomes=tuple(refused(file, str(mixed(task.dataset, task.kind))) for file in files))
    taken = conversations.taken(files, task.out, channel)
    portions, used, left = [], Usage(), 0
    for portion in taken.portions:
        more = used + Usage(bytes=portion.path.stat().st_size, items=portion.count)
        if fits(more, task.room):
            portions.append(portion)
            used = more
        else:
            portion.path.unlink()
            left += portion.count
    over = [refused(files[-1], f"{left:,} conversations were left out. {FULL}")] if left else []
    return Taken(**dict(taken) | {"portions": tuple(portions), "outcomes": (*taken.outcomes, *over)})


def fits(used: Usage, room: Usage | None) -> bool:
    """Say whether so much may come in."""
    return room is None or (used.bytes <= room.bytes and used.items <= room.items)


def refused(file: RawFile, words: str) -> FileOutcome:
    """Return the outcome of a file that gave nothing."""
    return FileOutcome(name=file.name, verdict=Verdict.REFUSED, words=words)


def summed_up(bundle: Bundle, inside: Sequence[FileOutcome]) -> tuple[FileOutcome, ...]:
    """Return a bundle's outcomes, that of its archive first: refused without anything, taken when each file was."""
    if bundle.archive is None:
        return tuple(inside)
    if not inside:
        return (refused(bundle.archive, bundle.refusal or NOTHING),)
    verdicts = {outcome.verdict for outcome in inside}
    verdict = verdicts.pop() if len(verdicts) == 1 else Verdict.REPAIRED
    count = sum(outcome.verdict is not Verdict.REFUSED for outcome in inside)
    words = f"{count} of {len(inside)} files taken."
    return (FileOutcome(name=bundle.archive.name, verdict=verdict, words=words), *inside)
