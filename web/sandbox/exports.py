"""Exports: a dataset as one file, made by a worker and fetched by link."""

from aiohttp import web

from core.domain.connection import Provider
from core.domain.export import Export, Format, formats
from core.domain.job import Job
from core.kinds.export import Result
from web.sandbox.page import Look, one_of, page

MEANS = {
    Format.ZIP: "Pictures, with a .txt beside each that has a caption",
    Format.KOHYA: "The same in a folder REPEATS_TRIGGER, as kohya's scripts read it",
    Format.IMAGEFOLDER: "Pictures and metadata.jsonl, as Hugging Face's ImageFolder reads it",
    Format.CONVERSATIONS: "One conversation a line, with id and turns",
    Format.OPENAI: "One conversation a line, as OpenAI's fine-tuning reads it",
}


@page("GET", "/datasets/{dataset}/export")
async def view(look: Look) -> web.StreamResponse:
    """The formats there are, whether it can go into one's own cloud folder, and the files that were made lately."""
    dataset = await look.services.datasets.seen(look.actor, look.path("dataset"))
    jobs = [job for job in await look.services.jobs.list(look.actor) if job.kind == "export"]
    made = [(job, await _link(look, job), _result(job)) for job in jobs if job.subject == dataset.id]
    return look.shown(
        "datasets/export.html",
        dataset=dataset,
        formats=formats(dataset.kind),
        means=MEANS,
        connection=await look.services.connections.of(look.actor),
        connects=look.services.connections.offered,
        made=made,
        running=any(not job.state.ended for job, *_ in made),
    )


@page("POST", "/datasets/{dataset}/export", refused=view)
async def order(look: Look) -> web.StreamResponse:
    """Have the file made."""
    dataset = await look.services.datasets.seen(look.actor, look.path("dataset"))
    wished = one_of(Format, look.field("format"), what="format")
    provider = one_of(Provider, look.field("to"), what="cloud") if look.field("to") else None
    await look.services.exports.order(
        look.actor, dataset, wished=wished, place=look.place, key=look.key, provider=provider
    )
    look.leads(f"/datasets/{dataset.id}/export", said="The file is being made.")


async def _link(look: Look, job: Job) -> tuple[Export, str] | None:
    """The file of a job with its link, while it is kept."""
    kept = await look.services.exports.kept(job.id)
    return (kept, look.services.downloads.link(kept.artifact)) if kept else None


def _result(job: Job) -> Result | None:
    """Where it lies in a cloud folder, or why it does not."""
    return Result.model_validate(job.result) if job.result else None
