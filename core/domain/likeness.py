"""Likeness: which pictures of a dataset are the same, and which look much alike, without comparing each with each."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from core.domain.dataset import Dataset
from core.domain.item import Item

NEAR = 6  # bits of 64 in which two perceptual hashes of one motif may differ
BAND = 9  # bits: with the rest in the last, seven bands, and of seven one is the same where six bits differ


def copies(dataset: Dataset, items: Sequence[Item]) -> list[Item]:
    """The pictures that are there already, byte for byte; of those that are the same a captioned one counts first."""
    first: dict[str, Item] = {}
    ranked = sorted(items, key=lambda item: (dataset.caption_of(item) is None, item.position))
    again = [item for item in ranked if first.setdefault(item.artifact.sha256, item) is not item]
    return sorted(again, key=lambda item: item.position)


def lookalikes(items: Sequence[Item], *, kept: Collection[str] = ()) -> list[tuple[Item, Item]]:
    """Each picture that looks like a better one that stays, behind that one: larger is better, then sharper.

    Of two that shall be `kept` neither goes, and copies are no look-alikes. Hashes that differ in at most six of 64
    bits share one of seven bands of them, so only those that do are compared (the pigeonhole principle of Manku, Jain
    and Sarma, «Detecting Near-Duplicates for Web Crawling», 2007).
    """
    staying: dict[tuple[bool, int, int], list[tuple[int, Item]]] = defaultdict(list)
    pairs = []
    for item in sorted({item.artifact.sha256: item for item in reversed(items)}.values(), key=_rank):
        phash, is_kept = int(item.phash, 16), item.id in kept
        bands = _bands(phash)
        rivals = [(kind, *band) for kind in ((False,) if is_kept else (False, True)) for band in bands]
        seen = (one for rival in rivals for one in staying.get(rival, ()))
        if better := next((other for known, other in seen if (known ^ phash).bit_count() <= NEAR), None):
            pairs.append((better, item))
        else:
            for band in bands:
                staying[is_kept, *band].append((phash, item))
    return pairs


def _rank(item: Item) -> tuple[int, float, int]:
    return -item.width * item.height, -item.sharpness, item.position


def _bands(phash: int) -> list[tuple[int, int]]:
    last = 64 // BAND - 1
    return [*((band, phash >> BAND * band & (1 << BAND) - 1) for band in range(last)), (last, phash >> BAND * last)]
