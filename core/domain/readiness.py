"""Readiness: what has to be so before a dataset is trained on, or its pictures are sent away."""

from core.domain.captioner import Captioner
from core.domain.consent import RIGHTS, WORDS
from core.domain.dataset import Dataset, Review, Status
from core.domain.errors import (
    ConsentWithdrawn,
    DatasetEmpty,
    DatasetNotReady,
    NotAttested,
    NotReviewed,
    Suspended,
)
from core.domain.rating import Rating


def require_attested(dataset: Dataset) -> None:
    """Let an order pass whose files somebody has spoken for.

    Raises:
        NotAttested: Nobody has.
    """
    if dataset.attestation is None:
        raise NotAttested(name=dataset.name, words=WORDS[RIGHTS])


def require_permitted(dataset: Dataset) -> None:
    """Let a dataset pass that may be used, and what was made of it.

    Raises:
        ConsentWithdrawn: Whoever is depicted, or its owner, does not want it any more.
        Suspended: Somebody has reported it, and no moderator has looked at that yet.
    """
    if dataset.revoked_at:
        raise ConsentWithdrawn(name=dataset.name)
    if dataset.suspended:
        raise Suspended(what=f"Dataset «{dataset.name}»")


def require_sendable(dataset: Dataset, captioner: Captioner) -> None:
    """Let a dataset pass whose pictures may leave the house, if they have to.

    Raises:
        ConsentWithdrawn, Suspended: Nobody may use it.
        ProviderNotAllowed: It is for adults, and the captioner is not.
    """
    if captioner.host:
        require_permitted(dataset)
    captioner.require_rating(dataset.rating, dataset=dataset.name)


def require_ready(dataset: Dataset) -> None:
    """Let an order pass.

    Raises:
        ConsentWithdrawn: Whoever is depicted, or its owner, does not want it any more.
        Suspended: Somebody has reported it, and no moderator has looked at that yet.
        DatasetEmpty: There is nothing to train on.
        DatasetNotReady: The doctor has not passed it.
        NotReviewed: It is for adults, and no moderator has approved it.
    """
    require_permitted(dataset)
    if not dataset.count:
        raise DatasetEmpty(name=dataset.name)
    if dataset.rating is Rating.NSFW and dataset.review is not Review.APPROVED:
        rejected = f"a moderator has rejected it: {dataset.review_note}"
        why = rejected if dataset.review is Review.REJECTED else "a moderator has yet to look at it"
        raise NotReviewed(name=dataset.name, why=why)
    todo = {
        Status.DRAFT: f'Let the doctor look at it first: `dataset check "{dataset.name}"`.',
        Status.UPLOADING: "Its files are still coming in; wait for the card.",
        Status.VALIDATING: "The doctor is looking at it; wait for the card.",
        Status.ERROR: f'See what blocks it: `dataset view "{dataset.name}"`.',
    }
    if dataset.status is not Status.READY:
        raise DatasetNotReady(name=dataset.name, status=dataset.status.value, todo=todo[dataset.status])
