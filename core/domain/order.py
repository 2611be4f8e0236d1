"""Orders: what an accepted quote becomes, or a wish for pictures, and what may stand against it."""

from collections.abc import Iterable, Sequence

from pydantic import JsonValue

from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.domain.errors import Ambiguous, BaseUnavailable, ModelUnfit, NotFound
from core.domain.fleet import Worker
from core.domain.generation import Generation
from core.domain.job import Job, asked
from core.domain.meter import Meter
from core.domain.model import Model, meant
from core.domain.offering import ADAPTER, Offering
from core.domain.quote import Quote
from core.domain.rating import Rating
from core.domain.readiness import require_permitted
from core.domain.run import Run
from core.domain.scheduling import lacks, pool_of
from core.domain.value import Value


class Start(Value):
    """A model to continue from, with the run that made it and what that was trained on, where it is still known."""

    model: Model
    run: Run
    dataset: Dataset | None

    @property
    def shape(self) -> dict[str, JsonValue]:
        """The settings that give its adapter its shape: weights of another shape would not fit on it."""
        return {name: value for name, value in self.run.hyperparameters.items() if name in ADAPTER}

    def require_fit(self, actor: Actor, offering: Offering) -> None:
        """Let an actor continue from it whom nothing keeps from using it, on a base of its family.

        Raises:
            Suspended, ConsentWithdrawn: Nobody may use it, or what it was made of.
            NotAdult: It is for adults, and no moderator has verified the actor.
            ModelUnfit: It is made for another family of base models.
        """
        self.model.require_usable()
        if self.dataset:
            require_permitted(self.dataset)
        actor.require_adult(self.model.rating)
        if self.model.family != offering.base.family:
            why = f"it is made for {self.model.family}, and that is {offering.base.family}"
            raise ModelUnfit(offering=offering.title, name=self.model.slug, why=why)


def called(name: str, models: Sequence[Model], *, owner: str) -> Model:
    """The one of its owner's models that an id, a slug or a trigger word means.

    Raises:
        NotFound: None of them is called so.
        Ambiguous: Several are.
    """
    found = [one for one in models if one.id == name] or meant(name, models, asker=owner)
    if not found:
        raise NotFound(noun="model of yours", name=name, hint="See `model list`.")
    if len(found) > 1:
        candidates = ", ".join(f"{one.slug} ({one.id})" for one in found)
        raise Ambiguous(noun="model", name=name, candidates=candidates)
    return found[0]


def rated(dataset: Dataset, start: Start | None) -> Rating:
    """Who the model will be for: for adults only where one part of it is."""
    return Rating.strictest(dataset.rating, *([start.model.rating] if start else []))


def able(job: Job, workers: Iterable[Worker]) -> list[Worker]:
    """Those of the workers that are there that have what a job needs, whether or not its base model."""
    return [one for one in workers if not lacks(one.but(missing={}), pool_of(job))]


def require_base(offering: Offering, workers: Sequence[Worker]) -> None:
    """Let an order pass that one of the workers that would take it can do; without any it waits for one.

    Raises:
        BaseUnavailable: None of them can load the base model.
    """
    if workers and all(offering.id in one.missing for one in workers):
        raise BaseUnavailable(offering=offering.title, why=workers[0].missing[offering.id])


def prospect(quote: Quote, offering: Offering, dataset: Dataset) -> Job:
    """The job that a quote would become; an order gives it an id of its own and its moment."""
    job = asked(
        "training",
        id=quote.id,
        key=quote.id,
        owner=quote.owner,
        subject=dataset.id,
        title=f"{dataset.name} · {offering.title}",
        price=quote.price,
        labels=offering.needs(quote.gpu),
        memory=offering.gpu_memory,
        offering=offering.id,
        base=offering.base.id,
        estimate=quote.seconds,
        now=quote.created_at,
    )
    weight = float(offering.price.weight(quote.hyperparameters))
    return job.but(meter=Meter(gpu=quote.gpu, rate=offering.rate(quote.gpu), weight=weight))


def drawing(wanted: Generation, offering: Offering, *, key: str) -> Job:
    """The job that makes the pictures of a generation, on any device that has what the offering needs for them."""
    job = asked(
        "generation",
        id=wanted.id,
        key=key,
        owner=wanted.owner,
        subject=wanted.adapters[0].model if wanted.adapters else offering.id,
        title=wanted.title,
        price=offering.drawing.cost(wanted.width, wanted.height, wanted.count),
        labels=offering.labels,
        memory=offering.gpu_memory,
        offering=offering.id,
        base=offering.base.id,
        group=wanted.group,
        now=wanted.created_at,
    )
    return job.but(meter=Meter(rate=offering.hour))


def run_of(job: Job, quote: Quote, offering: Offering, *, snapshot: str, seed: int, start: Start | None) -> Run:
    """The run of a job, as it was quoted; `seed` is taken where the quote has none."""
    return Run(
        id=job.id,
        owner=job.owner,
        dataset=quote.dataset,
        snapshot=snapshot,
        offering=offering.id,
        offering_version=offering.version,
        recipe=offering.recipe,
        hyperparameters=quote.hyperparameters,
        seed=seed if quote.seed is None else quote.seed,
        base=offering.base.id,
        continues=start.run.id if start else None,
        start=start.model.artifact.sha256 if start else None,
        created_at=job.created_at,
    )
