"""The sandbox: the same core as in the chats, on pages. One module per feature, found by name."""

import pkgutil
from functools import cache
from importlib import import_module

from web.sandbox.page import Page


@cache
def discovered() -> tuple[Page, ...]:
    """All pages, in the order of their features."""
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    found = [(module, one) for module in modules for one in vars(module).values() if isinstance(one, Page)]
    return tuple(one for module, one in found if one.run.__module__ == module.__name__)  # and none that it only uses
