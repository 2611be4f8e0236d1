"""The card of a generation: the pictures, what they are of, and what to do with them."""

from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply
from core.domain.action import Style
from core.domain.generation import FULL, Generation
from core.domain.job import Job

SHOWN = 300  # characters of a prompt
NEXT = (
    ("Again", "generation again", Style.GO),
    ("Vary", "generation vary", Style.PLAIN),
    ("Info", "generation info", Style.PLAIN),
    ("Rate", "generation rate", Style.PLAIN),
    ("Delete", "generation delete", Style.DANGER),
)


async def running(call: Call, job: Job) -> Reply:
    """Nothing but the bar."""
    return Reply(title=job.title)


async def done(call: Call, job: Job) -> Reply:
    """The pictures with their seeds, models and prompt, where the title cuts it; who only looks may know more."""
    made = (await call.services.generations.view(call.actor, job.id)).generation
    mine = made.owner == call.actor.account
    prompt = made.prompt or made.text
    cut = (("prompt", f"{prompt:.{SHOWN}}"),) if prompt != made.title else ()
    return Reply(
        title=job.title,
        fields=(*cut, ("seed", seeds(made)), ("models", worn(made))),
        pictures=made.pictures,
        rating=made.rating,
        buttons=tuple(
            Button(label=label, command=path, arguments={"job": job.id}, style=style)
            for label, path, style in NEXT
            if mine or label == "Info"
        ),
    )


def seeds(made: Generation) -> str:
    """The seeds of the pictures, which follow each other."""
    last = made.seed + made.count - 1
    return str(made.seed) if made.count == 1 else f"{made.seed} to {last}"


def worn(made: Generation) -> str:
    """The models that drew along, each with its strength where that is not all of it."""
    names = (one.name if one.percent == FULL else f"{one.name} at {one.percent} %" for one in made.adapters)
    return ", ".join(names) or "none"
