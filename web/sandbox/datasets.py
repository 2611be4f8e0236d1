"""Datasets: the list with its filters, one of them, its facts edited, deleted and brought back."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from core.domain.account import Role
from core.domain.creation import Step, following
from core.domain.dataset import Dataset, Scope, Status, owned
from core.domain.job import Job
from core.domain.rating import Rating
from core.domain.trigger import folded
from web.sandbox.page import Look, one_of, page

SHOWN = 24  # cards on a page
PICTURES = 12  # of a dataset at a glance
CHANGING = frozenset({Status.UPLOADING, Status.VALIDATING})
CARDS = {"following": following, "changing": CHANGING, "last": Step.ORDER}  # what cards ask
FILTERS = ("text", "status", "tag", "scope")


@page("GET", "/datasets")
async def list_(look: Look) -> web.StreamResponse:
    """The datasets that fit, as cards; for htmx only those."""
    chosen = {name: look.query.get(name, "").strip() for name in FILTERS}
    number = look.page_number()
    scope = one_of(Scope, chosen["scope"] or Scope.MINE.value, what="scope")
    found = await look.services.datasets.list(
        look.actor,
        scope=scope,
        text=chosen["text"],
        status=one_of(Status, chosen["status"], what="status") if chosen["status"] else None,
        tag=folded(chosen["tag"]) or None,
        adult=look.actor.adult,
        skip=(number - 1) * SHOWN,
        limit=SHOWN + 1,
    )
    facts = {
        "datasets": found[:SHOWN],
        "scope": scope,
        "chosen": chosen,
        "narrowed": any(chosen[name] for name in ("text", "status", "tag")),
        "number": number,
        "more": len(found) > SHOWN,
        **CARDS,
    }
    if look.partial:
        return look.shown("datasets/found.html", **facts)
    services = look.services
    usage = await services.datasets.usage(look.actor)
    return look.shown("datasets/list.html", usage=usage, quota=services.datasets.quota, statuses=Status, **facts)


@page("GET", "/datasets/{dataset}/card")
async def card(look: Look) -> web.StreamResponse:
    """One card, which looks again while something goes on."""
    dataset = fit(look, await look.services.datasets.seen(look.actor, look.path("dataset")))
    return look.shown("datasets/card.html", dataset=dataset, **CARDS)


@page("GET", "/datasets/{dataset}/work")
async def work(look: Look) -> web.StreamResponse:
    """What goes on with a dataset, for htmx: once some of it has ended the page loads again, unless it asks quietly."""
    dataset = fit(look, await look.services.datasets.seen(look.actor, look.path("dataset")))
    jobs, quietly = await going_on(look, dataset.id), "quietly" in look.query
    response = look.shown("datasets/work.html", dataset=dataset, jobs=jobs, quietly=quietly, ended=not jobs)
    watched = set(filter(None, look.query.get("of", "").split(",")))
    if not quietly and (not jobs or watched - {job.id for job in jobs}):
        response.headers["HX-Refresh"] = "true"
    return response


@page("POST", "/datasets/{dataset}/work/{job}/cancel")
async def cancel(look: Look) -> web.StreamResponse:
    """Stop something that goes on."""
    job = await look.services.jobs.cancel(look.actor, look.path("job"))
    look.leads(f"/datasets/{look.path('dataset')}", said=f"«{job.title}» is cancelled.")


@page("GET", "/datasets/{dataset}")
async def view(look: Look) -> web.StreamResponse:
    """All that is known of a dataset."""
    services, name = look.services, look.path("dataset")
    found = await services.datasets.view(look.actor, name)
    dataset = fit(look, found.dataset)
    uses, consent, jobs = await asyncio.gather(
        services.lineages.of(look.actor, name),
        services.consents.view(look.actor, name),
        going_on(look, name),
    )
    return look.shown(
        "datasets/view.html",
        view=found,
        dataset=dataset,
        mine=dataset.owner == look.actor.account,
        uses=uses,
        consent=consent,
        jobs=jobs,
        pictures=[item for item in found.items if not item.withdrawn_at][:PICTURES],
        **CARDS,
    )


@page("GET", "/datasets/{dataset}/edit")
async def editing(look: Look) -> web.StreamResponse:
    """The form of what a dataset is called, and what its captions shall say."""
    return look.shown("datasets/edit.html", dataset=await mine(look), facts=_facts)


@page("POST", "/datasets/{dataset}/edit", refused=editing)
async def edit(look: Look) -> web.StreamResponse:
    """Change all of it at once."""
    dataset = await look.services.datasets.edit(
        look.actor,
        look.path("dataset"),
        name=look.field("name"),
        description=look.field("description"),
        tags=look.field("tags").replace(",", " ").split(),
        constraints=look.field("constraints").split(","),
        rating=one_of(Rating, look.field("rating", Rating.SFW.value), what="rating"),
        expecting=look.expecting(_facts),
    )
    look.leads(f"/datasets/{dataset.id}", said=f"«{dataset.name}» is changed.")


@page("GET", "/datasets/{dataset}/delete")
async def leaving(look: Look) -> web.StreamResponse:
    """Ask before a dataset goes."""
    dataset = await mine(look)
    uses = await look.services.lineages.of(look.actor, dataset.id)
    return look.shown("datasets/delete.html", dataset=dataset, uses=uses, days=look.services.purges.retention_days)


@page("POST", "/datasets/{dataset}/delete", refused=leaving)
async def delete(look: Look) -> web.StreamResponse:
    """Put a dataset into the bin."""
    dataset = await look.services.datasets.delete(look.actor, await mine(look))
    look.leads("/datasets", said=f"«{dataset.name}» is in the bin, under «deleted», and can be brought back.")


async def going_on(look: Look, dataset: str) -> Sequence[Job]:
    """What changes a dataset, or is made of it, at this moment; what is trained on it has pages of its own."""
    return [job for job in await look.services.jobs.about(look.actor, dataset) if job.kind != "training"]


def fit(look: Look, dataset: Dataset) -> Dataset:
    """A dataset whose pictures may be shown to whoever looks.

    Raises:
        NotAdult: They are somebody else's and for adults, and nobody has verified that whoever looks is one.
    """
    if dataset.owner != look.actor.account and not look.actor.role.covers(Role.MODERATOR):
        look.actor.require_adult(dataset.rating)
    return dataset


async def mine(look: Look) -> Dataset:
    """The dataset of the path, where whoever looks may change it.

    Raises:
        NotFound: There is no such dataset of theirs.
    """
    name = look.path("dataset")
    return owned(await look.services.datasets.seen(look.actor, name), look.actor, name=name)


def _facts(dataset: Dataset) -> dict[str, str]:
    """What the form says of a dataset."""
    return {
        "name": dataset.name,
        "description": dataset.description,
        "tags": ", ".join(dataset.tags),
        "what every caption shall say": ", ".join(dataset.constraints),
        "rating": dataset.rating,
    }
