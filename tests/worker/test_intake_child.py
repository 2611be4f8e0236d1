import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from core.domain.value import Value
from core.kinds.intake import Verdict
from tests.worker.pictures import (
    a_picture,
    a_png,
    a_rotated_photo,
    a_zip,
    encoded,
    stored,
)
from worker.adapters import media
from worker.adapters.archives import RawFile
from worker.adapters.unpacking import FileOutcome, IntakeStopped, IntakeTask, Progressed, Taken, Unpacking
from worker.child import Child

UNPACKING = "worker.adapters.unpacking:Unpacking"
TAKEN, REPAIRED, REFUSED = Verdict.TAKEN, Verdict.REPAIRED, Verdict.REFUSED


class Listener:
    """A channel that keeps what it hears, and stops after so many events."""

    def __init__(self, *, patience: int = 1_000) -> None:
        self.events: list[Value] = []
        self._patience = patience

    def send(self, event: Value) -> None:
        self.events.append(event)

    def stopping(self) -> bool:
        return len(self.events) >= self._patience


def a_task(folder: Path, files: Sequence[tuple[str, bytes]]) -> IntakeTask:
    (folder / "raw").mkdir()
    (folder / "out").mkdir()
    raws = (
        RawFile(path=stored(folder / "raw", content, str(number)), name=name)
        for number, (name, content) in enumerate(files)
    )
    return IntakeTask(files=tuple(raws), out=folder / "out")


def take(folder: Path, *files: tuple[str, bytes]) -> Taken:
    return Unpacking().take(a_task(folder, files), Listener())


def outcome(name: str, verdict: Verdict, words: str, *inside: FileOutcome) -> FileOutcome:
    return FileOutcome(name=name, verdict=verdict, words=words, inside=inside)


PNGS = [encoded(a_picture(seed=seed)) for seed in range(5)]


def test_good_and_bad_files_each_get_a_verdict(tmp_path: Path) -> None:
    taken = take(
        tmp_path,
        ("one.png", PNGS[0]),
        ("one.txt", "\ufeffzorp, smiling".encode()),
        ("photo.jpg", a_rotated_photo()),
        ("again.png", PNGS[0]),
        ("cut.png", PNGS[1][:900]),
        ("bomb.png", a_png(50_000, 50_000)),
        ("notes.docx", b"\xd0\xcf\x11\xe0 a document"),
        ("two.png", PNGS[2]),
        ("two.caption", "zorp".encode("utf-16")),
        ("lonely.txt", b"nobody"),
        ("set.zip", a_zip({"../evil.png": PNGS[3]})),
    )
    assert taken.outcomes == (
        outcome("one.png", TAKEN, "Taken with its caption."),
        outcome("photo.jpg", REPAIRED, "Removed its metadata; turned it upright."),
        outcome("again.png", REFUSED, "It is the same picture as «one.png», which was taken."),
        outcome("cut.png", REFUSED, media.DAMAGED),
        outcome("bomb.png", REFUSED, media.TOO_LARGE),
        outcome("notes.docx", REFUSED, media.UNREADABLE),
        outcome("two.png", REPAIRED, "Left out the caption: its caption is not UTF-8 text."),
        outcome("lonely.txt", REFUSED, "No picture of the same name came with this caption. Send both together."),
        outcome(
            "set.zip",
            REFUSED,
            "«../evil.png» in the archive points out of the archive. Make a plain one without it and send that.",
        ),
    )
    assert [(each.name, each.caption, each.media_type) for each in taken.pictures] == [
        ("one.png", "zorp, smiling", "image/png"),
        ("photo.jpg", None, "image/jpeg"),
        ("two.png", None, "image/png"),
    ]


