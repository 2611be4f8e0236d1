"""The card of a publication, for whoever looks for it: the file and its card."""

from bots.chat.parameter import Call
from bots.chat.reply import Reply
from core.domain.job import Job


async def running(call: Call, job: Job) -> Reply:
    """Nothing but the bar."""
    return Reply(title=job.title)


async def done(call: Call, job: Job) -> Reply:
    """What the model is now, as a file and in words."""
    model = (await call.services.models.view(call.actor, job.subject)).model
    return Reply(title=job.title, files=(model.file, *((model.card,) if model.card else ())), rating=model.rating)
