"""Every file of the corpus through the very code that looks into uploads, and once more in its limited child."""

from pathlib import Path

import pytest

from core.domain.value import Value
from core.kinds.intake import FileOutcome
from tests.corpus import conversations, pictures
from tests.corpus.made import Case
from worker.adapters.archives import RawFile
from worker.adapters.unpacking import IntakeTask, Taken, Unpacking
from worker.child import Child

CASES = (*pictures.CASES, *conversations.CASES)


class Silence:
    """A channel that nobody listens to."""

    def send(self, event: Value) -> None:
        """Say nothing."""

    def stopping(self) -> bool:
        return False

    def wishes(self) -> tuple[Value, ...]:
        return ()


def sent(case: Case, folder: Path) -> IntakeTask:
    """Lay a case down as an upload."""
    out = folder / "out"
    out.mkdir(parents=True)
    raw = folder / "raw"
    raw.write_bytes(case.content())
    return IntakeTask(files=(RawFile(path=raw, name=case.sent),), out=out, dataset="zorp")


def agree(case: Case, taken: Taken, out: Path) -> None:
    """Assert that exactly what was foreseen came out of a case."""

    def begins(outcome: FileOutcome, words: str) -> str:
        return words if words and outcome.words.startswith(words) else outcome.words

    expected = iter(words for _, _, words in case.outcomes)
    said = [(one.name, one.verdict, begins(one, next(expected, ""))) for one in taken.outcomes]
    assert tuple(said) == case.outcomes
    assert tuple(map(str, taken.errors)) == case.errors
    assert len(taken.pictures) == case.pictures
    assert sum(portion.count for portion in taken.portions) == case.conversations
    paths = [*(one.path for one in taken.pictures), *(one.path for one in taken.portions)]
    assert sorted(out.iterdir()) == sorted(paths)


def test_the_corpus_is_large_and_every_case_has_its_name() -> None:
    assert len({case.sent for case in pictures.CASES}) == len(pictures.CASES) >= 28
    assert len({case.sent for case in CASES}) == len(CASES) >= 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sent)
def test_a_bad_file_has_the_expected_clear_outcome(tmp_path: Path, case: Case) -> None:
    task = sent(case, tmp_path)
    agree(case, Unpacking().take(task, Silence()), task.out)


async def test_the_limited_child_comes_to_the_same_and_outlives_all_of_them(tmp_path: Path) -> None:
    async with Child("worker.adapters.unpacking:Unpacking", memory=2 * 2**30, seconds=60) as child:
        for case in CASES:
            task = sent(case, tmp_path / case.sent)
            agree(case, await child.call("take", task), task.out)
