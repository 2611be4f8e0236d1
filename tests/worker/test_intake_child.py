import stat
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from PIL import Image

from core.domain.dataset import Kind
from core.domain.quota import Usage
from core.domain.value import Value
from core.kinds.intake import FileOutcome, Verdict
from tests.worker.pictures import (
    a_picture,
    a_png,
    a_rotated_photo,
    a_zip,
    encoded,
    stored,
)
from worker.adapters import media, unpacking
from worker.adapters.archives import RawFile
from worker.adapters.progress import IntakeStopped, Progressed
from worker.adapters.unpacking import IntakeTask, Taken, Unpacking
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

    def wishes(self) -> tuple[Value, ...]:
        return ()


def a_task(folder: Path, files: Sequence[tuple[str, bytes]]) -> IntakeTask:
    (folder / "raw").mkdir(parents=True)
    (folder / "out").mkdir()
    raws = (
        RawFile(path=stored(folder / "raw", content, str(number)), name=name)
        for number, (name, content) in enumerate(files)
    )
    return IntakeTask(files=tuple(raws), out=folder / "out", dataset="zorp")


def take(folder: Path, *files: tuple[str, bytes]) -> Taken:
    return Unpacking().take(a_task(folder, files), Listener())


def outcome(name: str, verdict: Verdict, words: str = "") -> FileOutcome:
    return FileOutcome(name=name, verdict=verdict, words=words)


def said(*contents: str) -> bytes:
    """Return conversations as a file."""
    lines = (
        {
            "conversation_id": content,
            "turns": [{"role": "user", "content": content}, {"role": "assistant", "content": "Zorp."}],
        }
        for content in contents
    )
    return b"\n".join(map(orjson.dumps, lines))


PNGS = [encoded(a_picture(seed=seed)) for seed in range(5)]
LONELY = "No picture of the same name came with this caption. Send both together."
FOR_OTHERS = "Dataset «zorp» holds {kind}: {other} need a dataset of their own. Make one with `dataset new`."
NO_TALK = FOR_OTHERS.format(kind="pictures", other="conversations")
NO_SHOW = FOR_OTHERS.format(kind="conversations", other="pictures")


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
        ("two.caption", "zorp".encode("utf-16-le")),
        ("lonely.txt", b"nobody"),
        ("set.zip", a_zip({"../evil.png": PNGS[3]})),
    )
    assert taken.outcomes == (
        outcome("one.png", TAKEN),
        outcome("photo.jpg", REPAIRED, "Removed its metadata; turned it upright."),
        outcome("again.png", REFUSED, "It is the same picture as «one.png», which was taken."),
        outcome("cut.png", REFUSED, media.DAMAGED),
        outcome("bomb.png", REFUSED, media.TOO_LARGE),
        outcome("notes.docx", REFUSED, media.UNREADABLE),
        outcome("two.png", REPAIRED, "Left out its caption, which is not UTF-8 text."),
        outcome("lonely.txt", REFUSED, LONELY),
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
        outcome("loose.png", TAKEN),
        outcome("kohya.zip", TAKEN, "1 of 1 files taken."),
        outcome("zorp/10_zorp triangle/01.png", TAKEN),
        outcome("mixed.zip", REPAIRED, "1 of 3 files taken."),
        outcome("a.png", REFUSED, twin),
        outcome("b.png", TAKEN),
        outcome("readme.md", REFUSED, media.UNREADABLE),
        outcome("empty.zip", REFUSED, "There is nothing in the archive."),
        outcome("junk.zip", REFUSED, "0 of 1 files taken."),
        outcome("readme.md", REFUSED, media.UNREADABLE),
    )
    assert [(each.name, each.caption, each.metadata) for each in taken.pictures] == [
        ("loose.png", None, {}),
        ("zorp/10_zorp triangle/01.png", "zorp, left", {"repeats": "10"}),
        ("b.png", None, {}),
    ]


@pytest.mark.parametrize(
    ("files", "source_format"),
    [
        ({"a.png": PNGS[0]}, "pictures"),
        ({"a.png": PNGS[0], "a.txt": b"zorp"}, "sidecars"),
        ({"a.png": PNGS[0], "k.zip": a_zip({"10_zorp/b.png": PNGS[1], "10_zorp/b.txt": b"zorp"})}, "kohya"),
        (
            {
                "k.zip": a_zip({"10_zorp/b.png": PNGS[1]}),
                "i.zip": a_zip({"c.png": PNGS[2], "metadata.csv": b"file_name,text\nc.png,zorp"}),
            },
            "imagefolder",
        ),
    ],
)
def test_the_format_is_what_tells_most(tmp_path: Path, files: dict[str, bytes], source_format: str) -> None:
    assert take(tmp_path, *files.items()).source_format == source_format


def test_the_out_folder_holds_the_pictures_and_nothing_else(tmp_path: Path) -> None:
    taken = take(tmp_path, ("set.zip", a_zip({"a.png": PNGS[0], "b.png": PNGS[1]})), ("bad.zip", a_zip({"/x": b""})))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"{one.sha256}.png" for one in taken.pictures}
    assert all(stat.S_ISREG(picture.path.lstat().st_mode) for picture in taken.pictures)


def test_nothing_comes_of_nothing(tmp_path: Path) -> None:
    assert take(tmp_path) == Taken()


