import errno
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.worker.pictures import a_zip, a_zip_with_a_link, locked, shrunk_on_paper, stored
from worker.adapters import archives
from worker.adapters.archives import ArchiveRefused, RawFile, is_zip, unpack


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
        (a_zip({"a" * 252 + ".png": b""}), "a" * 80, "has an endless name"),
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
    bomb = a_zip({"small.txt": b"hello", "bomb.png": bytes(20_000_000)})
    assert len(bomb) < 25_000
    assert refusal(tmp_path, bomb).startswith(f"At «bomb.png» the archive outgrows {100 * len(bomb):,} bytes")


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    words = refusal(tmp_path, a_zip({f"{number}.png": b"" for number in range(10_001)}))
    assert words == "The archive has 10,001 entries, at most 10,000 are taken. Split it."


def test_no_archive_unfolds_to_more_than_two_gigabytes(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(500 * 2**20)
    assert archives.total_limit(large) == 2 * 2**30
    assert archives.total_limit(stored(tmp_path, bytes(50))) == 5000


def test_what_came_beside_an_archive_counts_with_it(tmp_path: Path) -> None:
    beside = (RawFile(path=stored(tmp_path, b"x" * 10, "one"), name="one.png"),) * 9_999
    archive = stored(tmp_path, a_zip({"a.png": b"", "b.png": b""}))
    assert archives.total_limit(archive, beside[:3]) == min(2 * 2**30 - 30, 100 * archive.stat().st_size)
    assert len(unpack(archive, tmp_path / "few", beside=beside[:9_998])) == 2
    with pytest.raises(ArchiveRefused, match="All archives have more than 10,000 entries"):
        unpack(archive, tmp_path / "many", beside=beside)
    assert not (tmp_path / "many").exists()


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
