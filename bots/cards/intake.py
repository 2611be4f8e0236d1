"""The card of an intake: every file's outcome, a contact sheet, and what the doctor says of the whole."""

from bots.cards.findings import remedies, summary
from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply
from bots.chat.wording import number
from core.domain.job import Job
from core.kinds.intake import FileOutcome, Result, Verdict

SHOWN = 20


async def running(call: Call, job: Job) -> Reply:
    """Nothing but the bar."""
    return Reply(title=job.title)


async def done(call: Call, job: Job) -> Reply:
    """What was taken in one line, each file that was not plainly taken in its own."""
    result = Result.model_validate(job.result)
    told = [f"{outcome.name}: {outcome.verdict.value}. {outcome.words}".rstrip() for outcome in _notable(result)]
    more = [f"… and {len(told) - SHOWN} more files."] if len(told) > SHOWN else []
    dataset = (await call.services.datasets.view(call.actor, job.subject)).dataset
    more_of_it = Button(label="Add more", command="dataset add", arguments={"dataset": dataset.id})
    taken = f"{number(len(result.pictures), 'picture')} taken into «{dataset.name}»."
    return Reply(
        title=job.title,
        lines=(taken, *told[:SHOWN], *more, *summary(dataset)),
        pictures=(result.sheet,) if result.sheet else (),
        rating=dataset.rating,
        buttons=(more_of_it, *remedies(dataset)),
    )


def _notable(result: Result) -> list[FileOutcome]:
    return [outcome for outcome in result.outcomes if outcome.verdict is not Verdict.TAKEN]
