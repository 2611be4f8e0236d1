"""Findings: what the doctor says of a dataset, what is wrong with which line, and what was counted."""

from collections.abc import Mapping
from enum import StrEnum

from core.domain.value import Value

ERRORS, SAMPLES = 10, 3  # the first ones, kept to be shown


class Severity(StrEnum):
    """Whether a finding blocks an order."""

    ERROR = "error"
    WARNING = "warning"


class Finding(Value):
    """One thing the doctor says; what would mend it follows from its code."""

    code: str
    severity: Severity
    words: str
    items: tuple[str, ...] = ()


class LineError(Value):
    """What is wrong with one line of a file, and with which turn of it, counted from 1."""

    file: str
    line: int
    turn: int | None = None
    words: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" + (f":{self.turn}" if self.turn else "")
        return f"{place} {self.words}"


class TokenCount(Value):
    """How long texts are in tokens, each and all together; estimated (words × 1.3) where no tokenizer is present."""

    shortest: int = 0
    longest: int = 0
    total: int = 0
    texts: int = 0
    estimated: bool = False


class Statistics(Value):
    """What the doctor counts.

    `resolutions` and `aspects` are histograms, in words fit to be shown; `triggered` counts the captions that say the
    trigger word. The last fields are about conversations: a pair is an assistant's turn with what was said before.
    """

    items: int = 0
    bytes: int = 0
    captioned: int = 0
    smallest: tuple[int, int] = (0, 0)
    largest: tuple[int, int] = (0, 0)
    resolutions: Mapping[str, int] = {}
    aspects: Mapping[str, int] = {}
    triggered: int = 0
    tokens: TokenCount = TokenCount()
    turns: int = 0
    pairs: int = 0
    validation_pairs: int = 0
