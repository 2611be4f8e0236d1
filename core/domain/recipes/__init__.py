"""Training recipes as the domain sees them: torch-free modules whose `Hyperparameters` say what may be chosen."""

import pkgutil
from importlib import import_module

from core.domain.value import Value


def names() -> tuple[str, ...]:
    """Return the names of all recipes, sorted; each is a module of this package."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def hyperparameters(recipe: str) -> type[Value]:
    """Return the schema of a recipe's hyper-parameters: types, bounds, defaults and descriptions.

    Raises:
        LookupError: No recipe has this name.
        AttributeError: The recipe's module has no `Hyperparameters`.
    """
    if recipe not in names():
        raise LookupError(f"no recipe {recipe!r}; there are: {', '.join(names())}")
    schema: type[Value] = import_module(f"{__name__}.{recipe}").Hyperparameters
    return schema
