"""The card of an export: the file, while it is kept."""

from bots.cards.findings import weight
from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply
from bots.chat.wording import number
from core.domain.dataset import Kind
from core.domain.job import Job
from core.kinds.export import Payload, Result


async def running(call: Call, job: Job) -> Reply:
    """Nothing but the bar."""
    return Reply(title=job.title)


async def done(call: Call, job: Job) -> Reply:
    """The file, or that it is gone; a chat that cannot carry it gives a link."""
    payload, result = Payload.model_validate(job.payload), Result.model_validate(job.result)
    arguments = {"dataset": job.subject, "wished": payload.format}
    arguments |= {"to": payload.provider} if payload.provider else {}
    again = Button(label="Export again", command="dataset export", arguments=arguments)
    there = (f"In your Dropbox, in the folder of this app: {result.path}",) if result.path else ()
    kept = await call.services.exports.kept(job.id)
    if kept is None:
        return Reply(title=job.title, lines=("The file was kept for a week, and is gone.", *there), buttons=(again,))
    noun = "conversation" if payload.format.kind is Kind.CONVERSATIONS else "picture"
    return Reply(
        title=job.title,
        lines=(
            f"{number(result.count, noun)}, {weight(result.artifact.size)}.",
            *there,
            *((f"It is not in your Dropbox. {result.missed}",) if result.missed else ()),
            f"Kept until {kept.expires_at:%d %b}.",
        ),
        files=(kept.artifact,),
        buttons=(again,) if result.missed else (),
    )
