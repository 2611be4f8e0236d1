"""The commands, each defined once: parse, call one service method, present. A module per feature, found by name."""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from bots.chat.definition import Definition, checked


def discovered() -> Mapping[str, Definition]:
    """All commands by path.

    Raises:
        TypeError: Two definitions have one name, or they do not fit into a platform's menus.
    """
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return checked(one for module in modules for one in vars(module).values() if isinstance(one, Definition))
