"""What the limited intake child does: turn raw uploads into clean pictures, with a verdict on every file."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from core.domain.value import Value
from core.kinds.intake import Verdict
from worker.adapters import archives, media, sheets
from worker.adapters.archives import ArchiveRefused, CaptionRefused, RawFile
from worker.adapters.media import CleanPicture, PictureRefused
from worker.channel import Channel, TaskFailed

NO_PICTURE = "No picture of the same name came with this caption. Send both together."


class IntakeTask(Value):
    """Take these files; write clean pictures and the contact sheet into the folder `out`, which exists."""

    files: tuple[RawFile, ...]
    out: Path


class Progressed(Value):
    """Pictures judged so far, those in archives included."""

    done: int
    total: int


class FileOutcome(Value):
    """A verdict on one file and why, in words for its owner; an archive has an outcome for each file in it."""

    name: str
    verdict: Verdict
    words: str
    inside: tuple["FileOutcome", ...] = ()


class TakenPicture(CleanPicture):
    """A clean picture with the name its owner knows it by, and its sidecar's caption."""

    name: str
    caption: str | None


class Taken(Value):
    """The outcomes, loose files before archives, the pictures, and the sheet that numbers them, if there are any."""

    outcomes: tuple[FileOutcome, ...]
    pictures: tuple[TakenPicture, ...]
    contact_sheet: Path | None


class IntakeStopped(TaskFailed):
    """The parent asked for an end; nothing was taken."""

    code = "intake_stopped"


class Unpacking:
    """The object that an intake child holds."""

    def take(self, task: IntakeTask, channel: Channel) -> Taken:
        """Judge every file; a bad one is refused in its outcome and disturbs no other.

        Raises:
            IntakeStopped: The parent asked for an end.
        """
        zips = tuple(file for file in task.files if archives.is_zip(file.path))
        loose = tuple(file for file in task.files if file not in zips)
        with tempfile.TemporaryDirectory(dir=task.out) as folder:
            opened = [opened_or_refused(file, Path(folder) / str(number)) for number, file in enumerate(zips)]
            bundles = [loose, *(inside for inside in opened if not isinstance(inside, FileOutcome))]
            total = sum(not archives.is_sidecar(file) for bundle in bundles for file in bundle)
            intake = Intake(task.out, channel, total)
            outcomes = intake.judge(loose) + tuple(
                inside if isinstance(inside, FileOutcome) else summed_up(file, intake.judge(inside))
                for file, inside in zip(zips, opened, strict=True)
            )
        pictures = tuple(intake.pictures.values())
        paths = [picture.path for picture in pictures]
        sheet = sheets.contact_sheet(paths, task.out / "contact-sheet.png") if paths else None
        return Taken(outcomes=outcomes, pictures=pictures, contact_sheet=sheet)


class Intake:
    """The pictures taken so far, by sha256, and the count of those judged."""

    def __init__(self, out: Path, channel: Channel, total: int) -> None:
        self.pictures: dict[str, TakenPicture] = {}
        self._out = out
        self._channel = channel
        self._total = total
        self._done = 0

    def judge(self, bundle: Sequence[RawFile]) -> tuple[FileOutcome, ...]:
        """Take the pictures of one bundle with their sidecars, and return a verdict on each picture and lone sidecar.

        Raises:
            IntakeStopped: The parent asked for an end.
        """
        pairs, alone = archives.paired(bundle)
        outcomes = []
        for file, sidecar in pairs:
            if self._channel.stopping():
                raise IntakeStopped("The intake was stopped; nothing was taken.")
            outcomes.append(self._judge(file, sidecar))
            self._done += 1
            self._channel.send(Progressed(done=self._done, total=self._total))
        return (*outcomes, *(refused(sidecar, NO_PICTURE) for sidecar in alone))

    def _judge(self, file: RawFile, sidecar: RawFile | None) -> FileOutcome:
        try:
            picture = media.clean(file.path, self._out)
        except PictureRefused as refusal:
            return refused(file, refusal.words)
        if twin := self.pictures.get(picture.sha256):
            return refused(file, f"It is the same picture as «{archives.shown(twin.name)}», which was taken.")
        caption, repairs = None, picture.repairs
        try:
            caption = archives.caption_in(sidecar) if sidecar else None
        except CaptionRefused as refusal:
            repairs = (*repairs, f"left out the caption: {refusal.words}")
        self.pictures[picture.sha256] = TakenPicture(**dict(picture), name=file.name, caption=caption)
        if repairs:
            words = "; ".join(repairs)
            return FileOutcome(name=file.name, verdict=Verdict.REPAIRED, words=f"{words[0].upper()}{words[1:]}.")
        words = "Taken with its caption." if caption else "Taken."
        return FileOutcome(name=file.name, verdict=Verdict.TAKEN, words=words)


def opened_or_refused(file: RawFile, out: Path) -> tuple[RawFile, ...] | FileOutcome:
    """Return what is in a zip, or its refusal."""
    try:
        return archives.unpack(file.path, out)
    except ArchiveRefused as refusal:
        return refused(file, refusal.words)


def refused(file: RawFile, words: str) -> FileOutcome:
    """Return the outcome of a file that gave nothing."""
    return FileOutcome(name=file.name, verdict=Verdict.REFUSED, words=words)


def summed_up(archive: RawFile, inside: tuple[FileOutcome, ...]) -> FileOutcome:
    """Return an archive's outcome: refused without a single picture, taken when each of its files was."""
    if not inside:
        return refused(archive, "There is no picture in the archive.")
    count = sum(outcome.verdict is not Verdict.REFUSED for outcome in inside)
    verdicts = {outcome.verdict for outcome in inside}
    verdict = verdicts.pop() if len(verdicts) == 1 else Verdict.REPAIRED
    words = f"{count} of {len(inside)} files taken."
    return FileOutcome(name=archive.name, verdict=verdict, words=words, inside=inside)
