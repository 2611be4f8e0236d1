"""Commands in running text are shown as a chat spells them; how far a job is, in words."""

import pytest

from bots.chat.wording import between, pace, respelled
from core.domain.job import Progress

PATHS = {"wallet", "dataset add", "dataset new"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See `wallet`.", "See `/wallet`."),
        ("`dataset add zorp FILES…`, then `dataset new`", "`/dataset_add zorp FILES…`, then `/dataset_new`"),
        ("`loraguild worker` stays, and so does dataset add", "`loraguild worker` stays, and so does dataset add"),
        ("`datasets` and `wallet", "`datasets` and `wallet"),
        ("", ""),
    ],
)
def test_only_commands_in_backticks_are_respelled(text: str, shown: str) -> None:
    assert respelled(text, PATHS, lambda path: "/" + path.replace(" ", "_")) == shown


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(step=0, total=10), "0/10"),
        (Progress(step=3, total=10, eta=119.4), "3/10 · 119 s left"),
        (Progress(step=3, total=10, eta=125.0, doing="drawing"), "3/10 · 2 min left · drawing"),
        (Progress(step=10, total=10, eta=0.0), "10/10"),
    ],
)
def test_pace_in_words(progress: Progress, words: str) -> None:
    assert pace(progress) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0, 0, "0 s"), (2, 5, "2-5 s"), (40, 119.5, "40-120 s"), (110, 120, "2 min"), (1200, 1750, "20-30 min"),
     (5000, 7200, "1-2 h"), (4000, 20_000, "1-6 h")],
)  # fmt: skip
def test_a_range_of_time_in_words(low: float, high: float, words: str) -> None:
    assert between(low, high) == words
