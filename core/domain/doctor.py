"""The dataset doctor: pure rules from facts about items to findings. What needs the bytes was measured before."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from core.domain.conversation import PartFacts
from core.domain.counting import captioned, conversed, pictured, says, tokens
from core.domain.dataset import Dataset, Kind, Status
from core.domain.finding import Finding, Severity, Statistics, TokenCount
from core.domain.item import Item
from core.domain.likeness import copies, lookalikes

SMALL = 64  # pixels on the shorter side
LARGE = 2048  # pixels on the longer side
LONG = 75  # tokens that CLIP reads of a caption, besides one before and one after
SHOWN = 5  # names in one finding
BLURRED = 5.0  # variance of the Laplacian below which a picture hardly has edges


class Fix(StrEnum):
    """What one tap mends."""

    DROP_EXACT = "drop_exact"
    DROP_NEAR = "drop_near"
    KEEP_NEAR = "keep_near"
    RESIZE = "resize"
    COMPOSE = "compose"
    ROLES = "roles"
    WITHOUT_BAD_LINES = "without_bad_lines"


FIXES: Mapping[str, tuple[Fix, ...]] = {
    "bad_lines": (Fix.WITHOUT_BAD_LINES,),
    "exact_duplicates": (Fix.DROP_EXACT,),
    "near_duplicates": (Fix.DROP_NEAR, Fix.KEEP_NEAR),
    "oversized": (Fix.RESIZE,),
    "triggerless": (Fix.COMPOSE,),
    "traitless": (Fix.COMPOSE,),
    "roles": (Fix.ROLES,),
}
"""What mends a finding, by its code; the others take other pictures, or other captions."""
OF_CAPTIONS = frozenset({"uncaptioned", "triggerless", "traitless", "long"})  # codes that a change of captions renews


def examined(
    dataset: Dataset, items: Sequence[Item], *, unreadable: Sequence[str] = ()
) -> tuple[tuple[Finding, ...], Statistics]:
    """What the doctor has to say of pictures; `unreadable` are ids of items whose stored bytes do not decode."""
    used = trained(items)
    checks = (
        _unreadable(used, unreadable),
        _exact(dataset, used),
        _near(dataset, used),
        _small(used),
        _large(used),
        _blurred(used),
        _withdrawn(items),
    )
    return tuple(finding for finding in checks if finding), pictured(items)


def conversations_examined(
    dataset: Dataset, facts: PartFacts, *, tokens: TokenCount, duplicates: int, unreadable: int = 0
) -> tuple[tuple[Finding, ...], Statistics]:
    """What the doctor has to say of conversations, from what was counted in all that can (still) be read."""
    gone = "are stored in a file that can no longer be read: add them to a new dataset"
    checks = (
        _counted(unreadable, "unreadable", gone, Severity.ERROR, noun="conversation"),
        _counted(facts.faults, "roles", "in which the roles are not in order or nothing is said", Severity.ERROR),
        _counted(facts.secrets, "secrets", "that seem to hold a password or a key: a model may say them to anybody"),
        _counted(facts.emails, "emails", "that hold an e-mail address: a model may say them to anybody"),
        _counted(duplicates, "duplicates", "that say what another conversation says", noun="conversation"),
    )
    return tuple(finding for finding in checks if finding), conversed(dataset, facts, tokens)


def lines_examined(dataset: Dataset) -> tuple[Finding, ...]:
    """What the doctor has to say of lines that did not come in."""
    words = "of your files that could not be read: send them again mended, or go on without them"
    found = _counted(dataset.error_count, "bad_lines", words, Severity.ERROR, noun="line")
    return (found,) if found else ()


def captions_examined(dataset: Dataset, items: Sequence[Item], phrases: Sequence[str] = ()) -> tuple[Finding, ...]:
    """What the doctor has to say of captions alone; `phrases` is what each has to say after the trigger word."""
    used = trained(items)
    checks = (_uncaptioned(dataset, used), _triggerless(dataset, used), _traitless(dataset, used, phrases))
    return tuple(finding for finding in (*checks, _long(dataset, used)) if finding)


def recaptioned(dataset: Dataset, items: Sequence[Item], *, now: datetime, phrases: Sequence[str] = ()) -> Dataset:
    """The dataset after its captions changed: they alone are looked at again, and its status stays."""
    if dataset.kind is Kind.CONVERSATIONS:
        return dataset
    others = tuple(finding for finding in dataset.findings if finding.code not in OF_CAPTIONS)
    return dataset.but(
        findings=(*others, *captions_examined(dataset, items, phrases)),
        statistics=captioned(dataset, items),
        updated_at=now,
    )


def without_bad_lines(dataset: Dataset, *, now: datetime) -> Dataset:
    """The dataset when nobody waits any more for lines that could not be read; what blocks it besides goes on to."""
    mended = dataset.but(errors=(), error_count=0, updated_at=now)
    if dataset.status is not Status.ERROR:
        return mended
    others = tuple(finding for finding in dataset.findings if finding.code != "bad_lines")
    return mended.checked(others, dataset.statistics, now=now)


def kept(dataset: Dataset, items: Sequence[Item], *, now: datetime) -> Dataset:
    """The dataset when all that look alike now shall stay; a look that is under way is taken again."""
    staying = set(dataset.kept)
    while pairs := lookalikes(trained(items), kept=staying):
        staying |= {item.id for pair in pairs for item in pair}
    return dataset.but(
        kept=tuple(sorted(staying)),
        findings=tuple(finding for finding in dataset.findings if finding.code != "near_duplicates"),
        revision=dataset.revision + 1,
        updated_at=now,
    )


def trained(items: Sequence[Item]) -> Sequence[Item]:
    """Those that are trained on: nobody has withdrawn their consent."""
    return [item for item in items if not item.withdrawn_at]


def large(items: Sequence[Item]) -> Sequence[Item]:
    """Those that have more pixels than any base model looks at."""
    return [item for item in items if max(item.width, item.height) > LARGE]


def incomplete(dataset: Dataset, items: Sequence[Item], phrases: Sequence[str]) -> Sequence[Item]:
    """Those whose caption does not say each of some phrases."""
    captions = [(item, caption.text) for item in items if (caption := dataset.caption_of(item))]
    return [item for item, text in captions if not all(says(text, phrase) for phrase in phrases)]


def _finding(code: str, words: str, items: Sequence[Item], severity: Severity = Severity.WARNING) -> Finding | None:
    ids = tuple(item.id for item in items)
    return Finding(code=code, severity=severity, words=words, items=ids) if ids else None


def _counted(
    count: int, code: str, words: str, severity: Severity = Severity.WARNING, *, noun: str = "turn"
) -> Finding | None:
    those = f"{count} {noun}" if count == 1 else f"{count} {noun}s"
    return Finding(code=code, severity=severity, words=f"{those} {words}.") if count else None


def _names(items: Sequence[Item]) -> str:
    return _some([item.artifact.name for item in items])


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _unreadable(items: Sequence[Item], ids: Sequence[str]) -> Finding | None:
    bad = [item for item in items if item.id in set(ids)]
    words = f"{_names(bad)}: the stored picture can no longer be read. Add it again."
    return _finding("unreadable", words, bad, Severity.ERROR)


def _exact(dataset: Dataset, items: Sequence[Item]) -> Finding | None:
    again = copies(dataset, items)
    return _finding("exact_duplicates", f"The same picture more than once: {_names(again)}.", again)


def _near(dataset: Dataset, items: Sequence[Item]) -> Finding | None:
    pairs = lookalikes(items, kept=dataset.kept)
    shown = _some([f"{one.artifact.name} ~ {other.artifact.name}" for one, other in pairs])
    alike = list({item.id: item for pair in pairs for item in pair}.values())
    return _finding("near_duplicates", f"Look much alike: {shown}. Variety teaches more.", alike)


def _small(items: Sequence[Item]) -> Finding | None:
    small = [item for item in items if min(item.width, item.height) < SMALL]
    return _finding("small", f"Smaller than {SMALL} px: {_names(small)}. Larger originals train better.", small)


def _large(items: Sequence[Item]) -> Finding | None:
    found = large(items)
    return _finding("oversized", f"Larger than {LARGE} px, which no training needs: {_names(found)}.", found)


def _blurred(items: Sequence[Item]) -> Finding | None:
    blurred = [item for item in items if item.sharpness < BLURRED]
    words = f"Hardly any edges (sharpness below {BLURRED:g}): {_names(blurred)}. Sharper pictures train better."
    return _finding("blurred", words, blurred)


def _withdrawn(items: Sequence[Item]) -> Finding | None:
    gone = [item for item in items if item.withdrawn_at]
    words = f"Left out, since the consent for them was withdrawn: {_names(gone)}."
    return _finding("withdrawn", words, gone)


def _uncaptioned(dataset: Dataset, items: Sequence[Item]) -> Finding | None:
    bare = [item for item in items if dataset.caption_of(item) is None]
    words = f"{len(bare)} of {len(items)} without a caption; they would be trained as «{dataset.trigger}»."
    return _finding("uncaptioned", words, bare)


def _triggerless(dataset: Dataset, items: Sequence[Item]) -> Finding | None:
    without = incomplete(dataset, items, (dataset.trigger,))
    words = f"The trigger «{dataset.trigger}» is missing in the captions of {_names(without)}."
    return _finding("triggerless", words, without)


def _traitless(dataset: Dataset, items: Sequence[Item], phrases: Sequence[str]) -> Finding | None:
    without = incomplete(dataset, items, phrases)
    words = f"Not all of «{', '.join(phrases)}» is said in the captions of {_names(without)}."
    return _finding("traitless", words, without)


def _long(dataset: Dataset, items: Sequence[Item]) -> Finding | None:
    captions = [(item, caption) for item in items if (caption := dataset.caption_of(item))]
    long = [item for item, caption in captions if tokens(caption) > LONG]
    words = f"The captions of {_names(long)} are longer than {LONG} tokens: most models do not read on."
    return _finding("long", words, long)
