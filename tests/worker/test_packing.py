"""Conversations in blocks: none is lost, none sees another, and no token counts for more than it did alone."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from tests.builders.llamas import a_text_base
from worker.architectures import causal_lm
from worker.pipelines.packing import IGNORED, Talk, batched, packed, talk
from worker.pipelines.placement import Placement

PADDING = 3


def a_talk(length: int, *, number: int = 0) -> Talk:
    tokens = [(7 * number + place) % 50 + 10 for place in range(length)]
    return talk(tokens, [place % 3 > 0 for place in range(length)])


@given(st.lists(st.integers(1, 20), max_size=60))
def test_every_conversation_is_in_one_block_and_no_block_is_too_long(lengths: list[int]) -> None:
    talks = [a_talk(length, number=number) for number, length in enumerate(lengths)]
    blocks = packed(talks, length=20)
    assert sorted(map(id, talks)) == sorted(id(one) for block in blocks for one in block)
    sizes = [sum(len(one.tokens) for one in block) for block in blocks]
    assert all(size <= 20 for size in sizes)
    assert sum(size <= 10 for size in sizes) <= 1  # two that are half empty would be one


def test_the_same_conversations_make_the_same_blocks() -> None:
    talks = [a_talk(length) for length in (5, 9, 2, 9, 6, 8, 1)]
    assert [[len(one.tokens) for one in block] for block in packed(talks, length=10)] == [[9], [9, 1], [8, 2], [6], [5]]


def test_what_is_said_behind_each_token_is_learned_where_the_assistant_says_it() -> None:
    one = talk([10, 11, 12, 13, 14], [0, 0, 1, 1, 0])
    assert one.targets.tolist() == [IGNORED, 12, 13, IGNORED, IGNORED]
    assert one.learned == 2


def test_positions_begin_anew_with_each_conversation_and_with_the_padding() -> None:
    batch = batched([(a_talk(3), a_talk(2)), (a_talk(4, number=1),), (a_talk(2),)], padding=PADDING)
    assert batch.positions.tolist() == [[0, 1, 2, 0, 1], [0, 1, 2, 3, 0], [0, 1, 0, 1, 2]]
    assert batch.tokens.tolist() == [[10, 11, 12, 10, 11], [17, 18, 19, 20, PADDING], [10, 11, *[PADDING] * 3]]
    assert batch.targets.tolist()[2] == [11, *[IGNORED] * 4]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_packed_conversation_is_read_as_if_it_were_alone(tmp_path: Path, attention: str) -> None:
    model = causal_lm.load(str(a_text_base(tmp_path)), Placement(device="cpu", dtype=torch.float32)).model
    model.set_attn_implementation(attention)
    talks = [a_talk(length, number=number) for number, length in enumerate((11, 7, 5, 9, 3))]
    losses = []
    for blocks in ([(one,) for one in talks], [tuple(talks[:3]), tuple(talks[3:])]):
        batch = batched(blocks, padding=PADDING)
        with torch.no_grad():
            logits = model(input_ids=batch.tokens, position_ids=batch.positions, use_cache=False).logits
        losses.append(
            cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORED, reduction="sum")
        )
    alone = [
        model(input_ids=one.tokens[None], labels=one.targets[None], shift_labels=one.targets[None]).loss * one.learned
        for one in talks
    ]
    torch.testing.assert_close(losses[0], losses[1])
    torch.testing.assert_close(losses[0], torch.stack(alone).sum())
