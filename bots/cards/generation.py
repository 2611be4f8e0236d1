"""The card of a generation: the pictures and how to have them again."""

from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply
from core.domain.job import Job


async def running(call: Call, job: Job) -> Reply:
    """Nothing but the bar."""
    return Reply(title=job.title)


async def done(call: Call, job: Job) -> Reply:
    """The pictures with their prompt and seed."""
    made = await call.services.generations.find(job.id)
    if made is None:
        return Reply(title=job.title)
    again = Button(label="Again", command="imagine", arguments={"prompt": made.prompt, "count": str(made.count)})
    return Reply(
        title=job.title,
        fields=(("prompt", made.prompt), ("seed", str(made.seed)), ("steps", str(made.steps))),
        pictures=made.pictures,
        rating=made.rating,
        buttons=(again,),
    )
