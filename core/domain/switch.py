"""Switches: what operators turn off for a while. Everything is on until somebody turned it off."""

from datetime import datetime

from core.domain.value import Entity

QUEUE = "queue"


class Switch(Entity):
    """Whether one thing is on, and who said so; the id says what: see the functions here."""

    on: bool
    by: str
    at: datetime


def is_on(found: Switch | None) -> bool:
    """Whether what was looked for under an id is on: nobody touched it, or somebody turned it on again."""
    return found is None or found.on


def of_worker(worker: str) -> str:
    """The switch that lets a worker take jobs: off means that it drains."""
    return f"worker:{worker}"


def pauses_work(name: str) -> bool:
    """Whether a switch that is off keeps all workers from jobs."""
    return name == QUEUE or name.startswith((of_kind(""), of_claims("")))


def of_kind(kind: str) -> str:
    """The switch that lets anybody take jobs of a kind."""
    return f"kind:{kind}"


def of_claims(offering: str) -> str:
    """The switch that lets anybody take jobs of an offering, whether it can be ordered or not."""
    return f"claims:{offering}"


def of_offering(offering: str) -> str:
    """The switch that puts an offering on offer."""
    return f"offering:{offering}"
