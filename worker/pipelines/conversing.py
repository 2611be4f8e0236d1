"""Conversations as a base model reads them: token by token, with what of them is to be learned."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.conversation import ASSISTANT, Conversation, Turn, mended, validates
from worker.adapters.portions import stored
from worker.channel import Channel
from worker.pipelines import packing
from worker.pipelines.base import TextBase
from worker.pipelines.dialect import DATE, Dialect, dialect
from worker.pipelines.packing import Talk
from worker.pipelines.tasks import NothingToLearn, Preparing

PAIR = 2  # a question and its answer


@dataclass(kw_only=True)
class Lines:
    """What is learned, what is kept for the evaluation, and how many conversations were cut or left out."""

    taught: list[Talk] = field(default_factory=list)
    held: list[Talk] = field(default_factory=list)
    cut: int = 0
    dropped: int = 0

    def notes(self, *, length: int) -> tuple[str, ...]:
        """Return in words what was not learned whole."""
        said = {
            f"{self.cut} conversations are longer than {length} tokens: only their first turns were learned.": self.cut,
            f"{self.dropped} were left out: no answer in them ends within {length} tokens.": self.dropped,
        }
        return tuple(words for words, count in said.items() if count)


def read(parts: Sequence[Path], base: TextBase, channel: Channel, *, length: int, share: float) -> Lines:
    """Read stored conversations, each once.

    Args:
        parts: Files of conversations, as a dataset stores them.
        base: Whose tokens they become.
        channel: Is told how many of the files are read.
        length: The most tokens that one may have; a longer one ends with an earlier answer.
        share: The share of them that is kept for the evaluation, by their ids.

    Raises:
        UnknownTemplate: The base's chat template does not show where the answers are.
        NothingToLearn: No answer ends within `length` tokens.
    """
    how, lines = dialect(base.tokenizer), Lines()
    for number, part in enumerate(parts):
        channel.send(Preparing(done=number, total=len(parts), doing="conversations"))
        for conversation, one, whole in _talks(list(_usable(stored(part), lines)), base, how, length=length):
            lines.cut += one is not None and not whole
            lines.dropped += one is None
            if one:
                (lines.held if validates(conversation.conversation_id, share=share) else lines.taught).append(one)
    if not lines.taught:
        lines.taught, lines.held = lines.held, []
    if not lines.taught:
        raise NothingToLearn(f"No conversation has an answer that ends within {length} tokens.")
    return lines


def _usable(conversations: Iterable[Conversation], lines: Lines) -> Iterator[Conversation]:
    for conversation in conversations:
        found = mended(conversation)
        lines.dropped += found is None
        if found:
            yield found


def _talks(
    conversations: Sequence[Conversation], base: TextBase, how: Dialect, *, length: int
) -> Iterator[tuple[Conversation, Talk | None, bool]]:
    """Yield each conversation with its tokens, if an answer ends in time, and whether they are all of it."""
    whole = _encoded([conversation.turns for conversation in conversations], base, how)
    for conversation, found in zip(conversations, whole, strict=True):
        turns, one = conversation.turns, found
        while len(one.tokens) > length and ASSISTANT in {turn.role for turn in turns[:-PAIR]}:
            turns = turns[:-PAIR]
            (one,) = _encoded([turns], base, how)
        fits = len(one.tokens) <= length and one.learned > 0
        yield conversation, one if fits else None, one is found


def _encoded(talks: Sequence[Sequence[Turn]], base: TextBase, how: Dialect) -> list[Talk]:
    if not talks:
        return []
    found = base.tokenizer.apply_chat_template(
        [how.messages(turns) for turns in talks],
        chat_template=how.template,
        return_assistant_tokens_mask=True,
        return_dict=True,
        date_string=DATE,
    )
    return [packing.talk(*pair) for pair in zip(found["input_ids"], found["assistant_masks"], strict=True)]
