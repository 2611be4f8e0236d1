"""The doctor's summary: shared by every card and command that shows a dataset."""

from bots.chat.reply import Button
from bots.chat.wording import number
from core.domain.dataset import Dataset, Review, Severity
from core.domain.rating import Rating

SIGNS = {Severity.ERROR: "✗", Severity.WARNING: "!"}


def summary(dataset: Dataset) -> tuple[str, ...]:
    """What the doctor counted and found, and what a moderator said, a line each."""
    counted = dataset.statistics
    if not counted.items:
        return ("No pictures yet.",)
    low, high = ("×".join(map(str, size)) for size in (counted.smallest, counted.largest))
    sizes = low if low == high else f"{low} to {high}"
    facts = f"{number(counted.items, 'picture')}, {sizes} px, {counted.captioned} captioned: {dataset.status.value}."
    found = (f"{SIGNS[finding.severity]} {finding.words}" for finding in dataset.findings)
    return (facts, *found, *_reviewed(dataset))


def _reviewed(dataset: Dataset) -> tuple[str, ...]:
    if dataset.rating is Rating.SFW:
        return ()
    match dataset.review:
        case Review.PENDING:
            return ("For adults: a moderator has to look at it before a training.",)
        case Review.APPROVED:
            return ("For adults: a moderator has approved it.",)
        case Review.REJECTED:
            return (f"For adults: a moderator has rejected it: {dataset.review_note}",)


def remedies(dataset: Dataset) -> tuple[Button, ...]:
    """What can be done next about a dataset: mend what was found, or order."""
    buttons = []
    if any(finding.code == "uncaptioned" for finding in dataset.findings):
        buttons.append(Button(label="Caption them", command="caption auto", arguments={"dataset": dataset.id}))
    if dataset.count:
        buttons.append(Button(label="Check again", command="dataset check", arguments={"dataset": dataset.id}))
    return tuple(buttons)
