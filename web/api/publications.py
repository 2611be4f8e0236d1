"""Publications: who may use a model, which epoch it is, what it shows, and its files."""

from typing import Annotated

from pydantic import Field

from core.domain.errors import BadValue, ConsentWithdrawn, EpochGone, NotAdult, NotPublished, Suspended
from core.domain.model import SAMPLES, Visibility, owned
from web.api.jobs import FileOut, files
from web.api.models import ModelDetailsOut, require_fit, shown
from web.api.route import Body, Listed, route
from web.api.trainings import EpochOut, epoch_out
from web.visiting import Asked

HIDDEN = (Suspended, ConsentWithdrawn)


class EpochChoiceOut(EpochOut):
    """An epoch that the model can be; `chosen` is the one that it is."""

    chosen: bool


class NumberedOut(FileOut):
    """A sample with the number by which it is chosen."""

    number: int


class PublishIn(Body):
    """For whom: everyone (`public`), or whoever knows its name (`unlisted`)."""

    visibility: Visibility = Visibility.PUBLIC


class StepIn(Body):
    """The step that the epoch ended at."""

    step: Annotated[int, Field(ge=0, le=10**9)]


class NumbersIn(Body):
    """The numbers of samples, from 1 on; none: the model shows nothing."""

    numbers: Annotated[tuple[int, ...], Field(max_length=SAMPLES)]


@route("POST", "/models/{model}/publish", errors=(NotPublished, *HIDDEN))
async def publish(asked: Asked, model: str, body: PublishIn) -> ModelDetailsOut:
    """Let others use a model of yours by its trigger word; the first time that it is public, it is registered."""
    await asked.services.models.publish(asked.actor, model, visibility=body.visibility)
    return await shown(asked, model)


@route("POST", "/models/{model}/unpublish", errors=(NotPublished, *HIDDEN))
async def unpublish(asked: Asked, model: str) -> ModelDetailsOut:
    """Keep a model of yours to yourself again, and to those whom it is shared with."""
    await asked.services.models.publish(asked.actor, model, visibility=Visibility.PRIVATE)
    return await shown(asked, model)


@route("GET", "/models/{model}/epochs")
async def epochs(asked: Asked, model: str) -> Listed[EpochChoiceOut]:
    """List the epochs that a model of yours can be."""
    seen = await asked.services.models.view(asked.actor, model)
    owned(seen.model, asked.actor, name=model)
    current = seen.run.epoch_at(seen.model.step)
    items = (EpochChoiceOut(**dict(epoch_out(one)), chosen=one == current) for one in seen.run.epochs)
    return Listed[EpochChoiceOut](items=tuple(items))


@route("POST", "/models/{model}/epoch", errors=(EpochGone,))
async def choose(asked: Asked, model: str, body: StepIn) -> ModelDetailsOut:
    """Make another epoch the model, and have its file written anew."""
    await asked.services.publications.choose(asked.actor, model, body.step)
    return await shown(asked, model)


@route("GET", "/models/{model}/samples")
async def samples(asked: Asked, model: str) -> Listed[NumberedOut]:
    """List the samples that a model of yours can show, each with its number."""
    found = files(await asked.services.models.samples(asked.actor, model), asked.services.downloads)
    items = (NumberedOut(**dict(one), number=number) for number, one in enumerate(found, start=1))
    return Listed[NumberedOut](items=tuple(items))


@route("PUT", "/models/{model}/samples", errors=(BadValue,))
async def show(asked: Asked, model: str, body: NumbersIn) -> ModelDetailsOut:
    """Choose the samples that a model of yours presents itself with."""
    await asked.services.models.show(asked.actor, model, body.numbers)
    return await shown(asked, model)


@route("GET", "/models/{model}/files", errors=(NotAdult, *HIDDEN))
async def download(asked: Asked, model: str) -> Listed[FileOut]:
    """List the file of a model, its card and what that shows, with links to fetch them; that counts as a download."""
    require_fit(asked, (await asked.services.models.view(asked.actor, model)).model)
    found = await asked.services.publications.download(asked.actor, model)
    return Listed[FileOut](items=files(found, asked.services.downloads))


@route("GET", "/models/{model}/card")
async def card(asked: Asked, model: str) -> FileOut:
    """Show where the card of a model is, as model hubs read it."""
    return files([await asked.services.publications.card(asked.actor, model)], asked.services.downloads)[0]
