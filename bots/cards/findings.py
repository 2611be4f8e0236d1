"""The doctor's summary: shared by every card and command that shows a dataset."""

from bots.chat.reply import Button
from core.domain.dataset import Dataset, Severity

SIGNS = {Severity.ERROR: "✗", Severity.WARNING: "!"}


def summary(dataset: Dataset) -> tuple[str, ...]:
    """What the doctor counted and found, a line each."""
    counted = dataset.statistics
    if not counted.items:
        return ("No pictures yet.",)
    low, high = ("×".join(map(str, size)) for size in (counted.smallest, counted.largest))
    sizes = low if low == high else f"{low} to {high}"
    facts = f"{counted.items} pictures, {sizes} px, {counted.captioned} captioned: {dataset.status.value}."
    return (facts, *(f"{SIGNS[finding.severity]} {finding.words}" for finding in dataset.findings))


def remedies(dataset: Dataset) -> tuple[Button, ...]:
    """What can be done next about a dataset: mend what was found, or order."""
    buttons = []
    if any(finding.code == "uncaptioned" for finding in dataset.findings):
        buttons.append(Button(label="Caption them", command="caption auto", arguments={"dataset": dataset.id}))
    if dataset.count:
        buttons.append(Button(label="Check again", command="dataset check", arguments={"dataset": dataset.id}))
    return tuple(buttons)
