"""The commands, each defined once: parse, call one service method, present. A module per feature, found by name."""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from bots.chat.definition import Definition


def discovered() -> Mapping[str, Definition]:
    """All commands by path.

    Raises:
        TypeError: Two definitions have one path.
    """
    found: dict[str, Definition] = {}
    for module in pkgutil.iter_modules(__path__):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, Definition):
                if value.path in found:
                    msg = f"command {value.path} is defined twice"
                    raise TypeError(msg)
                found[value.path] = value
    return found
