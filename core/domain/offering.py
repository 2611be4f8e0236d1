"""Offerings: what can be bought, with which presets and bounds, and what it costs. One TOML file each."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, JsonValue, PositiveInt, ValidationError, model_validator

from core.domain.dataset import Kind
from core.domain.errors import BadValue, DatasetUnfit, OfferingClosed, OutOfBounds, UnknownParameter
from core.domain.price import USUAL, Gpu, Price
from core.domain.recipes import hyperparameters
from core.domain.value import Entity, Value

Number = int | float
NAMES = {"steps": "number of steps", "count": "number of pictures"}
NOUNS = {Kind.IMAGES: "pictures", Kind.CONVERSATIONS: "conversations"}
ADAPTER = frozenset({"rank", "alpha", "rank_stabilized", "variant", "targets"})  # settings that shape an adapter
SHOWN = 40  # characters of words that an error repeats
GRID = 8  # pixels: what the sides of a picture are multiples of


class Scheduler(StrEnum):
    """How a base steps from noise to picture that takes few steps: as its distillation was made for."""

    TCD = "tcd"
    LCM = "lcm"
    EULER = "euler"


class FewSteps(Value):
    """What makes a base draw in a few steps, and stays as it is while adapters learn.

    `adapter` is a distillation adapter that is worn: a folder, a file or a hub id, with the file behind it, or
    `package:NAME`; a base that is distilled itself has none. Without a `scheduler` it is the base's own.
    """

    adapter: str = ""
    scheduler: Scheduler | None = None


class Base(Value):
    """The base model: LoRAs fit all bases of one family; the architecture says how it is loaded and drawn with.

    `location` is a local folder, a hub id, or `package:NAME` for one that ships; settings may override it.
    """

    id: str
    title: str
    family: str
    architecture: str
    location: str
    few_steps: FewSteps | None = None


class Generation(Value):
    """What pictures made with a model of this offering cost, and how they are made.

    `size` is the side of a picture of this `price`; larger ones cost more. `sides`, `step_range` and `guidance_range`
    are what may be chosen instead; where one is left out, nothing else may. `royalty` is how many percent of what is
    paid in purchased qoints the owners of the models get.
    """

    price: int = Field(ge=0)
    size: int = Field(ge=64, multiple_of=GRID)
    steps: int = Field(ge=1)
    guidance: float = Field(ge=0)
    most: int = Field(ge=1)
    sides: tuple[PositiveInt, PositiveInt]
    step_range: tuple[PositiveInt, PositiveInt]
    guidance_range: tuple[float, float]
    royalty: int = Field(default=30, ge=0, le=100)

    @model_validator(mode="before")
    @classmethod
    def _no_choice(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        usual = {"sides": "size", "step_range": "steps", "guidance_range": "guidance"}
        return {name: (fields[of], fields[of]) for name, of in usual.items() if of in fields} | dict(fields)

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        try:
            self.settled({})
        except BadValue as error:
            raise ValueError(f"what is usual may not be chosen: {error}") from error
        return self

    def settled(self, wished: Mapping[str, Number | None]) -> dict[str, Any]:
        """Width, height, steps, guidance and count as wished, or as they are by default.

        Raises:
            BadValue: One is out of its range, or a side is off the grid.
        """
        usual = {"width": self.size, "height": self.size, "steps": self.steps, "guidance": self.guidance, "count": 1}
        ranges: dict[str, tuple[Number, Number]] = {
            "width": self.sides,
            "height": self.sides,
            "steps": self.step_range,
            "guidance": self.guidance_range,
            "count": (1, self.most),
        }
        chosen = {name: usual[name] if wished.get(name) is None else wished[name] for name in usual}
        for name, value in chosen.items():
            low, high = ranges[name]
            if value is None or not low <= value <= high:
                raise BadValue(what=NAMES.get(name, name), value=str(value), why=f"it takes {low:g} to {high:g}")
            if name in {"width", "height"} and value % GRID:
                raise BadValue(what=name, value=str(value), why=f"it takes a multiple of {GRID}")
        return chosen

    def cost(self, width: int, height: int, count: int) -> int:
        """What so many pictures of a size cost: by their area, but at least the price of an ordinary one."""
        area = self.size * self.size
        return self.price * count * max(1, -(-width * height // area))


class Offering(Entity):
    """Something to buy; the id is the name of its file.

    `takes` is the kind of dataset that it trains on, `gpu_memory` how many MB of a GPU's it needs (0: any device will
    do), `processes` over how many devices of a worker a batch is spread. `gpus` are the classes to choose from, the
    usual one first; where there are none, any worker with `labels` takes it, and `hour` is what an hour of its device
    costs the house, in hundredths of a point. The seconds are those of a usual step on a usual device, and around them.
    """

    title: str
    description: str
    base: Base
    recipe: str
    presets: Mapping[str, Mapping[str, JsonValue]] = Field(min_length=1)
    bounds: Mapping[str, tuple[Number, Number]]
    least_items: int = Field(default=1, ge=1)
    most_items: int = Field(default=1000, ge=1)
    price: Price
    generation: Generation | None = None
    samples: tuple[str, ...]
    takes: Kind = Kind.IMAGES
    labels: tuple[str, ...] = ()
    gpu_memory: int = Field(default=0, ge=0)
    gpus: Mapping[str, Gpu] = {}
    hour: int = Field(default=0, ge=0)
    processes: int = Field(default=1, ge=1)
    seconds_per_step: float = Field(gt=0)
    seconds_around: float = Field(ge=0)

    @model_validator(mode="after")
    def _can_be_sold(self) -> Self:
        for name, (low, high) in self.bounds.items():
            if name not in hyperparameters(self.recipe).model_fields or low > high:
                raise ValueError(f"bounds of {name}: {self.recipe} has no such setting, or nothing is in between")
        if strange := set(self.price.usual) - set(hyperparameters(self.recipe).model_fields):
            raise ValueError(f"usual {', '.join(sorted(strange))}: {self.recipe} has no such setting")
        for preset in self.presets:
            try:
                self.settled(preset, {})
            except BadValue as error:
                raise ValueError(f"preset {preset}: {error}") from error
        return self

    @property
    def drawing(self) -> Generation:
        """How pictures are made with its models.

        Raises:
            OfferingClosed: None are: its models write.
        """
        if self.generation is None:
            raise OfferingClosed(offering=self.id, why="its models make no pictures")
        return self.generation

    @property
    def version(self) -> str:
        """The hash of everything that is promised: a run names it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def settled(
        self, preset: str, overrides: Mapping[str, str], *, kept: Mapping[str, JsonValue] = {}
    ) -> dict[str, JsonValue]:
        """The hyper-parameters of a preset with somebody's overrides (as text), checked against bounds and recipe.

        `kept` are those that must be as they were when the model was made that the training continues from.

        Raises:
            BadValue: No such preset, or a value is not of its kind, or another than the one that is kept.
            UnknownParameter: An override that has no bounds here.
            OutOfBounds: A value outside its bounds.
        """
        if preset not in self.presets:
            raise BadValue(what="preset", value=preset, why=f"{self.id} has {', '.join(self.presets)}")
        wishes = {name: self._bounded(name, text) for name, text in overrides.items()}
        if other := next((name for name, value in wishes.items() if kept.get(name, value) != value), None):
            raise BadValue(what=other, value=overrides[other], why=f"the model to continue from has {kept[other]}")
        chosen = {**self.presets[preset], **wishes, **kept}
        try:
            return hyperparameters(self.recipe).model_validate(chosen).model_dump(mode="json")
        except ValidationError as error:
            value = " ".join(f"{name}={setting}" for name, setting in chosen.items())
            raise BadValue(what="combination of settings", value=value, why=_why(error)) from error

    def _bounded(self, name: str, text: str) -> Number | str:
        """What a text means as this setting: a number within its bounds, or words whose length is within them."""
        if name not in self.bounds:
            raise UnknownParameter(name=name, offering=self.id, known=", ".join(self.bounds))
        low, high = self.bounds[name]
        if hyperparameters(self.recipe).model_fields[name].annotation is str:
            if not low <= len(text) <= high:
                raise BadValue(what=name, value=text[:SHOWN], why=f"it takes {low} to {high} characters")
            return text
        try:
            value: Number = int(text) if isinstance(low, int) and isinstance(high, int) else float(text)
        except ValueError as error:
            raise BadValue(what=name, value=text, why=f"it takes a number from {low} to {high}") from error
        if not low <= value <= high:
            raise OutOfBounds(name=name, value=text, offering=self.id, low=str(low), high=str(high))
        return value

    def gpu(self, wished: str = "") -> str:
        """The class of GPU to train on: the one that is wished, else the usual one; empty where there are none.

        Raises:
            BadValue: There is no such class.
        """
        if wished and wished not in self.gpus:
            known = f"{self.id} has {', '.join(self.gpus)}" if self.gpus else f"{self.id} has none to choose from"
            raise BadValue(what="gpu", value=wished, why=known)
        return wished or next(iter(self.gpus), "")

    def needs(self, gpu: str) -> tuple[str, ...]:
        """The labels that a worker must have, with a class of GPU."""
        return tuple(dict.fromkeys((*self.labels, self.gpus[gpu].label))) if gpu else self.labels

    def cost(self, settings: Mapping[str, JsonValue], *, gpu: str = "") -> dict[str, int]:
        """What a training costs by what it is made of, with the samples of its epochs; integers only."""
        samples = len(self.samples) * int(str(settings.get("epochs", 1)))
        percent = self.gpus[gpu].price if gpu else USUAL
        return self.price.parts(settings, samples=samples, percent=percent)

    def base_price(self, gpu: str) -> int:
        """What of the cost is due in full, however early a training is stopped."""
        return -(-self.price.base * (self.gpus[gpu].price if gpu else USUAL) // USUAL)

    def usual_steps(self, settings: Mapping[str, JsonValue]) -> float:
        """How many steps of usual settings a training amounts to."""
        return float(int(str(settings["steps"])) * self.price.weight(settings))

    def pace(self, gpu: str) -> float:
        """How many seconds a usual step takes, as the offering was measured."""
        return self.seconds_per_step / (self.gpus[gpu].speed if gpu else 1)

    def rate(self, gpu: str) -> int:
        """What an hour of the device costs the house, in hundredths of a point."""
        return self.gpus[gpu].hour if gpu else self.hour

    def require_items(self, name: str, count: int, *, kind: Kind | None = None) -> None:
        """Let a dataset of so many items pass, and of this kind if one is named.

        Raises:
            DatasetUnfit: They are of another kind, too few or too many.
        """
        if kind not in {None, self.takes}:
            need, has = NOUNS[self.takes], NOUNS[kind]
            raise DatasetUnfit(offering=self.title, name=name, need=need, has=has)
        if not self.least_items <= count <= self.most_items:
            need = f"{self.least_items} to {self.most_items} {NOUNS[self.takes]}"
            raise DatasetUnfit(offering=self.title, name=name, need=need, has=str(count))


def configured(offerings: Mapping[str, Offering], name: str) -> Offering:
    """An offering that the configuration has.

    Raises:
        OfferingClosed: It has none of this name (any more).
    """
    if name not in offerings:
        raise OfferingClosed(offering=name, why="its file is no longer in the configuration")
    return offerings[name]


def _why(error: ValidationError) -> str:
    reasons = [(".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")) for one in error.errors()]
    return "; ".join(f"{name}: {words}" if name else words for name, words in reasons)
