import errno
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.worker.pictures import a_zip, a_zip_with_a_link, locked, shrunk_on_paper, stored
from worker.adapters import archives
from worker.adapters.archives import ArchiveRefused, CaptionRefused, RawFile, caption_in, is_zip, paired, unpack


def unpacked(folder: Path, content: bytes) -> Mapping[str, bytes]:
    return {raw.name: raw.path.read_bytes() for raw in unpack(stored(folder, content), folder / "out")}


def refusal(folder: Path, content: bytes) -> str:
    with pytest.raises(ArchiveRefused) as refused:
        unpack(stored(folder, content), folder / "out")
    assert [path.name for path in folder.iterdir()] == ["raw"]
    return refused.value.words


def test_files_come_out_under_numbers_and_the_junk_of_desktops_stays(tmp_path: Path) -> None:
    files = {"zorp/10_zorp triangle/01.png": b"one", "zorp\\02.PNG": b"two", "été.txt": b"three", "leer/": b""}
    junk = {"__MACOSX/zorp/._01.png": b"x", "zorp/.DS_Store": b"x", "Thumbs.db": b"x", "zorp/._02.zip": b"x"}
    content = a_zip(files | junk)
    assert unpacked(tmp_path, content) == {
        "zorp/10_zorp triangle/01.png": b"one",
        "zorp/02.PNG": b"two",
        "été.txt": b"three",
    }
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["00000", "00001", "00002"]


def test_an_empty_zip_holds_nothing(tmp_path: Path) -> None:
    assert unpacked(tmp_path, a_zip({})) == {}


@pytest.mark.parametrize(
    ("content", "name", "fault"),
    [
        (a_zip({"a.png": b"", "../evil.png": b""}), "../evil.png", "points out of the archive"),
        (a_zip({"a/b/../../../evil.png": b""}), "a/b/../../../evil.png", "points out of the archive"),
        (a_zip({"..\\evil.png": b""}), "../evil.png", "points out of the archive"),
        (a_zip({"/etc/passwd": b""}), "/etc/passwd", "has an absolute name"),
        (a_zip({"C:\\evil.png": b""}), "C:/evil.png", "has an absolute name"),
        (a_zip({"a\x1b[31m.png": b""}), "a\ufffd[31m.png", "has an unprintable name"),
        (a_zip_with_a_link("a.png", "/etc/passwd"), "a.png", "is a link or a device"),
        (locked(a_zip({"a.png": b"secret"})), "a.png", "needs a password"),
        (a_zip({"a.png": b"x" * 99}, compression=zipfile.ZIP_LZMA), "a.png", "is compressed in an unusual way"),
        (a_zip({"deep/more.ZIP": b""}), "deep/more.ZIP", "is an archive itself"),
        (a_zip({"more.png": a_zip({"a.png": b""})}), "more.png", "is an archive itself"),
        (a_zip({"more.png": b"\x1f\x8b\x08 gzip"}), "more.png", "is an archive itself"),
        (a_zip({"set/A.png": b"", "set/a.PNG": b""}), "set/a.PNG", "comes twice"),
    ],
    ids=lambda value: value if isinstance(value, str) else "zip",
)
def test_an_unsafe_entry_condemns_the_archive_and_is_named(
    tmp_path: Path, content: bytes, name: str, fault: str
) -> None:
    words = refusal(tmp_path, content)
    assert words.startswith(f"«{name}» in the archive {fault}")


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04 and no more",
        a_zip({"a.png": b"x" * 5000})[:-30],
        a_zip({"a.png": b"original"}, compression=zipfile.ZIP_STORED).replace(b"original", b"changed!"),
        shrunk_on_paper(a_zip({"a.png": b"x" * 5000}), 10),
    ],
    ids=["beginning only", "end missing", "content changed", "size understated"],
)
def test_a_damaged_or_lying_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content) == "The archive is damaged or cut off. Make it anew and send that."


