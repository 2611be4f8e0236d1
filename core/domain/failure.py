"""The catalogue of failures: what each code means in words, whose fault it is, what is done about it, and who pays.

What was set aside goes back whoever's fault it is. Where a failure is `free`, the same training is ordered again at no
charge: the fault was the house's, and nothing about the order has to change.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import assert_never

from pydantic import JsonValue

from core.domain.value import Value

LARGEST = 64  # batches of which a recipe makes one step, at most


class Act(StrEnum):
    """What is done about a failure before anybody hears of it, or instead."""

    REMEDY = "remedy"  # something is changed, and the same attempt goes on
    RETRY = "retry"  # any worker tries again later
    ELSEWHERE = "elsewhere"  # another worker tries at once; this one not again soon
    REFUND = "refund"  # the job ends


class Row(Value):
    """One code. `words` say what happened and what to do; `{said}` stands for what is known of the single case."""

    words: str
    ours: bool = True
    act: Act = Act.REFUND
    free: bool = False

    def told(self, said: str) -> str:
        """The words for its owner."""
        return self.words.format(said=said)


CATALOGUE: Mapping[str, Row] = {
    "attempts_used_up": Row(words="{said}", act=Act.RETRY, free=True),
    "bad_adapter": Row(words="{said}"),
    "bad_checkpoint": Row(words="{said} It was begun anew, in vain.", act=Act.REMEDY, free=True),
    "bad_hyperparameters": Row(words="These settings do not fit the recipe: {said} Order it again with others."),
    "bad_item": Row(words="{said} Replace it, and order again.", ours=False),
    "base_gated": Row(
        words="The terms of the base model have not been accepted for this house. Only an admin can do that: tell one.",
        act=Act.ELSEWHERE,
        free=True,
    ),
    "base_missing": Row(
        words="No worker that tried it can load the base model. An admin has to look into it: tell one.",
        act=Act.ELSEWHERE,
        free=True,
    ),
    "broke": Row(words="Something broke; reference {said}.", free=True),
    "captioner_failed": Row(words="{said}"),
    "disk_full": Row(
        words="The disks of all workers that tried it are full. An admin has to make room: tell one.",
        act=Act.ELSEWHERE,
        free=True,
    ),
    "export_incomplete": Row(words="{said}"),
    "files_too_demanding": Row(words="{said}", ours=False),
    "house_away": Row(words="The database was away. The worker waits until it is back, and goes on.", act=Act.REMEDY),
    "intake_stopped": Row(words="{said}"),
    "nan_loss": Row(words="{said} Order it again with a lower learning rate.", ours=False),
    "nothing_to_learn": Row(words="{said} Add shorter conversations, or order it with a larger length.", ours=False),
    "out_of_memory": Row(
        words="{said} Nothing was left that saves memory. Order it again at a smaller size or rank.",
        act=Act.REMEDY,
    ),
    "quarantined": Row(words="{said}"),
    "stored_file_damaged": Row(words="{said}"),
    "unknown_template": Row(words="{said} Operators were told."),
}


def row_of(code: str) -> Row:
    """The row of a code. What the domain refuses has none: its words are in `core.domain.errors`, and say it all."""
    return CATALOGUE.get(code, Row(words="{said}"))


class Remedy(StrEnum):
    """What is changed where the device's memory does not suffice, in this order; none changes what is learned."""

    CHECKPOINTING = "checkpointing"
    SMALL_BATCH = "small_batch"


REMEDIES: Mapping[Remedy, str] = {
    Remedy.CHECKPOINTING: "Its memory did not suffice, so gradients are computed again instead of kept: a bit slower.",
    Remedy.SMALL_BATCH: "Its memory still did not suffice, so the pictures of a step are computed one by one.",
}


def remedy_for(hyperparameters: Mapping[str, JsonValue]) -> Remedy | None:
    """The next remedy for too little memory; None where all that is left is to give up."""
    changes = (remedy for remedy in Remedy if remedied(hyperparameters, remedy) != dict(hyperparameters))
    return next(changes, None)


def remedied(hyperparameters: Mapping[str, JsonValue], remedy: Remedy) -> dict[str, JsonValue]:
    """The hyper-parameters with a remedy; once more changes nothing.

    What one step learns from, `batch` × `accumulation` examples, stays the same.
    """
    match remedy:
        case Remedy.CHECKPOINTING:
            return {**hyperparameters, "checkpointing": True}
        case Remedy.SMALL_BATCH:
            batch, accumulation = (int(str(hyperparameters.get(name, 1))) for name in ("batch", "accumulation"))
            examples = batch * accumulation
            sizes = (size for size in range(1, batch) if examples % size == 0 and examples // size <= LARGEST)
            smaller = next(sizes, batch)
            return {**hyperparameters, "batch": smaller, "accumulation": examples // smaller}
    assert_never(remedy)
