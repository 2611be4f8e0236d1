"""The doctor's summary: shared by every card and command that shows a dataset."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from bots.chat.reply import Button
from bots.chat.wording import number
from core.domain.action import Style
from core.domain.artifact import Artifact
from core.domain.dataset import Dataset, Kind, Review, Status
from core.domain.doctor import FIXES, Fix
from core.domain.errors import DomainError
from core.domain.finding import ERRORS, LineError, Severity, TokenCount
from core.domain.quota import MB
from core.domain.rating import Rating
from core.domain.readiness import require_ready

KB = 2**10
SIGNS = {Severity.ERROR: "✗", Severity.WARNING: "!"}
LABELS = {
    Fix.DROP_EXACT: "Drop the copies",
    Fix.DROP_NEAR: "Drop look-alikes",
    Fix.KEEP_NEAR: "Keep look-alikes",
    Fix.RESIZE: "Scale them down",
    Fix.COMPOSE: "Say trigger and traits",
    Fix.ROLES: "Put roles in order",
    Fix.WITHOUT_BAD_LINES: "Go on without them",
}


def summary(dataset: Dataset) -> tuple[str, ...]:
    """What the doctor counted and found, and what a moderator said, a line each."""
    counted, stopped = dataset.statistics, _stopped(dataset)
    if not counted.items:
        unseen = "The doctor has not looked at it yet." if dataset.count else "Nothing is in it yet."
        return (*stopped, unseen)
    facts = _conversed(dataset) if dataset.kind is Kind.CONVERSATIONS else _pictured(dataset)
    found = (f"{SIGNS[finding.severity]} {finding.words}" for finding in dataset.findings)
    wrong = misread((*dataset.errors, *dataset.faults)[:ERRORS])
    looking = ("The doctor looks at it now. What he said before:",) if dataset.status is Status.VALIDATING else ()
    return (*stopped, *looking, *facts, *found, *wrong, *_reviewed(dataset))


def misread(errors: Sequence[LineError]) -> tuple[str, ...]:
    """Errors of lines in words; what is wrong with several in a row is said once."""
    rows = [list(row) for _, row in groupby(errors, key=lambda error: (error.file, error.words))]
    again = (f" The same in {number(len(row) - 1, 'more line')}." if row[1:] else "" for row in rows)
    return tuple(f"{row[0]}{more}" for row, more in zip(rows, again, strict=True))


def shown(dataset: Dataset) -> tuple[Artifact, ...]:
    """The pictures that show a dataset: the contact sheet, and near duplicates side by side."""
    return (*dataset.sheets, *((dataset.pairs,) if dataset.pairs else ()))


def remedies(dataset: Dataset) -> tuple[Button, ...]:
    """What can be done next about a dataset: fill it, mend what was found, let the doctor look again, or train."""
    arguments = {"dataset": dataset.id}
    if not dataset.count:
        return (Button(label="Add files", command="dataset add", arguments=arguments),)
    codes = [finding.code for finding in dataset.findings]
    fixes = dict.fromkeys(fix for code in codes for fix in FIXES.get(code, ()))
    mending = [
        Button(label=LABELS[fix], command="dataset mend", arguments=arguments | {"fix": fix.value}) for fix in fixes
    ]
    if "uncaptioned" in codes:
        mending.append(Button(label="Caption them", command="caption auto", arguments=arguments))
    mending.append(Button(label="Check again", command="dataset check", arguments=arguments))
    return (*mending, *(training(dataset) if "uncaptioned" not in codes else ()))


def training(dataset: Dataset) -> tuple[Button, ...]:
    """The button that trains on pictures, where nothing is in the way of that."""
    try:
        require_ready(dataset)
    except DomainError:
        return ()
    if dataset.kind is not Kind.IMAGES:
        return ()
    return (Button(label="Train", command="train order", arguments={"dataset": dataset.id}, style=Style.GO),)


def _pictured(dataset: Dataset) -> tuple[str, ...]:
    counted = dataset.statistics
    low, high = ("×".join(map(str, size)) for size in (counted.smallest, counted.largest))
    sizes = low if low == high else f"{low} to {high}"
    status = dataset.status.value
    first = f"{number(counted.items, 'picture')}, {sizes} px, {counted.captioned} captioned: {status}."
    sides, aspects = _histogram(counted.resolutions), _histogram(counted.aspects)
    shapes = f"{weight(dataset.bytes)}. Shorter sides: {sides}. Shapes: {aspects}."
    said = f"{counted.triggered} of {number(counted.captioned, 'caption')} say «{dataset.trigger}»"
    captions = (f"{said}; they have {_lengths(counted.tokens)}.",) if counted.captioned else ()
    return (first, shapes, *captions)


def _conversed(dataset: Dataset) -> tuple[str, ...]:
    counted, tokens = dataset.statistics, dataset.statistics.tokens
    turns = f"{number(counted.turns, 'turn')}, {counted.turns / counted.items:.1f} each"
    pairs = (
        f"{number(counted.pairs - counted.validation_pairs, 'pair')} to train on, {counted.validation_pairs} to test"
    )
    length = f"{_about(tokens)}{number(tokens.total, 'token')}, {tokens.total / max(1, counted.turns):.1f} a turn"
    return (
        f"{number(counted.items, 'conversation')}, {weight(dataset.bytes)}: {dataset.status.value}.",
        f"{turns}; {pairs}; {length}.",
    )


def _lengths(tokens: TokenCount) -> str:
    span = f"{tokens.shortest}" if tokens.shortest == tokens.longest else f"{tokens.shortest} to {tokens.longest}"
    return f"{_about(tokens)}{span} tokens"


def _about(tokens: TokenCount) -> str:
    return "about " if tokens.estimated else ""


def _histogram(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" if " " in name else f"{count} of {name}" for name, count in counts.items())


def weight(size: int) -> str:
    """So many bytes in words: «7 KB», «3.2 MB»."""
    return f"{size / MB:.1f} MB" if size >= MB else f"{-(-size // KB)} KB"


def _stopped(dataset: Dataset) -> tuple[str, ...]:
    """Why nobody can train on it, whatever the doctor says."""
    reported = ("✗ Somebody has reported it: nobody can use it until a moderator has looked.",)
    withdrawn = ("✗ The consent for it was withdrawn: nothing is trained on it.",)
    return (*(reported if dataset.suspended else ()), *(withdrawn if dataset.revoked_at else ()))


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
