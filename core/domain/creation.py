"""Creation: the steps in which a dataset comes to be. How far one is follows from what there is of it, and no more."""

from enum import StrEnum

from core.domain.character import Character
from core.domain.dataset import Dataset, Kind, Status


class Step(StrEnum):
    """The steps, in order."""

    CHARACTER = "character"
    TRAITS = "traits"
    DATASET = "dataset"
    PICTURES = "pictures"
    CAPTIONS = "captions"
    CHECK = "check"
    ORDER = "order"


OPTIONAL = frozenset({Step.CHARACTER, Step.TRAITS, Step.CAPTIONS})


def done(dataset: Dataset | None, character: Character | None = None) -> frozenset[Step]:
    """The steps that nothing is missing of; what is ordered is not ordered for good."""
    found = set()
    if character:
        found |= {Step.CHARACTER, *({Step.TRAITS} if character.traits else ())}
    if dataset:
        found |= {Step.DATASET}
    if dataset and dataset.count and dataset.status is not Status.UPLOADING:
        found |= {Step.PICTURES, *({Step.CAPTIONS} if _is_captioned(dataset) else ())}
        found |= {Step.CHECK} if dataset.status is Status.READY else set()
    return frozenset(found)


def following(dataset: Dataset) -> Step:
    """The first step from the dataset on that something is missing of."""
    behind = {Step.CHARACTER, Step.TRAITS} | done(dataset)
    return next(step for step in Step if step not in behind)


def _is_captioned(dataset: Dataset) -> bool:
    """Whether every picture has a caption; conversations need none."""
    if dataset.kind is Kind.CONVERSATIONS:
        return True
    bare = any(finding.code == "uncaptioned" for finding in dataset.findings)
    return dataset.statistics.items > 0 and not bare
