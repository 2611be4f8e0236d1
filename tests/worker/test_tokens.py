from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer

from worker.adapters import tokens
from worker.adapters.tokens import counter

TEXTS = ["zorp is a triangle", "", "zorp zorp zorp zorp", "a blue, quiet triangle called zorp"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tokenizer of whole words that cuts, pads and frames, as those of models do."""
    tokenizer = Tokenizer(BPE(unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.train_from_iterator(TEXTS * 9, BpeTrainer(vocab_size=300, special_tokens=["?", "<", ">"]))
    tokenizer.post_processor = TemplateProcessing(single="< $A >", special_tokens=[("<", 1), (">", 2)])
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=3)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_tokens_are_counted_whole_and_without_frame(folder: Path) -> None:
    exact = counter(str(folder))
    assert exact.exact
    assert exact.count(TEXTS) == [4, 0, 4, 7]
    assert exact.count([]) == []


def test_a_tokenizer_may_lie_in_the_folder_of_a_base(folder: Path) -> None:
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer.json").rename(folder / "tokenizer" / "tokenizer.json")
    assert counter(str(folder)).count(TEXTS) == [4, 0, 4, 7]


def test_the_base_that_ships_has_one() -> None:
    exact = counter("package:tiny-sd")
    assert exact.exact
    assert exact.count(["zorp"])[0] > 0


def test_many_texts_are_counted_in_batches(folder: Path) -> None:
    exact, text = counter(str(folder)), "zorp " * (tokens.BATCH // 12)
    assert exact.count([text, "zorp", text, text, ""]) == [
        tokens.BATCH // 12,
        1,
        tokens.BATCH // 12,
        tokens.BATCH // 12,
        0,
    ]
    assert [len(batch) for batch in tokens.batches([text, "zorp", text, text, ""])] == [3, 2]


def test_without_a_tokenizer_words_are_estimated() -> None:
    with capture_logs() as logs:
        estimate = counter(None)
    assert not estimate.exact
    assert estimate.count(["", "one", "one two", "one two\nthree", "a b c d e f g h i j"]) == [0, 2, 3, 4, 13]
    assert logs == []


@pytest.mark.parametrize("content", [None, "{}", "no json"])
def test_one_that_cannot_be_loaded_is_told_of_and_estimated(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with capture_logs() as logs:
        estimate = counter(str(tmp_path))
    assert estimate.count(["one two"]) == [3]
    assert [(log["event"], log["log_level"], log["location"]) for log in logs] == [
        ("tokenizer.unloadable", "warning", str(tmp_path))
    ]


def test_what_is_neither_a_folder_nor_on_a_hub_is_told_of_as_well() -> None:
    with capture_logs() as logs:
        assert not counter("no hub has this").exact
    assert len(logs) == 1
