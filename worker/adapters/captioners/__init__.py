"""Captioners: whoever looks at a picture and says what is on it. A module here is one, known by the module's name."""

import importlib
import pkgutil
from pathlib import Path
from typing import Protocol, cast


class Captioner(Protocol):
    """Describes pictures, one at a time."""

    def caption(self, picture: Path) -> str:
        """Return the scene of a clean picture in a few words, without trigger word and traits."""
        ...


def names() -> tuple[str, ...]:
    """Return the names of all captioners, importing none of them."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def captioner(name: str) -> Captioner:
    """Return the captioner of that name, which its module's `captioner()` makes.

    Raises:
        LookupError: There is none.
    """
    if name not in names():
        raise LookupError(f"there is no captioner {name!r}; there are: {', '.join(names())}")
    return cast("Captioner", importlib.import_module(f"{__name__}.{name}").captioner())
