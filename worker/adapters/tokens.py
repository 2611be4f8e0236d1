"""How long texts are in tokens: counted by a tokenizer, or estimated from their words where there is none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from tokenizers import Tokenizer

from worker.bases import base_location

FILES = ("tokenizer.json", "tokenizer/tokenizer.json")  # in a folder of its own, or in that of a base model
BATCH = 2**18  # characters; a token that is being counted takes a hundred times the memory of its text
PER_WORD = 13, 10  # tokens to words: 1.3, in integers

log = structlog.get_logger()


@dataclass(frozen=True)
class Counter:
    """Counts tokens with a tokenizer; without one it estimates 1.3 for each word."""

    tokenizer: Tokenizer | None = None

    @property
    def exact(self) -> bool:
        """Whether tokens are counted, and not estimated."""
        return self.tokenizer is not None

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has, without those that only mark its beginning and its end."""
        tokenizer = self.tokenizer
        if tokenizer is None:
            return [estimated(text) for text in texts]
        encoded = (tokenizer.encode_batch_fast(batch, add_special_tokens=False) for batch in batches(texts))
        return [len(encoding) for batch in encoded for encoding in batch]


def counter(location: str | None) -> Counter:
    """Return what counts as the tokenizer at a location does; one that cannot be loaded is logged and estimated.

    Args:
        location: A folder with a `tokenizer.json`, `package:<name>` for a shipped base, a hub id such as `owner/name`,
            or None.
    """
    if location is None:
        return Counter()
    try:
        tokenizer = loaded(base_location(location))
    except Exception as error:  # noqa: BLE001 the library raises nothing more special, be it the network or the file
        log.warning("tokenizer.unloadable", location=location, why=str(error))
        return Counter()
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return Counter(tokenizer)


def loaded(location: str) -> Tokenizer:
    """Load a folder's tokenizer, or a model hub's.

    Raises:
        Exception: There is none, or it cannot be reached or understood.
    """
    if not Path(location).is_dir():
        return Tokenizer.from_pretrained(location)
    found = next((path for name in FILES if (path := Path(location, name)).is_file()), None)
    if found is None:
        raise FileNotFoundError(f"there is no tokenizer.json in {location}")
    return Tokenizer.from_file(str(found))


def estimated(text: str) -> int:
    """Return about how many tokens a text has, rounded up."""
    tokens, words = PER_WORD
    return -(-len(text.split()) * tokens // words)


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Split texts into batches of some characters, so that counting takes little memory."""
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and size + len(text) > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch
