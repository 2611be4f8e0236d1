"""What is declared in files and checked at start: the offerings, one TOML file each, and the traits of characters."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from core.domain.character import TraitCategory
from core.domain.offering import Offering


class OfferingBroken(Exception):  # noqa: N818 - speaks of the file, as every error here
    """A file of the catalogue that cannot be read: which, and what is wrong with it."""


def offerings(*, folder: Path | None = None, bases: Mapping[str, str] | None = None) -> dict[str, Offering]:
    """All offerings by id: those that ship, then those in `folder`, each with its base where `bases` puts it.

    Raises:
        OfferingBroken: A file does not parse, or does not fit.
    """
    shipped = [entry for entry in files("config").joinpath("offerings").iterdir() if entry.name.endswith(".toml")]
    own = sorted(folder.glob("*.toml")) if folder else []
    found = [_read(entry) for entry in (*sorted(shipped, key=lambda entry: entry.name), *own)]
    return {offering.id: _located(offering, bases or {}) for offering in found}


def traits(file: Traversable | Path | None = None) -> dict[str, TraitCategory]:
    """The preset categories of traits by id, in the order of the file.

    Raises:
        OfferingBroken: The file does not parse, or does not fit.
    """
    found = file or files("config").joinpath("traits.toml")
    try:
        presets = tomllib.loads(found.read_text(encoding="utf-8"))
        return {name: TraitCategory(id=name, **fields) for name, fields in presets.items()}
    except (OSError, TypeError, ValueError) as error:
        msg = f"{found.name}: {error}"
        raise OfferingBroken(msg) from error


def _read(file: Traversable | Path) -> Offering:
    try:
        return _parsed(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8"))
    except (OSError, TypeError, ValueError, LookupError) as error:
        msg = f"{file.name}: {error}"
        raise OfferingBroken(msg) from error


@cache  # a file is parsed again only when it says something else
def _parsed(name: str, text: str) -> Offering:
    return Offering(id=name, **tomllib.loads(text))


def _located(offering: Offering, bases: Mapping[str, str]) -> Offering:
    place = bases.get(offering.base.id)
    return offering.but(base=offering.base.but(location=place)) if place else offering
