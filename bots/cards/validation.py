"""The card of a validation: what the doctor says."""

from bots.cards.findings import remedies, summary
from bots.chat.parameter import Call
from bots.chat.reply import Reply
from core.domain.job import Job


async def running(call: Call, job: Job) -> Reply:
    """Nothing but the bar."""
    return Reply(title=job.title)


async def done(call: Call, job: Job) -> Reply:
    """The summary, and what can be done about it."""
    dataset = (await call.services.datasets.view(call.actor, job.subject)).dataset
    return Reply(title=job.title, lines=summary(dataset), buttons=remedies(dataset))
