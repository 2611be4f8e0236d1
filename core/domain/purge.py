"""Purges: what is deleted together, and what comes back under a name that is free."""

import hashlib
from collections.abc import Collection, Iterable

from core.domain.dataset import NAME_LENGTH, Dataset
from core.domain.trigger import folded


def digest(datasets: Iterable[Dataset]) -> str:
    """What tells one selection of datasets from another: sixteen signs, whatever the order."""
    ids = "\n".join(sorted(dataset.id for dataset in datasets))
    return hashlib.sha256(ids.encode()).hexdigest()[:16]


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, or with the first number after it that makes it free; `taken` are folded."""
    wished, number = name, 1
    while folded(wished) in taken:
        number += 1
        suffix = f" {number}"
        wished = name[: NAME_LENGTH - len(suffix)].rstrip() + suffix
    return wished
