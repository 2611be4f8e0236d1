"""Prices of trainings: what an offering's file says of points, and what some settings come to. Whole points only."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil

from pydantic import Field, JsonValue, PositiveInt

from core.domain.value import Value

SIDES = frozenset({"resolution"})  # settings that are the side of a square, and count by its area
USUAL = 100  # percent


class Gpu(Value):
    """A class of GPU to choose: workers with this label.

    `price` is in percent of the usual one, `speed` how many times as fast it trains, and `hour` what an hour of it
    costs the house, in hundredths of a point.
    """

    label: str = Field(min_length=1)
    price: int = Field(default=USUAL, ge=1)
    speed: float = Field(default=1.0, gt=0)
    hour: int = Field(default=0, ge=0)


class Price(Value):
    """Points for a training: a base amount, so many per started thousand of steps, and so many for each sample.

    A step costs as much with the settings of `usual`; with more of them, or less, it costs in proportion, and with
    another resolution by its area.
    """

    base: int = Field(ge=0)
    per_thousand_steps: int = Field(ge=0)
    per_sample: int = Field(default=0, ge=0)
    usual: Mapping[str, PositiveInt] = {}

    def weight(self, settings: Mapping[str, JsonValue]) -> Fraction:
        """How many usual steps one step with these settings amounts to."""
        weight = Fraction(1)
        for name, usual in self.usual.items():
            ratio = Fraction(int(str(settings[name])), usual)
            weight *= ratio**2 if name in SIDES else ratio
        return weight

    def parts(self, settings: Mapping[str, JsonValue], *, samples: int, percent: int = USUAL) -> dict[str, int]:
        """What a training costs by what it is made of: the parts sum to the price.

        It never falls when a setting that costs, the number of samples or the percentage of a GPU class rises.
        """
        steps, weight = int(str(settings["steps"])), self.weight(settings)
        weighed = f"{steps} steps" if weight == 1 else f"{steps} steps × {float(weight):.3g}"
        parts = {"base": self.base, weighed: ceil(steps * weight * self.per_thousand_steps / 1000)}
        if samples * self.per_sample:
            parts[f"{samples} samples"] = samples * self.per_sample
        usual = sum(parts.values())
        if percent != USUAL:
            parts[f"GPU at {percent} %"] = -(-usual * percent // 100) - usual
        return parts
