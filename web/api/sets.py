"""Caption sets: several families of captions for one dataset, of which one is in use."""

from http import HTTPStatus

from core.domain.dataset import Dataset
from core.domain.errors import BadValue, NameTaken, NotAdult, NothingToDo
from web.api.datasets import visible
from web.api.route import Body, Listed, Out, route
from web.visiting import Asked


class SetOut(Out):
    """A caption set; trainings, and everything that is written, use one of them."""

    name: str
    in_use: bool


class SetIn(Body):
    """A new caption set: empty, or with the captions of another."""

    name: str
    copied: str | None = None


@route("GET", "/datasets/{dataset}/sets", errors=(NotAdult,))
async def list_(asked: Asked, dataset: str) -> Listed[SetOut]:
    """List the caption sets of a dataset, in the order in which they were opened."""
    return _sets(await visible(asked, dataset))


@route("POST", "/datasets/{dataset}/sets", status=HTTPStatus.CREATED, errors=(BadValue, NameTaken))
async def create(asked: Asked, dataset: str, body: SetIn) -> Listed[SetOut]:
    """Open a caption set; one that was deleted comes back as it was."""
    found = await asked.services.datasets.seen(asked.actor, dataset)
    return _sets(await asked.services.captions.open_set(asked.actor, found, name=body.name, copied=body.copied))


@route("POST", "/datasets/{dataset}/sets/{set}/use")
async def use(asked: Asked, dataset: str, set: str) -> Listed[SetOut]:  # noqa: A002 - the word of the domain
    """Use another caption set; the doctor looks at its captions."""
    found = await asked.services.datasets.seen(asked.actor, dataset)
    return _sets(await asked.services.captions.choose_set(asked.actor, found, set))


@route("DELETE", "/datasets/{dataset}/sets/{set}", errors=(NothingToDo,))
async def delete(asked: Asked, dataset: str, set: str) -> None:  # noqa: A002 - the word of the domain
    """Delete a caption set that is not in use."""
    found = await asked.services.datasets.seen(asked.actor, dataset)
    await asked.services.captions.drop_set(asked.actor, found, set)


def _sets(dataset: Dataset) -> Listed[SetOut]:
    return Listed(items=tuple(SetOut(name=name, in_use=name == dataset.default_set) for name in dataset.sets))
