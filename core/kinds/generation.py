"""Generation: a prompt becomes pictures with models, and what is paid for them is shared with the models' owners."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from core.domain.account import Account
from core.domain.artifact import Artifact
from core.domain.generation import Generation
from core.domain.job import Job
from core.domain.ledger import captured, debt, earnings, earnings_pending
from core.domain.model import Model
from core.domain.royalty import (
    HUNDREDTHS,
    Part,
    Remainder,
    Usage,
    accrued,
    clawed_back,
    losses,
    lowered,
    matured,
    payers_day,
    rounded,
    usage_id,
    used,
)
from core.domain.value import Value
from core.ports.clock import Ids
from core.ports.store import Repositories

EVER = datetime.max.replace(microsecond=0, tzinfo=UTC)
BATCH = 200  # usages that mature in one transaction


class Payload(Value):
    """The generation to make; its row has the details."""

    generation: str


class Result(Value):
    """The pictures."""

    pictures: tuple[Artifact, ...]


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Put the pictures into the generation's row, unless it was deleted, and share what was paid for them."""
    if isinstance(result, Result):
        generation = await tx.generations.get(Payload.model_validate(job.payload).generation)
        if generation.deleted_at is None:
            await tx.references.refer(*(picture.sha256 for picture in result.pictures))
            await tx.generations.save(generation.but(pictures=result.pictures))
        await _share(tx, job, generation, now=now)


async def mature(tx: Repositories, owner: str, *, now: datetime) -> None:
    """Let an owner spend what was earned long enough ago, in the caller's transaction.

    Of very much, a part: the rest is still due and matures the next time.
    """
    due = await tx.usages.due(owner, now=now, limit=BATCH)
    pending = await tx.ledger.balance(earnings_pending(owner))
    if amount := min(sum(usage.pending for usage in due), pending.purchased):
        owed = await tx.ledger.balance(debt(owner))
        why = "earned long enough ago"
        await tx.ledger.post(matured(amount, owed, owner=owner, key=due[0].id, why=why, now=now))
    for usage in due:
        await tx.usages.save(usage.but(pending=0, due=None))


async def claw_back(tx: Repositories, job: Job, *, now: datetime) -> None:
    """Take back what owners have earned by what was paid back, right after the refund and in its transaction.

    Nothing is taken for a job that used no models.
    """
    usages = await tx.usages.of(job.id)
    paid = captured(await tx.ledger.about(job.id)).purchased
    if usages and paid < usages[0].paid:
        for model, loss in losses(usages, paid=paid).items():
            await _take(tx, usage_id(job.id, model), loss, paid=paid, now=now)


async def _share(tx: Repositories, job: Job, generation: Generation, *, now: datetime) -> None:
    """Note the uses of a generation's models and credit their owners, within the payer's day."""
    drawn = [(await tx.models.get(worn.model), worn.percent) for worn in generation.adapters]
    drawn.sort(key=lambda pair: (pair[0].created_at, pair[0].id))
    payer, terms = await tx.accounts.get(job.owner), generation.terms
    paid = captured(await tx.ledger.about(job.id)).purchased
    fresh = payers_day(payer.id, now)
    today = await tx.allowances.find(fresh.id) or fresh
    usages = used(
        [_part(model, percent) for model, percent in drawn],
        generation=generation.id,
        payer=payer.id,
        related=await _related(tx, payer, [model for model, _ in drawn]),
        paid=paid,
        room=max(0, terms.cap * HUNDREDTHS - today.count),
        terms=terms,
        now=now,
    )
    for usage in usages:
        await tx.usages.add(await _credited(tx, usage, now=now))
    if shared := sum(usage.share for usage in usages):
        await tx.allowances.save(today.but(count=today.count + shared))


def _part(model: Model, percent: int) -> Part:
    return Part(model=model.id, run=model.run, owner=model.owner, sha256=model.content, percent=percent)


async def _related(tx: Repositories, payer: Account, models: Sequence[Model]) -> set[str]:
    owners = [await tx.accounts.get(owner) for owner in {model.owner for model in models}]
    return {owner.id for owner in owners if payer.is_related(owner)}


async def _credited(tx: Repositories, usage: Usage, *, now: datetime) -> Usage:
    """The usage with the whole qoints that came with it, which are credited to its owner."""
    whole = await _whole(tx, usage.owner, usage.share) if usage.share else 0
    if not whole:
        return usage
    owed = await tx.ledger.balance(debt(usage.owner))
    came = accrued(whole, owed, owner=usage.owner, key=usage.id, why="others' pictures", now=now)
    pending = (await tx.ledger.post(came)).change(earnings_pending(usage.owner))
    return usage.but(pending=pending, due=now + timedelta(days=usage.terms.holding_days) if pending else None)


async def _take(tx: Repositories, name: str, loss: int, *, paid: int, now: datetime) -> None:
    """Take a usage's loss from its owner; what was pending with it goes first, then what would be due next."""
    found = await tx.usages.get(name)
    usage = found.but(paid=paid, share=found.share - loss, clawed=found.clawed + loss)
    await tx.usages.save(usage)
    whole = -await _whole(tx, usage.owner, -loss)
    if not whole:
        return
    pending = await tx.ledger.balance(earnings_pending(usage.owner))
    earned = await tx.ledger.balance(earnings(usage.owner))
    key, why = f"{name}:{paid}", "others' pictures were paid back"
    back = clawed_back(whole, pending, earned, owner=usage.owner, key=key, why=why, now=now)
    taken = -(await tx.ledger.post(back)).change(earnings_pending(usage.owner))
    waiting = [usage, *await tx.usages.due(usage.owner, now=EVER, limit=whole)]
    for one in lowered({one.id: one for one in waiting}.values(), taken):
        await tx.usages.save(one)


async def _whole(tx: Repositories, owner: str, change: int) -> int:
    """The whole qoints that a change in hundredths means for an owner; the rest is kept for the next time."""
    kept = await tx.remainders.find(owner) or Remainder(id=owner)
    whole, rest = rounded(kept.hundredths, change)
    await tx.remainders.save(kept.but(hundredths=rest))
    return whole
