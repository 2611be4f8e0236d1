"""Offerings: what can be trained, with all that a form needs to ask for it."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from core.domain.dataset import Kind
from core.domain.offering import Offering
from core.domain.recipes import hyperparameters
from web.api.route import Listed, Out, route
from web.visiting import Asked

Number = int | float
KINDS = {int: "whole number", float: "number", str: "text"}


class BaseOut(Out):
    """A base model: LoRAs fit all bases of one family."""

    id: str
    title: str
    family: str


class PresetOut(Out):
    """Settings with a name, and what a training with them costs on the usual device."""

    settings: Mapping[str, JsonValue]
    price: int


class SettingOut(Out):
    """A setting that may be chosen: a number within bounds, or a text of so many characters."""

    name: str
    kind: str
    low: Number
    high: Number
    description: str


class PriceOut(Out):
    """Points for a training: a base amount, so many per started thousand of steps, so many for each sample.

    A step costs as much with the settings of `usual`, else in proportion.
    """

    base: int
    per_thousand_steps: int
    per_sample: int
    usual: Mapping[str, int]


class GpuOut(Out):
    """A class of GPU to choose: `price` in percent of the usual one, and how many times as fast it is."""

    id: str
    price: int
    speed: float


class DrawingOut(Out):
    """How pictures are made with a model of an offering, for what `price` at usual size, and what may be chosen."""

    price: int
    size: int
    steps: int
    guidance: float
    most: int
    sides: tuple[int, int]
    step_range: tuple[int, int]
    guidance_range: tuple[float, float]


class OfferingOut(Out):
    """Something to buy: what it takes, in which presets and within which bounds; `on` says whether it can be ordered.

    `samples` are made at the end of each epoch. The first class of GPU is the usual one; `gpu_memory` is in MB.
    """

    id: str
    title: str
    description: str
    version: str
    on: bool
    base: BaseOut
    takes: Kind
    least_items: int
    most_items: int
    presets: Mapping[str, PresetOut]
    settings: tuple[SettingOut, ...]
    price: PriceOut
    samples: int
    gpus: tuple[GpuOut, ...]
    gpu_memory: int
    labels: tuple[str, ...]
    seconds_per_step: float
    seconds_around: float
    drawing: DrawingOut | None


@route("GET", "/training-offerings")
async def list_(asked: Asked) -> Listed[OfferingOut]:
    """List what can be trained."""
    found = await asked.services.trainings.offered()
    return Listed[OfferingOut](items=tuple(offering_out(offering, on=on) for offering, on in found))


@route("GET", "/training-offerings/{offering}")
async def view(asked: Asked, offering: str) -> OfferingOut:
    """Show one offering."""
    found, on = await asked.services.trainings.offer(offering)
    return offering_out(found, on=on)


def offering_out(offering: Offering, *, on: bool) -> OfferingOut:
    """An offering with all that a form needs."""
    plain = ("id", "title", "description", "version", "takes", "least_items", "most_items", "gpu_memory", "labels")
    drawing = offering.generation
    return OfferingOut(
        **{name: getattr(offering, name) for name in (*plain, "seconds_per_step", "seconds_around")},
        on=on,
        base=BaseOut(id=offering.base.id, title=offering.base.title, family=offering.base.family),
        presets={name: _preset(offering, name) for name in offering.presets},
        settings=tuple(_settings(offering)),
        price=PriceOut(**dict(offering.price)),
        samples=len(offering.samples),
        gpus=tuple(GpuOut(id=name, price=gpu.price, speed=gpu.speed) for name, gpu in offering.gpus.items()),
        drawing=DrawingOut(**{name: getattr(drawing, name) for name in DrawingOut.model_fields}) if drawing else None,
    )


def _preset(offering: Offering, name: str) -> PresetOut:
    settings = offering.settled(name, {})
    return PresetOut(settings=settings, price=sum(offering.cost(settings, gpu=offering.gpu()).values()))


def _settings(offering: Offering) -> Iterator[SettingOut]:
    fields = hyperparameters(offering.recipe).model_fields
    for name, (low, high) in offering.bounds.items():
        kind, described = fields[name].annotation, fields[name].description or ""
        yield SettingOut(name=name, kind=KINDS.get(kind or str, "text"), low=low, high=high, description=described)
