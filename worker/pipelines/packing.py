"""Conversations side by side: as many as fit into one block of tokens, none of which sees another.

A base model that is told where each begins, by positions that count from 0 again, keeps them apart itself: see
`find_packed_sequence_indices` in transformers' `masking_utils`.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

IGNORED = -100  # what `cross_entropy` leaves out


@dataclass(frozen=True, kw_only=True)
class Talk:
    """One conversation: its tokens, [n], and those that are to be said behind each, [n], IGNORED if not learned."""

    tokens: torch.Tensor
    targets: torch.Tensor

    @cached_property
    def learned(self) -> int:
        """How many tokens are learned from it."""
        return int((self.targets != IGNORED).sum())


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Blocks of one length: tokens, their positions within their conversations, and targets, all [blocks, length]."""

    tokens: torch.Tensor
    positions: torch.Tensor
    targets: torch.Tensor


def talk(tokens: Sequence[int], said: Sequence[int]) -> Talk:
    """Return a conversation; `said` is 1 for the tokens that the assistant says."""
    answers = torch.tensor(tokens).masked_fill(torch.tensor(said) == 0, IGNORED)
    return Talk(tokens=torch.tensor(tokens), targets=torch.cat([answers[1:], torch.tensor([IGNORED])]))


def packed(talks: Sequence[Talk], *, length: int) -> list[tuple[Talk, ...]]:
    """Return blocks of at most `length` tokens: best fit, the longest first. No conversation may be longer."""
    blocks: list[list[Talk]] = []
    rooms: list[int] = []  # sorted, each once
    having = defaultdict[int, list[list[Talk]]](list)
    for one in sorted(talks, key=lambda each: -len(each.tokens)):
        place = bisect_left(rooms, len(one.tokens))
        if place < len(rooms):
            room = rooms[place]
            block = having[room].pop()
            if not having[room]:
                del rooms[place]
        else:
            room, block = length, []
            blocks.append(block)
        block.append(one)
        left = room - len(one.tokens)
        if not having[left]:
            insort(rooms, left)
        having[left].append(block)
    return [tuple(block) for block in blocks]


def batched(blocks: Sequence[Sequence[Talk]], *, padding: int) -> Batch:
    """Return blocks as long as the longest of them; what is padded is like a conversation of its own."""
    length = max(sum(len(one.tokens) for one in block) for block in blocks)
    shape = (len(blocks), length)
    batch = Batch(
        tokens=torch.full(shape, padding),
        positions=torch.zeros(shape, dtype=torch.long),
        targets=torch.full(shape, IGNORED),
    )
    for row, block in enumerate(blocks):
        start = 0
        for one in block:
            end = start + len(one.tokens)
            batch.tokens[row, start:end], batch.targets[row, start:end] = one.tokens, one.targets
            batch.positions[row, start:end] = torch.arange(end - start)
            start = end
        batch.positions[row, start:] = torch.arange(length - start)
    return batch