def test_many_threads_come_to_what_one_does(tmp_path: Path) -> None:
    files = [(f"{number}.png", PNGS[number % 5] if number % 7 else b"bad") for number in range(40)]
    one, many = (a_task(folder, files) for folder in (tmp_path / "one", tmp_path / "many"))
    alone, together = (Unpacking().take(task, Listener()) for task in (one, many.but(threads=4)))
    assert together.outcomes == alone.outcomes
    assert [picture.sha256 for picture in together.pictures] == [picture.sha256 for picture in alone.pictures]


def test_pictures_win_over_conversations_in_a_new_dataset(tmp_path: Path) -> None:
    taken = take(
        tmp_path, ("talk.jsonl", said("Who?")), ("set.zip", a_zip({"a.png": PNGS[0], "b.jsonl": said("What?")}))
    )
    assert taken.outcomes == (
        outcome("talk.jsonl", REFUSED, NO_TALK),
        outcome("set.zip", REPAIRED, "1 of 2 files taken."),
        outcome("a.png", TAKEN),
        outcome("b.jsonl", REFUSED, NO_TALK),
    )
    assert (len(taken.pictures), taken.portions) == (1, ())


def test_conversations_are_taken_from_archives_too_and_bad_pictures_do_not_win(tmp_path: Path) -> None:
    archive = a_zip({"deep/b.jsonl": said("Why?", "How?"), "cut.png": PNGS[0][:900]})
    taken = take(tmp_path, ("a.jsonl", said("Who?")), ("set.zip", archive), ("c.jsonl", b"nonsense"))
    assert [(one.name, one.verdict) for one in taken.outcomes] == [
        ("a.jsonl", TAKEN),
        ("c.jsonl", REFUSED),
        ("set.zip", REPAIRED),
        ("cut.png", REFUSED),
        ("deep/b.jsonl", TAKEN),
    ]
    assert sum(portion.count for portion in taken.portions) == 3
    assert [(error.file, error.line) for error in taken.errors] == [("c.jsonl", 1)]


def test_a_dataset_keeps_its_kind(tmp_path: Path) -> None:
    files = [("a.png", PNGS[0]), ("a.txt", b"zorp"), ("b.jsonl", said("Who?"))]
    talking, showing = (a_task(tmp_path / name, files) for name in ("talking", "showing"))
    talk = Unpacking().take(talking.but(kind=Kind.CONVERSATIONS), Listener())
    show = Unpacking().take(showing.but(kind=Kind.IMAGES), Listener())
    assert [one.words for one in talk.outcomes if one.verdict is REFUSED] == [NO_SHOW]
    assert [one.words for one in show.outcomes if one.verdict is REFUSED] == [NO_TALK]
    assert (len(talk.pictures), len(talk.portions), len(show.pictures), len(show.portions)) == (0, 1, 1, 0)


def test_what_does_not_fit_is_refused_one_by_one(tmp_path: Path) -> None:
    large = encoded(a_picture(seed=9, size=(200, 200)))
    files = [(f"{number}.png", png) for number, png in enumerate((PNGS[0], large, PNGS[0], PNGS[2]))]
    by_items, by_bytes = (a_task(tmp_path / name, files) for name in ("items", "bytes"))
    few = Unpacking().take(by_items.but(room=Usage(bytes=10**9, items=1)), Listener())
    small = Unpacking().take(by_bytes.but(room=Usage(bytes=len(PNGS[0]) + len(PNGS[2]), items=9)), Listener())
    assert [one.words == unpacking.FULL for one in few.outcomes] == [False, True, False, True]
    assert [one.words == unpacking.FULL for one in small.outcomes] == [False, True, False, False]
    assert len(list(by_items.out.iterdir())) == len(few.pictures) == 1
    assert len(list(by_bytes.out.iterdir())) == len(small.pictures) == 2


def test_conversations_that_do_not_fit_are_refused_portion_by_portion(tmp_path: Path) -> None:
    lines = said(*(f"Question {number}?" for number in range(4_100)))
    task = a_task(tmp_path, [("a.jsonl", lines)]).but(room=Usage(bytes=10**9, items=2_100))
    taken = Unpacking().take(task, Listener())
    assert [portion.count for portion in taken.portions] == [2_000, 100]
    assert sorted(task.out.iterdir()) == sorted(portion.path for portion in taken.portions)
    (left,) = taken.outcomes[1:]
    assert (left.verdict, left.words) == (REFUSED, f"2,000 conversations were left out. {unpacking.FULL}")


def test_captions_of_one_upload_have_bounds_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_TEXT", 60)
    files = [(f"{number}{suffix}", content) for number in range(3) for suffix, content in ((".png", PNGS[number]),)]
    texts = [(f"{number}.txt", b"zorp " * 6) for number in range(3)]
    taken = take(tmp_path, *files, *texts)
    assert [picture.caption is None for picture in taken.pictures] == [False, True, True]
    assert taken.outcomes[1].words == f"L{unpacking.WORDY[1:]}."


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


async def test_a_picture_that_needs_more_memory_than_allowed_is_refused_and_the_next_is_taken(tmp_path: Path) -> None:
    large = encoded(Image.new("L", (7900, 8000), "gray"))
    task = a_task(tmp_path, [("large.png", large), ("one.png", PNGS[0])])
    events: list[Value] = []

    async def hear(event: Value) -> None:
        events.append(event)

    async with Child(UNPACKING, memory=384 * 2**20, seconds=60) as child:
        taken: Taken = await child.call("take", task, on_event=hear)
    assert taken.outcomes == (outcome("large.png", REFUSED, media.TOO_HUNGRY), outcome("one.png", TAKEN))
    assert events == [Progressed(done=done, total=2) for done in (1, 2)]
