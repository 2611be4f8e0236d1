"""Offerings: what can be bought, with which presets and bounds, and what it costs. One TOML file each."""

import hashlib
from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, JsonValue, PositiveInt, ValidationError, model_validator

from core.domain.errors import BadValue, DatasetUnfit, OutOfBounds, UnknownParameter
from core.domain.recipes import hyperparameters
from core.domain.value import Entity, Value

Number = int | float
NAMES = {"steps": "number of steps", "count": "number of pictures"}
GRID = 8  # pixels: what the sides of a picture are multiples of


class Base(Value):
    """The base model: LoRAs fit all bases of one family; the architecture says how it is loaded and drawn with.

    `location` is a local folder, a hub id, or `package:NAME` for one that ships; settings may override it.
    """

    id: str
    title: str
    family: str
    architecture: str
    location: str


class Price(Value):
    """Points for a training: a base amount, and so many per started thousand of steps."""

    base: int = Field(ge=0)
    per_thousand_steps: int = Field(ge=0)


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
    """Something to buy; the id is the name of its file."""

    title: str
    description: str
    base: Base
    recipe: str
    presets: Mapping[str, Mapping[str, JsonValue]] = Field(min_length=1)
    bounds: Mapping[str, tuple[Number, Number]]
    least_items: int = Field(default=1, ge=1)
    most_items: int = Field(default=1000, ge=1)
    price: Price
    generation: Generation
    samples: tuple[str, ...]
    labels: tuple[str, ...] = ()
    seconds_per_step: float = Field(gt=0)
    seconds_around: float = Field(ge=0)

    @model_validator(mode="after")
    def _can_be_sold(self) -> Self:
        for name, (low, high) in self.bounds.items():
            if name not in hyperparameters(self.recipe).model_fields or low > high:
                raise ValueError(f"bounds of {name}: {self.recipe} has no such setting, or nothing is in between")
        for preset in self.presets:
            try:
                self.settled(preset, {})
            except BadValue as error:
                raise ValueError(f"preset {preset}: {error}") from error
        return self

    @property
    def version(self) -> str:
        """The hash of everything that is promised: a run names it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def settled(self, preset: str, overrides: Mapping[str, str]) -> dict[str, JsonValue]:
        """The hyper-parameters of a preset with somebody's overrides (as text), checked against bounds and recipe.

        Raises:
            BadValue: No such preset, or a value is not of its kind.
            UnknownParameter: An override that has no bounds here.
            OutOfBounds: A value outside its bounds.
        """
        if preset not in self.presets:
            raise BadValue(what="preset", value=preset, why=f"{self.id} has {', '.join(self.presets)}")
        numbers = {name: self._bounded(name, text) for name, text in overrides.items()}
        chosen = {**self.presets[preset], **numbers}
        try:
            return hyperparameters(self.recipe).model_validate(chosen).model_dump(mode="json")
        except ValidationError as error:
            value = " ".join(f"{name}={setting}" for name, setting in chosen.items())
            raise BadValue(what="combination of settings", value=value, why=_why(error)) from error

    def _bounded(self, name: str, text: str) -> Number:
        if name not in self.bounds:
            raise UnknownParameter(name=name, offering=self.id, known=", ".join(self.bounds))
        low, high = self.bounds[name]
        try:
            value: Number = int(text) if isinstance(low, int) and isinstance(high, int) else float(text)
        except ValueError as error:
            raise BadValue(what=name, value=text, why=f"it takes a number from {low} to {high}") from error
        if not low <= value <= high:
            raise OutOfBounds(name=name, value=text, offering=self.id, low=str(low), high=str(high))
        return value

    def cost(self, steps: int) -> dict[str, int]:
        """What a training of so many steps costs, by what it is made of; integers only."""
        return {
            "base": self.price.base,
            f"{steps} steps": -(-steps * self.price.per_thousand_steps // 1000),
        }

    def seconds(self, steps: int) -> float:
        """About how long a training takes on the machine the offering was measured on."""
        return self.seconds_around + steps * self.seconds_per_step

    def require_items(self, name: str, count: int) -> None:
        """Let a dataset of so many items pass.

        Raises:
            DatasetUnfit: Too few or too many.
        """
        if not self.least_items <= count <= self.most_items:
            need = f"{self.least_items} to {self.most_items} pictures"
            raise DatasetUnfit(offering=self.title, name=name, need=need, has=str(count))


def _why(error: ValidationError) -> str:
    reasons = [(".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")) for one in error.errors()]
    return "; ".join(f"{name}: {words}" if name else words for name, words in reasons)
