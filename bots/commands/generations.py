"""Generations: ordering pictures by a prompt, and what to do with those that are there."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, assert_never

from bots.cards import card
from bots.cards.generation import seeds, worn
from bots.chat.definition import Visibility, command
from bots.chat.parameter import Call, Given, Integer, Listed, Number, Row, Size, Text
from bots.chat.references import GenerationRef, OfferingRef
from bots.chat.reply import Button, Reply, Table
from core.domain.account import Role
from core.domain.action import Style, Then
from core.domain.allowance import Limit
from core.domain.generation import MOST_STARS, Generation, owned
from core.domain.model import Model
from core.domain.offering import Offering
from core.domain.prompt import Precedence, Step, replaced
from core.services.generations import Ordered, Unclear, Wish

OFTEN = Limit(times=20, per=timedelta(minutes=10))
STRENGTH = 60  # percent
STARS = {number: "★" * number + "☆" * (MOST_STARS - number) for number in range(1, MOST_STARS + 1)}
WHY = {
    Precedence.NAMED: "it was called by its name",
    Precedence.OWN: "one's own newest model comes first",
    Precedence.SHARED: "models that are shared with one come before public ones",
    Precedence.PINNED: "this community has pinned it to the word",
    Precedence.PUBLIC: "of the public models it has had the word the longest",
    Precedence.FAMILY: "it does not fit the base model",
}


class BaseRef(OfferingRef):
    """What to draw on; hardly anybody wants to be asked, since the models say it."""

    asked = False

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Offering]]:
        """The offerings whose models make pictures."""
        rows = await super().rows(call, text, given, after=after, limit=limit)
        return [row for row in rows if row.thing.generation]


class PictureRef(Listed[int]):
    """One picture of the generation that was named before, by number."""

    noun = "picture"
    hint = "Pictures are counted from 1."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[int]]:
        """The numbers of its pictures."""
        made = await GenerationRef("").earlier(call, given, "job")
        count = len(made.pictures) if made else 0
        return [Row(value=str(number), label=f"picture {number}", thing=number) for number in range(1, count + 1)]


class StarsRef(Listed[int]):
    """How good something is."""

    noun = "rating"
    hint = f"It takes 1 to {MOST_STARS} stars."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[int]]:
        """From the best on."""
        return [Row(value=str(number), label=STARS[number], thing=number) for number in reversed(STARS)]


Ref = Annotated[Generation, GenerationRef("Which pictures: a part of their prompt, or the job")]


@command("imagine", visibility=Visibility.PUBLIC, orders=True, limit=OFTEN)
async def imagine(
    call: Call,
    prompt: Annotated[str, Text("What to draw, with a model's trigger word in it", rest=True)],
    *,
    count: Annotated[int, Integer("How many pictures")] = 1,
    seed: Annotated[int | None, Integer("The same seed draws the same picture")] = None,
    size: Annotated[tuple[int, int] | None, Size("Width and height in pixels, such as 512x768")] = None,
    steps: Annotated[int | None, Integer("How many steps: more take longer and may look better")] = None,
    guidance: Annotated[float | None, Number("How closely to follow the prompt, such as 7.5")] = None,
    negative: Annotated[str, Text("What not to draw")] = "",
    base: Annotated[Offering | None, BaseRef("The base model to draw on, also without any other model")] = None,
) -> Reply:
    """Make pictures with models.

    A model is called by its trigger word (`zorp`, or weaker: `zorp:0.5`), by its name (`ann/zorp`), or by the tag that
    other programs use (`<lora:ann/zorp:0.8>`). Five fit into one picture.
    """
    width, height = size or (None, None)
    wish = Wish(
        text=prompt,
        negative=negative,
        count=count,
        seed=seed,
        width=width,
        height=height,
        steps=steps,
        guidance=guidance,
        offering=base.id if base else None,
    )
    ordered = await call.services.generations.order(call.actor, wish, place=call.told, key=call.key)
    match ordered:
        case Ordered():
            return await card(call, ordered.job.id)
        case Unclear():
            return _picker(call, wish, ordered)
    assert_never(ordered)


@command("generation list", role=Role.VIEWER)
async def list_(call: Call) -> Reply:
    """Your latest pictures by prompt."""
    made = await call.services.generations.list(call.actor)
    if not made:
        return Reply(
            title="No pictures yet", lines=("Make some: `imagine PROMPT`, with a model's trigger word in it.",)
        )
    rows = tuple((one.id, one.title, f"{one.created_at:%d %b %H:%M} {_rated(one)}".strip()) for one in made)
    return Reply(
        title="Your pictures",
        lines=("See some again: `train view JOB`.",),
        table=Table(header=("job", "prompt", "when, and how good"), rows=rows),
    )


@command("generation info", role=Role.VIEWER)
async def info(call: Call, job: Ref) -> Reply:
    """How pictures were made: models, seeds, settings, price, and which word called which model."""
    seen = await call.services.generations.view(call.actor, job.id)
    made, done = seen.generation, seen.job
    taken = done.ended_at - done.started_at if done.ended_at and done.started_at else None
    drawn = (made.prompt or "nothing but the models") if made.prompt != made.text else ""
    said = (("Typed", made.text), ("Drawn", drawn), ("Not drawn", made.negative))
    facts = (
        ("models", worn(made)),
        ("offering", made.offering),
        ("starts from", f"{made.source.name}, of which {made.strength} % change" if made.source else ""),
        ("seeds", seeds(made)),
        ("size", f"{made.width}×{made.height}"),
        ("steps", str(made.steps)),
        ("guidance", f"{made.guidance:g}"),
        ("price", str(done.price)),
        ("took", f"{taken.total_seconds():.1f} s" if taken else ""),
        ("rated", " ".join(filter(None, (_rated(made), made.feedback)))),
        ("job", made.id),
    )
    return Reply(
        title=done.title,
        lines=(*(f"{what}: {words}" for what, words in said if words), *dict.fromkeys(map(_told, made.trace))),
        fields=tuple((name, value) for name, value in facts if value),
        pictures=made.pictures,
        rating=made.rating,
    )


@command("generation again", visibility=Visibility.PUBLIC, orders=True, limit=OFTEN)
async def again(call: Call, job: Ref) -> Reply:
    """Draw the same once more, with another seed."""
    ordered = await call.services.generations.again(call.actor, job.id, place=call.told, key=call.key)
    return await card(call, ordered.job.id)


@command("generation vary", visibility=Visibility.PUBLIC, orders=True, limit=OFTEN)
async def vary(
    call: Call,
    job: Ref,
    picture: Annotated[int | None, PictureRef("Which of its pictures")] = None,
    strength: Annotated[int, Integer("How many percent of the picture may change")] = STRENGTH,
) -> Reply:
    """Draw a variation of one picture."""
    if picture is None and len(job.pictures) > 1:
        numbers = [str(number) for number in range(1, len(job.pictures) + 1)]
        kept = {"job": job.id, "strength": str(strength)}
        return Reply(
            title="Which picture?", buttons=_choices("generation vary", kept, "picture", {one: one for one in numbers})
        )
    ordered = await call.services.generations.vary(
        call.actor, job.id, picture=picture or 1, strength=strength, place=call.told, key=call.key
    )
    return await card(call, ordered.job.id)


@command("generation rate")
async def rate(
    call: Call,
    job: Ref,
    stars: Annotated[int | None, StarsRef("How good they are")] = None,
    words: Annotated[str, Text("What is good or bad about them", rest=True)] = "",
) -> Reply:
    """Say how good pictures are; said again, that counts."""
    if stars is None:
        kept = {"job": job.id} | ({"words": words} if words else {})
        labels = {str(number): label for number, label in STARS.items()}
        title = "How good is it?" if len(job.pictures) == 1 else "How good are they?"
        return Reply(title=title, buttons=_choices("generation rate", kept, "stars", labels))
    rated = await call.services.generations.rate(call.actor, job.id, stars=stars, words=words)
    return Reply(title=f"{_rated(rated)} for «{rated.title}»")


@command("generation delete")
async def delete(call: Call, job: Ref) -> Reply:
    """Delete pictures; what they cost stays on the receipt."""
    owned(job, call.actor, name=job.id)
    confirm = Button(
        label="Confirm",
        command="generation delete-now",
        arguments={"job": job.id},
        style=Style.DANGER,
        then=Then.REPLACE,
    )
    return Reply(
        title=f"Delete the pictures of «{job.title}»?",
        lines=("Nobody can bring them back. What they cost stays on the receipt.",),
        buttons=(confirm,),
    )


@command("generation delete-now", menu=False)
async def delete_now(call: Call, job: Ref) -> Reply:
    """Delete pictures without asking again."""
    gone = await call.services.generations.delete(call.actor, job.id)
    return Reply(title=f"The pictures of «{gone.title}» are deleted")


def _picker(call: Call, wish: Wish, unclear: Unclear) -> Reply:
    """The same wish with each of the models that a word may mean."""
    others = {
        "count": wish.count,
        "seed": wish.seed,
        "size": f"{wish.width}x{wish.height}" if wish.width else None,
        "steps": wish.steps,
        "guidance": wish.guidance,
        "negative": wish.negative or None,
        "base": wish.offering,
    }
    kept = {name: str(value) for name, value in others.items() if value is not None}
    labels = {replaced(unclear.text, unclear.said, model.id): _labelled(call, model) for model in unclear.models}
    return Reply(title=f"Which «{unclear.said}» do you mean?", buttons=_choices("imagine", kept, "prompt", labels))


def _labelled(call: Call, model: Model) -> str:
    right = f"shared by {model.owner_name}" if call.actor.account in model.shared else model.visibility.value
    return f"{model.name}, {right}, {model.created_at:%d %b %Y}"


def _choices(path: str, kept: Mapping[str, str], name: str, labels: Mapping[str, str]) -> tuple[Button, ...]:
    """A button for each value that an argument may have, with the others as they are; labels by value."""
    return tuple(
        Button(label=label, command=path, arguments={**kept, name: value}, then=Then.REPLACE)
        for value, label in labels.items()
    )


def _rated(made: Generation) -> str:
    return STARS[made.stars] if made.stars else ""


def _told(step: Step) -> str:
    strength = f"at {step.percent} %" if step.percent else "off"
    return f"«{step.said}» is {step.model}, {strength}: {WHY[step.rule]}."
