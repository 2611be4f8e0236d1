"""Job kinds as the worker does them: a module per kind with `async def work(task) -> Result`, found by name."""

import pkgutil
from importlib import import_module
from typing import Protocol, cast

from core.domain.value import Value
from worker.task import Task


class Work(Protocol):
    """The shape of a module in this package."""

    async def work(self, task: Task) -> Value:
        """Do the job and return its kind's Result.

        Raises:
            TaskFailed: The failure was foreseen; its code and words are for the owner.
            HandedOver: The worker is leaving and the job can go on elsewhere.
            LeaseLost: The attempt is stale.
        """
        ...


def names() -> tuple[str, ...]:
    """The kinds that this worker can do."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def named(kind: str) -> Work:
    """The work of a kind."""
    return cast("Work", import_module(f"{__name__}.{kind}"))
