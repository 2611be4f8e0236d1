"""Generations: pictures made from a prompt with models."""

import hashlib
from datetime import datetime
from typing import Self

from core.domain.account import Actor, Place, Role
from core.domain.artifact import Artifact
from core.domain.errors import BadValue, NotFound, NothingToDo
from core.domain.minors import require_fit
from core.domain.prompt import Step
from core.domain.rating import Rating
from core.domain.royalty import Terms
from core.domain.value import Entity, Value

PROMPT_LENGTH, FEEDBACK_LENGTH = 1000, 500
SEEDS = 2**32
MOST_STARS = 5
FULL = 100  # percent


class Adapter(Value):
    """A model that draws along, as it was when it was called: its name (`owner/slug`), its owner, its strength."""

    model: str
    owner: str
    name: str
    percent: int


class Generation(Entity):
    """One request for pictures; its id is the job's.

    `text` is the prompt as it was typed, `prompt` what of it is drawn, `trace` why it called which models; `request`
    is a digest of all that was asked for. Sizes are in pixels; the n-th picture is drawn with `seed + n`. A variation
    starts from the picture `source` and changes `strength` percent of it. `terms` are the rules by which the models'
    owners earn.
    """

    owner: str
    text: str
    prompt: str
    request: str = ""
    negative: str = ""
    offering: str
    adapters: tuple[Adapter, ...] = ()
    trace: tuple[Step, ...] = ()
    seed: int
    steps: int
    guidance: float
    width: int
    height: int
    count: int
    source: Artifact | None = None
    strength: int = 100
    terms: Terms
    rating: Rating = Rating.SFW
    pictures: tuple[Artifact, ...] = ()
    stars: int | None = None
    feedback: str = ""
    created_at: datetime
    deleted_at: datetime | None = None

    @property
    def group(self) -> str:
        """A digest of all that pictures must have in common to be drawn in one go."""
        worn = sorted((adapter.model, adapter.percent) for adapter in self.adapters)
        size = (self.width, self.height, self.steps, self.guidance)
        return digest(self.offering, *size, self.source is None, self.strength, worn)

    @property
    def title(self) -> str:
        """What to call it in short: what of the prompt is drawn."""
        return f"{self.prompt or self.text:.60}"

    @property
    def files(self) -> tuple[str, ...]:
        """The sha256 of every stored file that it refers to."""
        return tuple(file.sha256 for file in (*self.pictures, *([self.source] if self.source else [])))

    def anew(self, **facts: object) -> Self:
        """The same wish as a new generation of which nothing has come yet, with some facts of its own."""
        return self.but(pictures=(), stars=None, feedback="", **facts)

    def varied(self, number: int, *, strength: int, **facts: object) -> Self:
        """A new generation from one of its pictures, counted from 1, which it changes by so many percent.

        Raises:
            NothingToDo: It has no pictures.
            BadValue: It has not so many, or none of the steps would be drawn, or more than all.
        """
        self._require_pictures()
        if not 1 <= number <= len(self.pictures):
            raise BadValue(what="picture", value=str(number), why=f"it takes 1 to {len(self.pictures)}")
        wanted = self.anew(source=self.pictures[number - 1], strength=strength, **facts)
        least = -(-FULL // wanted.steps)
        if not least <= strength <= FULL:
            raise BadValue(what="strength", value=str(strength), why=f"it takes {least} to {FULL} percent")
        return wanted

    def rated(self, stars: int, words: str) -> Self:
        """With its owner's opinion; where no words are given, those of before stay.

        Raises:
            NothingToDo: It has no pictures.
            BadValue: There are not so many stars, or it is too many words.
        """
        self._require_pictures()
        if not 1 <= stars <= MOST_STARS:
            raise BadValue(what="rating", value=str(stars), why=f"it takes 1 to {MOST_STARS} stars")
        return self.but(stars=stars, feedback=_line(words, what="feedback", most=FEEDBACK_LENGTH) or self.feedback)

    def fit(self, rating: Rating, *, actor: Actor, place: Place) -> Self:
        """With the rating of its models, where neither the actor, nor the place, nor the prompt forbids that.

        Raises:
            NotHere, NotAdult: It is for adults, and the place is not, or no moderator has verified the actor.
            MinorsGuarded: It is for adults, or explicit, and its prompt has a word of young age.
        """
        place.require(rating)
        actor.require_adult(rating)
        require_fit(self.text, self.prompt, rating=rating)
        return self.but(rating=rating)

    def deleted(self, *, now: datetime) -> Self:
        """Out of sight, without its files; what was paid for it stays in the ledger."""
        return self.but(pictures=(), source=None, deleted_at=now)

    def forgotten(self, *, now: datetime) -> Self:
        """Deleted, without all words; which models it was drawn with stays."""
        return self.but(text="", prompt="", negative="", feedback="", trace=()).deleted(now=now)

    def _require_pictures(self) -> None:
        if not self.pictures:
            raise NothingToDo(why=f"There are no pictures of «{self.title}» (yet).")


def seen(found: Generation | None, actor: Actor, *, name: str) -> Generation:
    """The generation that was looked for under an id, where this actor may see it: its owner, and moderators.

    Raises:
        NotFound: There is none, it is deleted, or it is somebody else's: the three are never told apart.
    """
    if found is None or found.deleted_at or not (found.owner == actor.account or actor.role.covers(Role.MODERATOR)):
        raise NotFound(noun="generation", name=name, hint="See `generation list`.")
    return found


def owned(found: Generation | None, actor: Actor, *, name: str) -> Generation:
    """The generation that was looked for under an id, where it is this actor's own: moderators only look.

    Raises:
        NotFound: There is none, it is deleted, or it is somebody else's.
    """
    return seen(found if found and found.owner == actor.account else None, actor, name=name)


def digest(*facts: object) -> str:
    """The same for the same facts, and hardly ever for others."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def prompt(text: str) -> str:
    """A prompt as it may be stored: one line, 1 to 1,000 characters.

    Raises:
        BadValue: Nothing is left, or too much.
    """
    line = _line(text, what="prompt", most=PROMPT_LENGTH)
    if not line:
        raise BadValue(what="prompt", value="", why=f"it takes 1 to {PROMPT_LENGTH} characters")
    return line


def negative(text: str) -> str:
    """What is not to be drawn, as it may be stored: one line, at most 1,000 characters.

    Raises:
        BadValue: It is too long.
    """
    return _line(text, what="negative prompt", most=PROMPT_LENGTH)


def checked_seed(number: int, *, count: int) -> int:
    """A seed that every generator of random numbers takes, and those of so many pictures after it.

    Raises:
        BadValue: It is negative, or they have more than 32 bits.
    """
    if not 0 <= number <= SEEDS - count:
        raise BadValue(what="seed", value=str(number), why=f"it takes 0 to {SEEDS - count}")
    return number


def _line(text: str, *, what: str, most: int) -> str:
    line = " ".join(text.split())
    if len(line) > most:
        raise BadValue(what=what, value=line[:40], why=f"it takes at most {most} characters")
    return line
