"""Counting: the statistics of a dataset, from facts about its items; what needs the bytes was measured before."""

import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import ceil, log

from core.domain.caption import CaptionVersion
from core.domain.conversation import PartFacts
from core.domain.dataset import Dataset
from core.domain.finding import Statistics, TokenCount
from core.domain.item import Item

TOKENS_PER_WORD = 1.3  # of English, where nobody has counted
STEPS = (256, 512, 768, 1024)  # pixels on the shorter side
SIDES = ("under 256 px", "from 256 to 511 px", "from 512 to 767 px", "from 768 to 1023 px", "from 1024 px on")
SHAPES = ("9:16", "2:3", "3:4", "1:1", "4:3", "3:2", "16:9")


def pictured(items: Sequence[Item]) -> Statistics:
    """The statistics of pictures, but for their captions."""
    sizes = sorted(((item.width, item.height) for item in items), key=lambda size: size[0] * size[1])
    return Statistics(
        items=len(items),
        bytes=sum(item.artifact.size for item in items),
        smallest=sizes[0] if sizes else (0, 0),
        largest=sizes[-1] if sizes else (0, 0),
        resolutions=_histogram(SIDES, (SIDES[bisect(STEPS, min(size))] for size in sizes)),
        aspects=_histogram(SHAPES, (_shape(*size) for size in sizes)),
    )


def captioned(dataset: Dataset, items: Sequence[Item]) -> Statistics:
    """The statistics of a dataset with those of its captions counted anew."""
    captions = [caption for item in items if (caption := dataset.caption_of(item))]
    lengths = [tokens(caption) for caption in captions]
    return dataset.statistics.but(
        captioned=len(captions),
        triggered=sum(says(caption.text, dataset.trigger) for caption in captions),
        tokens=TokenCount(
            shortest=min(lengths, default=0),
            longest=max(lengths, default=0),
            total=sum(lengths),
            texts=len(lengths),
            estimated=any(caption.tokens is None for caption in captions),
        ),
    )


def conversed(dataset: Dataset, facts: PartFacts, tokens: TokenCount) -> Statistics:
    """The statistics of conversations."""
    return Statistics(
        items=dataset.count,
        bytes=dataset.bytes,
        turns=facts.turns,
        pairs=facts.pairs,
        validation_pairs=facts.validation_pairs,
        tokens=tokens,
    )


def tokens(caption: CaptionVersion) -> int:
    """How many tokens a caption has: counted, or else estimated."""
    return ceil(len(caption.text.split()) * TOKENS_PER_WORD) if caption.tokens is None else caption.tokens


def says(text: str, phrase: str) -> bool:
    """Whether a text says a word, or each of some words between commas: in any case, but not within longer words."""
    parts = [re.escape(part.strip()) for part in phrase.split(",")]
    return all(re.search(rf"(?<![\w-]){part}(?![\w-])", text, re.IGNORECASE) for part in parts if part)


def _shape(width: int, height: int) -> str:
    def distance(shape: str) -> float:
        across, down = map(int, shape.split(":"))
        return abs(log(width * down / (height * across)))

    return min(SHAPES, key=distance)


def _histogram(order: Sequence[str], found: Iterable[str]) -> Mapping[str, int]:
    times = Counter(found)
    return {name: times[name] for name in order if times[name]}
