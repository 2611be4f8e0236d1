import os
from pathlib import Path

import pytest

from bots.chat.reply import Reply
from bots.console import sources
from bots.console.files import saved
from bots.console.sources import CHUNK, LocalFile, local_files
from core.domain.artifact import Artifact
from core.domain.errors import FileTooLarge, FileUnreadable
from core.domain.upload import LIMIT
from core.kinds.intake import Payload
from core.ports.blobs import Blobs
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import in_chunks, somebody
from tests.builders.streaming import streaming


async def read(file: LocalFile) -> list[bytes]:
    async with file.open() as chunks:
        return [chunk async for chunk in chunks]


async def test_a_file_comes_in_chunks(tmp_path: Path) -> None:
    content = os.urandom(CHUNK + 10)
    path = tmp_path / "a.png"
    path.write_bytes(content)

    (file,) = await local_files([str(path)])

    assert file.name == "a.png"
    assert await read(file) == [content[:CHUNK], content[CHUNK:]]


async def test_folders_and_patterns_stand_for_their_files_each_once(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "a.txt", ".hidden", "10_zorp woman/c.png", "10_zorp woman/c.txt", ".git/x"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(b"x")

    async def named(*paths: str) -> list[str]:
        return [file.name for file in await local_files([f"{tmp_path}/{path}" for path in paths])]

    assert await named("set/*.png") == ["a.png", "b.png"]
    assert await named("set/**/*.png") == ["c.png", "a.png", "b.png"]
    assert await named("set/b.png", "set/*.png") == ["b.png", "a.png"]
    kohya = ["10_zorp woman/c.png", "10_zorp woman/c.txt"]
    (tmp_path / "set" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert await named("set") == [f"set/{name}" for name in [*kohya, "a.png", "a.txt", "b.png"]]
    assert await named("set/../set/10_zorp woman/") == kohya


async def test_the_folder_one_stands_in_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)

    assert [file.name for file in await local_files(["."])] == [f"{tmp_path.name}/a.png"]


async def test_the_names_of_a_folder_survive_until_somebody_looks_into_the_files(house: House, tmp_path: Path) -> None:
    (tmp_path / "10_zorp woman").mkdir()
    (tmp_path / "10_zorp woman" / "c.png").write_bytes(b"x")
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    files = await local_files([f"{tmp_path}/10_zorp woman"])
    job = await house.services.intakes.add(ann, dataset, files, place=HOME, key="1")

    assert [file.name for file in Payload.model_validate(job.payload).files] == ["10_zorp woman/c.png"]


async def test_a_folder_with_more_than_anybody_adds_at_a_time_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MOST", 2)
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"x")

    with pytest.raises(FileUnreadable, match="more than 2 files"):
        await local_files([str(tmp_path)])


async def test_a_file_that_is_too_large_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with path.open("wb") as file:
        file.truncate(LIMIT)
    assert [found.size for found in await local_files([str(path)])] == [LIMIT]
    with path.open("ab") as file:
        file.write(b"x")

    with pytest.raises(FileTooLarge, match=r"«a\.zip» is larger than 500 MB"):
        await local_files([str(path)])


async def test_memory_stays_flat_while_a_large_file_comes_in_and_is_read(
    mongodb: str, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        for _ in range(64):
            file.write(os.urandom(2**20))
    status, grown = await streaming(mongodb, database.name, "add", path)

    assert status == 0
    assert int(grown) < 24


async def test_a_name_with_a_bracket_is_no_pattern_where_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "a[1].png").write_bytes(b"x")

    assert [file.name for file in await local_files([f"{tmp_path}/a[1].png"])] == ["a[1].png"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("gone.png", "no such file or directory"),
        ("*.jpg", "no file fits"),
        ("empty", "there are no files"),
    ],
)
async def test_what_is_not_there_is_said_in_words(tmp_path: Path, path: str, why: str) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(FileUnreadable, match=why):
        await local_files([f"{tmp_path}/{path}"])


async def test_a_device_is_no_file() -> None:
    with pytest.raises(FileUnreadable, match="no plain file"):
        await local_files(["/dev/zero"])


async def test_a_file_that_vanishes_before_it_is_read_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (file,) = await local_files([f"{tmp_path}/a.png"])
    (tmp_path / "a.png").unlink()

    with pytest.raises(FileUnreadable, match="no such file"):
        await read(file)


async def test_a_name_that_is_no_text_is_made_one(tmp_path: Path) -> None:
    path = tmp_path / "\udcff.png"
    path.write_bytes(b"x")

    (file,) = await local_files([str(path)])

    assert file.name == "�.png"
    assert await read(file) == [b"x"]


async def test_what_a_reply_carries_is_saved_once_under_stable_names(blobs: Blobs, tmp_path: Path) -> None:
    blob = await blobs.put(in_chunks(b"pic", b"ture"), name="a.png", limit=100)
    artifact = Artifact(name="a.png", sha256=blob.id, size=blob.size, media_type="image/png")
    reply = Reply(title="here", pictures=(artifact,), files=(artifact, artifact.but(name="b.png")))

    first = await saved(reply, blobs, folder=tmp_path / "new")
    moments = [path.stat().st_mtime_ns for path in first]
    again = await saved(reply, blobs, folder=tmp_path / "new")

    assert [path.name for path in first] == [f"a-{blob.id[:8]}.png", f"b-{blob.id[:8]}.png"]
    assert [path.read_bytes() for path in first] == [b"picture", b"picture"]
    assert (again, [path.stat().st_mtime_ns for path in again]) == (first, moments)
    assert sorted((tmp_path / "new").iterdir()) == sorted(first)
