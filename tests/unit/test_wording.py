"""Commands in running text are shown as a chat spells them."""

import pytest

from bots.chat.wording import respelled

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
