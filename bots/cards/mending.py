"""The card of a mending: what is otherwise now."""

from bots.chat.parameter import Call
from bots.chat.reply import Reply
from bots.chat.wording import number
from core.domain.doctor import LARGE
from core.domain.job import Job
from core.kinds.mending import Result


async def running(call: Call, job: Job) -> Reply:
    """Nothing but the bar."""
    return Reply(title=job.title)


async def done(call: Call, job: Job) -> Reply:
    """How much was mended; what the doctor says of it follows in a card of its own."""
    result = Result.model_validate(job.result)
    dropped = sum(part.dropped for part in result.parts)
    told = {
        f"No side of {number(len(result.pictures), 'picture')} is longer than {LARGE} px now.": result.pictures,
        f"The roles of {number(sum(part.count for part in result.parts), 'conversation')} are in order.": result.parts,
        f"{number(dropped, 'conversation')} had nothing to learn in them and went.": dropped,
    }
    lines = [words for words, is_so in told.items() if is_so]
    return Reply(title=job.title, lines=(*lines, "The doctor looks again.") if lines else ("Nothing could be mended.",))
