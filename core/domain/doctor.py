"""The dataset doctor: pure rules from facts about items to findings. What needs the bytes was measured before."""

from collections.abc import Sequence
from datetime import datetime
from itertools import combinations

from core.domain.dataset import Dataset, Finding, Item, Severity, Statistics, Status

NEAR = 6  # bits of 64 in which two perceptual hashes of one motif may differ
SMALL = 64  # pixels on the shorter side
SHOWN = 5  # names in one finding
BLURRED = 5.0  # variance of the Laplacian below which a picture hardly has edges


def examined(
    dataset: Dataset, items: Sequence[Item], *, unreadable: Sequence[str] = ()
) -> tuple[tuple[Finding, ...], Statistics]:
    """Everything the doctor has to say; `unreadable` are ids of items whose stored bytes did not decode."""
    checks = (_unreadable(items, unreadable), _exact(items), _near(items), _small(items), _blurred(items))
    return tuple(f for f in (*checks, _uncaptioned(dataset, items), _triggerless(dataset, items)) if f), _counted(items)


def reexamined(
    dataset: Dataset, items: Sequence[Item], *, unreadable: Sequence[str] | None = None, now: datetime
) -> Dataset:
    """The dataset after a look at its items: ready or error, or the draft it is while there are none.

    `unreadable` are ids of items whose stored bytes did not decode; None where nobody has read them, so that those
    of the last reading stand.
    """
    if not items:
        return dataset.unchecked(now=now)
    if unreadable is None:
        unreadable = [item for known in dataset.findings if known.code == "unreadable" for item in known.items]
    findings, statistics = examined(dataset, items, unreadable=unreadable)
    return dataset.validating(now=now).checked(findings, statistics, now=now)


def recaptioned(dataset: Dataset, items: Sequence[Item], *, now: datetime) -> Dataset:
    """The dataset after its captions changed; what is still coming in or being read stays so."""
    after = reexamined(dataset, items, now=now)
    return after.but(status=dataset.status) if dataset.status in {Status.UPLOADING, Status.VALIDATING} else after


def _counted(items: Sequence[Item]) -> Statistics:
    sizes = sorted(((item.width, item.height) for item in items), key=lambda size: size[0] * size[1])
    return Statistics(
        items=len(items),
        bytes=sum(item.artifact.size for item in items),
        captioned=sum(item.caption is not None for item in items),
        smallest=sizes[0] if sizes else (0, 0),
        largest=sizes[-1] if sizes else (0, 0),
    )


def _finding(
    code: str, words: str, items: Sequence[Item], *, severity: Severity = Severity.WARNING, fix: str | None = None
) -> Finding | None:
    ids = tuple(item.id for item in items)
    return Finding(code=code, severity=severity, words=words, items=ids, fix=fix) if ids else None


def _names(items: Sequence[Item]) -> str:
    names = [item.artifact.name for item in items[:SHOWN]]
    return ", ".join(names) + (f" and {len(items) - SHOWN} more" if len(items) > SHOWN else "")


def _unreadable(items: Sequence[Item], ids: Sequence[str]) -> Finding | None:
    bad = [item for item in items if item.id in set(ids)]
    words = f"{_names(bad)}: the stored picture can no longer be read. Add it again."
    return _finding("unreadable", words, bad, severity=Severity.ERROR)


def _exact(items: Sequence[Item]) -> Finding | None:
    first: dict[str, Item] = {}
    copies = [item for item in items if first.setdefault(item.artifact.sha256, item) is not item]
    return _finding("exact_duplicates", f"The same picture more than once: {_names(copies)}.", copies)


def _near(items: Sequence[Item]) -> Finding | None:
    hashed = [(item, int(item.phash, 16)) for item in items]
    pairs = [
        (one, other)
        for (one, its), (other, others) in combinations(hashed, 2)
        if (its ^ others).bit_count() <= NEAR and one.artifact.sha256 != other.artifact.sha256
    ]
    shown = ", ".join(f"{one.artifact.name} ~ {other.artifact.name}" for one, other in pairs[:SHOWN])
    more = f" and {len(pairs) - SHOWN} more pairs" if len(pairs) > SHOWN else ""
    alike = list({item.id: item for pair in pairs for item in pair}.values())
    return _finding("near_duplicates", f"Look much alike: {shown}{more}. Variety teaches more.", alike)


def _small(items: Sequence[Item]) -> Finding | None:
    small = [item for item in items if min(item.width, item.height) < SMALL]
    return _finding("small", f"Smaller than {SMALL} px: {_names(small)}. Larger originals train better.", small)


def _blurred(items: Sequence[Item]) -> Finding | None:
    blurred = [item for item in items if item.sharpness < BLURRED]
    return _finding("blurred", f"Hardly any edges: {_names(blurred)}. Sharper pictures train better.", blurred)


def _uncaptioned(dataset: Dataset, items: Sequence[Item]) -> Finding | None:
    bare = [item for item in items if item.caption is None]
    words = f"{len(bare)} of {len(items)} have no caption; they would be trained as «{dataset.trigger}»."
    return _finding("uncaptioned", words, bare, fix=f"caption auto {dataset.id}")


def _triggerless(dataset: Dataset, items: Sequence[Item]) -> Finding | None:
    without = [item for item in items if item.caption and dataset.trigger not in item.caption.text.casefold()]
    words = f"The trigger «{dataset.trigger}» is missing in the captions of {_names(without)}."
    return _finding("triggerless", words, without, fix=f"caption auto {dataset.id} overwrite")
