"""Training recipes at work: one module per recipe, named as its hyper-parameters in `core.domain.recipes`.

Finding a recipe's name costs nothing; importing it brings torch, which only the torch child may do.
"""

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from worker.channel import Channel
from worker.pipelines.tasks import Stopped, Trained, TrainingTask

if TYPE_CHECKING:
    from worker.pipelines.crew import Crew


class Training(Protocol):
    """The one function every recipe has, called `train`."""

    def __call__(
        self, task: TrainingTask, channel: Channel, *, base: Any, crew: "Crew | None" = None
    ) -> Trained | Stopped:
        """Train one adapter on a loaded base of its kind, perhaps with others; send events on the way.

        Raises:
            TaskFailed: The task cannot be done.
        """


def names() -> tuple[str, ...]:
    """Return the names of all recipes, sorted, without importing them."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def training_of(recipe: str) -> Training:
    """Import a recipe and return its `train`.

    Raises:
        LookupError: No recipe has this name.
        AttributeError: The recipe's module has no `train`.
    """
    if recipe not in names():
        raise LookupError(f"no recipe {recipe!r}; there are: {', '.join(names())}")
    train: Training = import_module(f"{__name__}.{recipe}").train
    return train
