"""What is exported comes in again as it was: pictures byte by byte, captions, order, and what else was said of them."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.artifact import Artifact
from core.domain.conversation import Conversation, Turn
from core.domain.dataset import Dataset, Kind
from core.domain.export import Format, formats, laid_out
from core.domain.item import Item
from core.kinds.intake import Verdict
from tests.builders.entities import a_caption, a_dataset, an_item
from tests.worker.pictures import a_picture, encoded
from worker.adapters import exports, media
from worker.adapters.archives import RawFile
from worker.adapters.unpacking import IntakeTask, Taken, Unpacking

LINES = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=30).map(lambda text: " ".join(text.split()))
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8)
METADATA = st.dictionaries(st.sampled_from(("pose", "light")), LINES.filter(bool), max_size=2)
SAID = st.lists(st.tuples(NAMES, LINES, METADATA, st.sampled_from(("1", "3", "10"))), min_size=1, max_size=5)
DATASET = a_dataset(kind=Kind.IMAGES)
SECONDS = None  # a picture takes as long as it takes


class Quiet:
    """A channel that nobody listens to."""

    def send(self, event: object) -> None:
        """Say nothing."""

    def stopping(self) -> bool:
        return False

    def wishes(self) -> tuple[()]:
        return ()


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Sequence[media.CleanPicture]:
    """Pictures as they are stored, some JPEG and some PNG."""
    folder = tmp_path_factory.mktemp("clean")
    pictures = []
    for number in range(5):
        raw = folder / f"raw {number}"
        raw.write_bytes(encoded(a_picture(seed=number), "JPEG" if number % 2 else "PNG"))
        pictures.append(media.clean(raw, folder))
    return pictures


def items(said: list[tuple[str, str, dict[str, str], str]], clean: Sequence[media.CleanPicture]) -> list[Item]:
    found = []
    for number, (name, caption, metadata, repeats) in enumerate(said):
        picture = clean[number]
        artifact = Artifact(name=name, sha256=picture.sha256, size=picture.bytes, media_type=picture.media_type)
        repeated = {"repeats": repeats} if repeats != "1" else {}
        item = an_item(number, artifact=artifact, metadata=metadata | repeated)
        found.append(item.captioned(a_caption(caption, item=item.id)) if caption else item)
    return found


def exported(dataset: Dataset, pictures: Sequence[Item], wished: Format, clean: Sequence[media.CleanPicture]) -> Taken:
    """Write the items into a file, and take that in again."""
    stored = {picture.sha256: picture.path for picture in clean}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.zip"
        with exports.archive(path) as archive:
            for entry in laid_out(dataset, pictures, wished):
                if entry.sha256:
                    archive.add(entry.path, stored[entry.sha256])
                else:
                    archive.write(entry.path, entry.text)
        return taken(path, Path(folder))


def taken(path: Path, folder: Path) -> Taken:
    (folder / "out").mkdir()
    task = IntakeTask(files=(RawFile(path=path, name=path.name),), out=folder / "out", dataset="zorp")
    return Unpacking().take(task, Quiet())


@pytest.mark.parametrize("wished", formats(Kind.IMAGES))
@given(said=SAID)
@settings(max_examples=40, deadline=SECONDS)
def test_pictures_come_in_again_as_they_went_out(
    clean: Sequence[media.CleanPicture], wished: Format, said: list[tuple[str, str, dict[str, str], str]]
) -> None:
    before = items(said, clean)
    after = exported(DATASET, before, wished, clean)
    kept = {Format.ZIP: set(), Format.KOHYA: {"repeats"}, Format.IMAGEFOLDER: {"repeats", "pose", "light"}}[wished]

    def facts(item: Item) -> tuple[str, str | None, dict[str, str]]:
        caption = DATASET.caption_of(item)
        metadata = {name: value for name, value in item.metadata.items() if name in kept}
        return item.artifact.sha256, caption.text if caption else None, metadata

    assert [(one.sha256, one.caption, one.metadata) for one in after.pictures] == [facts(item) for item in before]
    assert {outcome.verdict for outcome in after.outcomes} == {Verdict.TAKEN}


TURNS = st.tuples(LINES.filter(bool), LINES.filter(bool)).map(
    lambda pair: (Turn(role="user", content=pair[0]), Turn(role="assistant", content=pair[1]))
)
TALKS = st.lists(TURNS, min_size=1, max_size=6, unique=True)


@pytest.mark.parametrize("wished", formats(Kind.CONVERSATIONS))
@given(turns=TALKS)
@settings(max_examples=40, deadline=SECONDS)
def test_conversations_come_in_again_as_they_went_out(wished: Format, turns: list[tuple[Turn, ...]]) -> None:
    said = [Conversation(conversation_id=f"c{number}", turns=one) for number, one in enumerate(turns)]
    with tempfile.TemporaryDirectory() as folder:
        part, path = Path(folder) / "part", Path(folder) / "export.jsonl"
        part.write_bytes(b"".join(orjson.dumps(one.model_dump()) + b"\n" for one in said))
        exports.append(part, path, wished)
        after = taken(path, Path(folder))
        lines = [line for portion in after.portions for line in portion.path.read_bytes().splitlines()]

    found = [Conversation.model_validate(orjson.loads(line)) for line in lines]
    assert [one.turns for one in found] == [one.turns for one in said]
    if wished is Format.CONVERSATIONS:
        assert [one.conversation_id for one in found] == [one.conversation_id for one in said]
    assert after.error_count == 0
