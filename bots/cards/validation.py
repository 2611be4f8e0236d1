"""The card of a validation: what the doctor says, and what it looked at."""

from bots.cards.findings import remedies, shown, summary
from bots.chat.parameter import Call
from bots.chat.reply import Reply
from core.domain.job import Job


async def running(call: Call, job: Job) -> Reply:
    """Nothing but the bar."""
    return Reply(title=job.title)


async def done(call: Call, job: Job) -> Reply:
    """The summary, how the first conversations begin, the sheets, and what can be done about what was found."""
    dataset = (await call.services.datasets.view(call.actor, job.subject)).dataset
    return Reply(
        title=job.title,
        lines=(*summary(dataset), *(line for sample in dataset.samples for line in ("—", *sample.splitlines()))),
        pictures=shown(dataset),
        rating=dataset.rating,
        buttons=remedies(dataset),
    )
