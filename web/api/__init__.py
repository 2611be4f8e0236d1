"""The REST API, one module per feature, found by name. Its decorator makes the server and the document alike."""

import pkgutil
from collections import Counter
from functools import cache
from importlib import import_module

from web.api.route import Route


@cache
def discovered() -> tuple[Route, ...]:
    """All routes, in the order of their features.

    Raises:
        TypeError: Two answer to one method and path.
    """
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    routes = tuple(one for module in modules for one in vars(module).values() if isinstance(one, Route))
    twice = [what for what, times in Counter((one.method, one.path) for one in routes).items() if times > 1]
    if twice:
        msg = f"routes are defined twice: {twice}"
        raise TypeError(msg)
    return routes