def test_archives_are_taken_apart_with_their_captions(tmp_path: Path) -> None:
    kohya = {"zorp/10_zorp triangle/01.png": PNGS[0], "zorp/10_zorp triangle/01.txt": b"zorp, left"}
    taken = take(
        tmp_path,
        ("kohya.zip", a_zip(kohya)),
        ("mixed.zip", a_zip({"a.png": PNGS[0], "b.png": PNGS[1], "readme.md": b"hello"})),
        ("empty.zip", a_zip({})),
        ("junk.zip", a_zip({"readme.md": b"hello"})),
        ("loose.png", PNGS[2]),
    )
    twin = "It is the same picture as «zorp/10_zorp triangle/01.png», which was taken."
    assert taken.outcomes == (
        outcome("loose.png", TAKEN, "Taken."),
        outcome(
            "kohya.zip",
            TAKEN,
            "1 of 1 files taken.",
            outcome("zorp/10_zorp triangle/01.png", TAKEN, "Taken with its caption."),
        ),
        outcome(
            "mixed.zip",
            REPAIRED,
            "1 of 3 files taken.",
            outcome("a.png", REFUSED, twin),
            outcome("b.png", TAKEN, "Taken."),
            outcome("readme.md", REFUSED, media.UNREADABLE),
        ),
        outcome("empty.zip", REFUSED, "There is no picture in the archive."),
        outcome("junk.zip", REFUSED, "0 of 1 files taken.", outcome("readme.md", REFUSED, media.UNREADABLE)),
    )
    assert [(each.name, each.caption) for each in taken.pictures] == [
        ("loose.png", None),
        ("zorp/10_zorp triangle/01.png", "zorp, left"),
        ("b.png", None),
    ]


def test_the_out_folder_holds_the_pictures_and_the_sheet_and_nothing_else(tmp_path: Path) -> None:
    taken = take(tmp_path, ("set.zip", a_zip({"a.png": PNGS[0], "b.png": PNGS[1]})), ("bad.zip", a_zip({"/x": b""})))
    assert taken.contact_sheet == tmp_path / "out" / "contact-sheet.png"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "contact-sheet.png",
        *(f"{picture.sha256}.png" for picture in taken.pictures),
    }
    assert all(stat.S_ISREG(picture.path.lstat().st_mode) for picture in taken.pictures)


def test_without_pictures_there_is_no_sheet(tmp_path: Path) -> None:
    assert take(tmp_path) == Taken(outcomes=(), pictures=(), contact_sheet=None)


def test_progress_counts_the_pictures_of_archives_too(tmp_path: Path) -> None:
    task = a_task(tmp_path, [("a.png", PNGS[0]), ("a.txt", b"x"), ("s.zip", a_zip({"b.png": PNGS[1], "c.png": b""}))])
    listener = Listener()
    Unpacking().take(task, listener)
    assert listener.events == [Progressed(done=done, total=3) for done in (1, 2, 3)]


def test_asked_to_stop_nothing_more_is_taken(tmp_path: Path) -> None:
    task = a_task(tmp_path, [("a.png", PNGS[0]), ("b.png", PNGS[1]), ("c.png", PNGS[2])])
    listener = Listener(patience=2)
    with pytest.raises(IntakeStopped):
        Unpacking().take(task, listener)
    assert len(listener.events) == 2


async def test_an_intake_in_its_limited_child(tmp_path: Path) -> None:
    task = a_task(tmp_path, [("one.png", PNGS[0]), ("bomb.png", a_png(50_000, 50_000)), ("two.png", PNGS[1])])
    events: list[Value] = []

    async def hear(event: Value) -> None:
        events.append(event)

    async with Child(UNPACKING, memory=2 * 2**30, seconds=60) as child:
        taken: Taken = await child.call("take", task, on_event=hear)
    assert [each.verdict for each in taken.outcomes] == [TAKEN, REFUSED, TAKEN]
    assert len(taken.pictures) == len(events) - 1 == 2


async def test_a_picture_that_needs_more_memory_than_allowed_is_refused_and_the_next_is_taken(tmp_path: Path) -> None:
    large = encoded(Image.new("RGB", (7900, 8000), "teal"))
    task = a_task(tmp_path, [("large.png", large), ("one.png", PNGS[0])])
    async with Child(UNPACKING, memory=384 * 2**20, seconds=60) as child:
        taken: Taken = await child.call("take", task)
    assert taken.outcomes == (
        outcome("large.png", REFUSED, media.TOO_HUNGRY),
        outcome("one.png", TAKEN, "Taken."),
    )