def test_a_bomb_is_stopped_while_it_unfolds(tmp_path: Path) -> None:
    bomb = a_zip({"small.txt": b"hello", "bomb.png": bytes(200_000_000)})
    assert len(bomb) < 250_000
    assert refusal(tmp_path, bomb).startswith("At «bomb.png» the archive outgrows 19,")


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    words = refusal(tmp_path, a_zip({f"{number}.png": b"" for number in range(10_001)}))
    assert words == "The archive has 10,001 entries, at most 10,000 are taken. Split it."


def test_no_archive_unfolds_to_more_than_two_gigabytes(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(500 * 2**20)
    assert archives.total_limit(large) == 2 * 2**30
    assert archives.total_limit(stored(tmp_path, bytes(50))) == 5000


def test_a_full_disk_is_no_fault_of_the_archive(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(OSError, match="File exists") as failed:
        unpack(stored(tmp_path, a_zip({})), tmp_path / "out")
    assert failed.value.errno == errno.EEXIST


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_gives_files_or_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(a_zip({"a/01.png": b"picture" * 9, "a/01.txt": b"words"}))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path / "out"
    try:
        raws = unpack(stored(tmp_path, bytes(content)), folder)
    except ArchiveRefused:
        event("refused")
        assert not folder.exists()
    else:
        event("unpacked")
        assert sorted(folder.iterdir()) == sorted(raw.path for raw in raws)
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def test_a_zip_is_known_by_its_beginning(tmp_path: Path) -> None:
    content = a_zip({"a": b""})
    assert [is_zip(stored(tmp_path, each)) for each in (content, a_zip({}), b"GIF89a" + content, b"")] == [
        True,
        True,
        False,
        False,
    ]


def files(*names: str) -> tuple[RawFile, ...]:
    return tuple(RawFile(path=Path(str(number)), name=name) for number, name in enumerate(names))


def pairing(*names: str) -> tuple[dict[str, str | None], list[str]]:
    pairs, alone = paired(files(*names))
    return {file.name: sidecar.name if sidecar else None for file, sidecar in pairs}, [
        sidecar.name for sidecar in alone
    ]


@pytest.mark.parametrize("parent", ["", "zorp/", "zorp/10_zorp triangle/"])
def test_sidecars_are_paired_within_their_folder(parent: str) -> None:
    names = [f"{parent}{name}" for name in ("01.PNG", "01.txt", "02.jpg", "02.Caption", "03.png", "04.txt")]
    pairs, alone = pairing(*names, "elsewhere/03.txt")
    assert pairs == {names[0]: names[1], names[2]: names[3], names[4]: None}
    assert alone == [names[5], "elsewhere/03.txt"]


def test_a_text_goes_before_a_caption_and_serves_every_picture_of_its_stem() -> None:
    assert pairing("a.caption", "a.txt", "a.png", "a.jpg") == ({"a.png": "a.txt", "a.jpg": "a.txt"}, ["a.caption"])


def test_names_without_a_suffix_are_their_own_stem() -> None:
    assert pairing("v1.5/picture", "v1.txt", ".txt") == ({"v1.5/picture": None}, ["v1.txt", ".txt"])


@pytest.mark.parametrize(
    ("content", "caption"),
    [
        (b"\xef\xbb\xbfzorp, on \xc3\xa9t\xc3\xa9\r\n", "zorp, on été"),
        (b"two\nlines \t here", "two lines here"),
        (b" \n", None),
        (b"", None),
    ],
)
def test_captions_are_read_on_one_line(tmp_path: Path, content: bytes, caption: str | None) -> None:
    assert caption_in(RawFile(path=stored(tmp_path, content), name="a.txt")) == caption


@pytest.mark.parametrize(
    ("content", "words"),
    [("zorp".encode("utf-16"), "its caption is not UTF-8 text"), (b"x" * 65_537, "its caption is longer than 64 KB")],
)
def test_unreadable_captions_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(CaptionRefused) as refused:
        caption_in(RawFile(path=stored(tmp_path, content), name="a.txt"))
    assert refused.value.words == words
