import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.domain.errors import LinkRefused
from core.domain.upload import LIMIT
from core.kinds.intake import FileOutcome, Verdict
from worker.adapters import links
from worker.adapters.archives import RawFile
from worker.adapters.links import gathered, listed

HOST = "https://pictures.example"


class Web:
    """A web of small files, with nothing behind links that say so."""

    def __init__(self) -> None:
        self.limits: list[int] = []

    async def __call__(self, url: str, path: Path, *, limit: int) -> str:
        self.limits.append(limit)
        if "gone" in url:
            raise LinkRefused(link=url, why="the answer was 404")
        await asyncio.to_thread(path.write_text, url)
        return url.rpartition("/")[2]


def laid(folder: Path, *files: tuple[str, bytes]) -> Sequence[RawFile]:
    """Lay files down as they were sent."""
    raws = []
    for number, (name, content) in enumerate(files):
        path = folder / str(number)
        path.write_bytes(content)
        raws.append(RawFile(path=path, name=name))
    return raws


async def test_links_and_lists_of_links_become_files_and_a_bad_one_disturbs_no_other(tmp_path: Path) -> None:
    content = f"\ufeff{HOST}/2.png\r\n\r\n  HTTP://pictures.example/3.png \n{HOST}/1.png\n".encode()
    files = laid(tmp_path, ("a.png", b"picture"), ("a.txt", HOST.encode()), ("list.txt", content))
    given = (f"{HOST}/1.png", f"{HOST}/gone.png")
    found = await gathered(files, given, tmp_path / "links", fetch=Web())
    assert [file.name for file in found.files] == ["a.png", "a.txt", "1.png", "2.png", "3.png"]
    assert [file.path.read_text() for file in found.files[2:4]] == [f"{HOST}/1.png", f"{HOST}/2.png"]
    gone = f"Nothing was fetched from {HOST}/gone.png: the answer was 404."
    assert found.outcomes == (
        FileOutcome(name="list.txt", verdict=Verdict.TAKEN),
        FileOutcome(name=f"{HOST}/gone.png", verdict=Verdict.REFUSED, words=gone),
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"zorp",
        f"{HOST}/1.png\nzorp".encode(),
        b"ftp://pictures.example/1.png",
        f"see {HOST}/1.png".encode(),
        b"\xff\xfe\x00",
        b"https://a.example/1.png\n" * 100_000,
    ],
    ids=["empty", "words", "links and words", "another scheme", "a sentence", "no text", "too large"],
)
def test_whatever_else_a_text_says_it_is_no_list(tmp_path: Path, content: bytes) -> None:
    assert listed(laid(tmp_path, ("list.txt", content))) == {}


def test_what_stands_beside_a_picture_is_its_caption(tmp_path: Path) -> None:
    link = f"{HOST}/1.png".encode()
    files = laid(tmp_path, ("A.png", b""), ("a.txt", link), ("b.caption", link), ("c.txt", link))
    assert listed(files) == {files[3].path: (link.decode(),)}


async def test_of_too_many_links_the_first_thousand_are_followed(tmp_path: Path) -> None:
    given = [f"{HOST}/{number}.png" for number in range(1_005)]
    found = await gathered((), given, tmp_path / "links", fetch=Web())
    assert [file.name for file in found.files] == [f"{number}.png" for number in range(1_000)]
    assert found.outcomes == (FileOutcome(name="5 more links", verdict=Verdict.REFUSED, words=links.TOO_MANY),)


async def test_no_more_is_fetched_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web = Web()
    await gathered((), [f"{HOST}/only.zip"], tmp_path / "one", fetch=web)
    assert web.limits == [LIMIT]
    monkeypatch.setattr(links, "MAX_TOTAL", 1_000)
    web = Web()
    given = [f"{HOST}/{number}.png" for number in range(10)]
    await gathered((), given, tmp_path / "ten", fetch=web)
    assert web.limits == [125] * 8 + [(1_000 - sum(map(len, given[:8]))) // 2] * 2
