"""The card of an intake: what was taken, and each file of which there is more to say. What the doctor says follows."""

from bots.cards.findings import misread
from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply
from bots.chat.wording import number
from core.domain.dataset import Dataset, Kind
from core.domain.job import Job
from core.kinds.intake import FileOutcome, Result, Verdict, mixed

SHOWN = 20


async def running(call: Call, job: Job) -> Reply:
    """Nothing but the bar."""
    return Reply(title=job.title)


async def done(call: Call, job: Job) -> Reply:
    """What was taken in one line, then each file that was not plainly taken and each line that cannot be read."""
    result = Result.model_validate(job.result)
    dataset = (await call.services.datasets.view(call.actor, job.subject)).dataset
    told = [f"{outcome.name}: {outcome.verdict.value}. {outcome.words}".rstrip() for outcome in _notable(result)]
    more = [f"… and {len(told) - SHOWN} more files."] if len(told) > SHOWN else []
    arguments = {"dataset": dataset.id}
    return Reply(
        title=job.title,
        lines=(*_taken(dataset, result), *told[:SHOWN], *more, *misread(result.errors)),
        buttons=(Button(label="Add more", command="dataset add", arguments=arguments),),
    )


def _taken(dataset: Dataset, result: Result) -> tuple[str, ...]:
    pictures, said = len(result.pictures), sum(portion.count for portion in result.portions)
    if not pictures and not said:
        return (f"Nothing was taken into «{dataset.name}».",)
    others = Kind.CONVERSATIONS if pictures else Kind.IMAGES
    if dataset.kind is others:  # another upload of these came first
        return (str(mixed(dataset.name, others)),)
    count = number(pictures, "picture") if pictures else number(said, "conversation")
    return (f"{count} taken into «{dataset.name}».", "The doctor looks at them now.")


def _notable(result: Result) -> list[FileOutcome]:
    return [outcome for outcome in result.outcomes if outcome.verdict is not Verdict.TAKEN]
