"""Architectures of base models: one module each, named as offerings name it, that loads a base and works with it.

Finding an architecture's name costs nothing; importing it brings torch, which only the torch child may do.
"""

import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from core.domain.errors import BadValue
from worker.pipelines.tasks import BaseMissing, Look, WeightedAdapter

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from core.domain.adaptation import Adaptation
    from worker.pipelines.base import Base, Loaded
    from worker.pipelines.encoding import Tensors
    from worker.pipelines.lora import Weights
    from worker.pipelines.placement import Placement
    from worker.pipelines.sampling import Shot


class Architecture(Protocol):
    """The shape of a module in this package: how a base is loaded and drawn with, and how adapters for it are trained.

    One whose bases only write has nothing but `load`. Tensors are [batch, …], and on the device of the base.
    """

    def load(self, name: str, placement: "Placement") -> "Loaded":
        """Load a base from a folder or a model hub; safetensors only.

        Raises:
            BaseMissing: There is no such base, or it is of another architecture.
        """
        ...

    def wearing(self, base: "Base", adapters: Sequence[WeightedAdapter]) -> AbstractContextManager[None]:
        """Put exported adapters onto the base, and take them off at the end.

        Raises:
            BadAdapter: A file is missing, damaged or made for another family.
        """
        ...

    def pictures(self, base: "Base", shots: "Sequence[Shot]", look: Look) -> "list[Image]":
        """Make one picture per shot in one call, with whatever adapters the base wears at the moment."""
        ...

    def sampler(self, base: "Base") -> str:
        """Name the sampler as other programs do."""
        ...

    def targets(self, wish: "Adaptation") -> Mapping[str, Sequence[str]]:
        """Name the layers that an adapter changes, by part of the pipeline; the denoiser's first."""
        ...

    def embed(self, base: "Base", tokens: "Tensors") -> "Tensors":
        """Return what the denoiser is told of captions, from their token numbers by tokenizer."""
        ...

    def errors(
        self,
        base: "Base",
        *,
        latents: "Tensor",
        noise: "Tensor",
        chance: "Tensor",
        text: "Tensors",
        sizes: "Tensor",
        wish: "Any | None" = None,
    ) -> "Tensor":
        """Return the error of denoising each picture, [batch] in fp32; unweighted unless the wish weighs it.

        `chance` is uniform in 0…1 and chooses the noise levels, `sizes` are as those of a bucket.
        """
        ...

    def exported(self, weights: "Weights", wish: "Adaptation") -> "Tensors":
        """Return an adapter's weights under the names that its community reads."""
        ...

    def facts(self, base: "Base", wish: "Adaptation") -> dict[str, object]:
        """Return what the metadata of an adapter say of its architecture."""
        ...


def names() -> tuple[str, ...]:
    """Return the names of all architectures, sorted, without importing them."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def require(wanted: Iterable[str]) -> None:
    """Let a worker start that can draw with all of these.

    Raises:
        BadValue: One is not known here.
    """
    for name in wanted:
        if name not in names():
            raise BadValue(what="architecture", value=name, why=f"this worker knows {', '.join(names())}")


def named(architecture: str) -> Architecture:
    """Import an architecture.

    Raises:
        BaseMissing: No architecture has this name.
    """
    if architecture not in names():
        raise BaseMissing(f"There is no architecture {architecture!r}; there are: {', '.join(names())}.")
    return cast("Architecture", import_module(f"{__name__}.{architecture}"))
