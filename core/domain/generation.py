"""Generations: pictures made from a prompt with a model."""

from datetime import datetime

from core.domain.artifact import Artifact
from core.domain.errors import BadValue
from core.domain.rating import Rating
from core.domain.value import Entity

PROMPT_LENGTH = 1000
SEEDS = 2**32


class Generation(Entity):
    """One request for pictures; its id is the job's."""

    owner: str
    model: str
    model_owner: str
    prompt: str
    seed: int
    steps: int
    guidance: float
    size: int
    count: int
    rating: Rating = Rating.SFW
    pictures: tuple[Artifact, ...] = ()
    created_at: datetime


def prompt(text: str) -> str:
    """A prompt as it may be stored: one line, 1 to 1,000 characters.

    Raises:
        BadValue: Nothing is left, or too much.
    """
    line = " ".join(text.split())
    if not line or len(line) > PROMPT_LENGTH:
        raise BadValue(what="prompt", value=line[:40], why=f"it takes 1 to {PROMPT_LENGTH} characters")
    return line


def checked_seed(number: int) -> int:
    """A seed that every generator of random numbers takes.

    Raises:
        BadValue: It is negative or has more than 32 bits.
    """
    if not 0 <= number < SEEDS:
        raise BadValue(what="seed", value=str(number), why=f"it takes 0 to {SEEDS - 1}")
    return number
