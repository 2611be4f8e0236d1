"""Royalties: what it means for the owners of models that somebody else's paid generation used them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from core.domain.allowance import Allowance, Limit, window
from core.domain.ledger import (
    DEBTS,
    RESERVE,
    REVENUE,
    Act,
    Balance,
    Entry,
    Lot,
    Transaction,
    between,
    debt,
    earnings,
    earnings_pending,
)
from core.domain.value import Entity, Value

HUNDREDTHS = 100  # of a qoint: a share of one qoint is less than one, and is not lost


class Terms(Value):
    """The rules under which a generation was ordered; they are promised with the order.

    `percent` of what was paid in purchased qoints is shared; one payer earns others at most `cap` qoints a day; what
    was earned can be spent or paid out after `holding_days`.
    """

    percent: int
    cap: int
    holding_days: int


class Rule(StrEnum):
    """Why a use earned what it did."""

    SHARED = "shared"
    OWN = "own"
    RELATED = "related"
    OFF = "off"
    COPY = "copy"
    NOT_PURCHASED = "not_purchased"
    CAPPED = "capped"

    @property
    def is_foreign(self) -> bool:
        """Whether it was used by somebody else than its owner."""
        return self not in {Rule.OWN, Rule.RELATED}


class Part(Value):
    """A model that drew along: how strongly, which file it is, and whose."""

    model: str
    run: str
    owner: str
    sha256: str
    percent: int


class Usage(Entity):
    """A model served a generation; the id is `generation:model`, so that it counts once.

    `paid` is how much of the price was paid in purchased qoints and has not gone back, `share` what of it is the
    owner's, `clawed` what was until it was paid back, both in hundredths of a qoint. `pending` whole qoints came with
    it into the owner's earnings and wait there until `due`; None where nothing waits (any more).
    """

    generation: str
    model: str
    run: str
    owner: str
    payer: str
    percent: int
    rule: Rule
    terms: Terms
    paid: int = 0
    share: int = 0
    clawed: int = 0
    pending: int = 0
    at: datetime
    due: datetime | None = None


class Remainder(Entity):
    """What an owner (the id) has earned beyond whole qoints, in hundredths: it counts when the next is earned."""

    hundredths: int = 0


class Tally(Value):
    """How often something was used by others, by how many, and what that earned, in hundredths of a qoint."""

    uses: int = 0
    people: int = 0
    share: int = 0


def payers_day(payer: str, now: datetime) -> Allowance:
    """The day in which a payer earns others no more than the cap, with nothing earned yet; it counts hundredths."""
    return window(f"royalty:{payer}", Limit(times=0, per=timedelta(days=1)), now=now)


def usage_id(generation: str, model: str) -> str:
    """One usage per generation and model."""
    return f"{generation}:{model}"


def shown(hundredths: int) -> str:
    """An amount in hundredths as people read it: `1.25`."""
    return f"{hundredths // HUNDREDTHS}.{hundredths % HUNDREDTHS:02}"


def split(pool: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Parts of a pool by weight that sum to it exactly: the largest remainders get what is left, ties by name.

    Nothing is split where nothing has weight.
    """
    whole = sum(weights.values())
    if not whole:
        return dict.fromkeys(weights, 0)
    parts = {name: pool * weight // whole for name, weight in weights.items()}
    order = sorted(weights, key=lambda name: (-(pool * weights[name] % whole), name))
    for name in order[: pool - sum(parts.values())]:
        parts[name] += 1
    return parts


def used(
    parts: Sequence[Part],
    *,
    generation: str,
    payer: str,
    related: Collection[str],
    paid: int,
    room: int,
    terms: Terms,
    now: datetime,
) -> tuple[Usage, ...]:
    """The usages of a generation and what each earned, for models in the order in which they were made.

    `related` are the accounts that count as the payer's own, `paid` is in purchased qoints, `room` what the payer may
    still earn others today, in hundredths.
    """
    files = [part.sha256 for part in parts]
    rules = {}
    for number, part in enumerate(parts):
        is_copy = part.sha256 in files[:number]
        rules[part.model] = _rule(part, payer=payer, related=related, is_copy=is_copy, paid=paid, terms=terms)
    weights = {part.model: part.percent for part in parts if rules[part.model] is Rule.SHARED}
    pool = paid * terms.percent
    shares = split(min(pool, room), weights)
    if room < pool:
        rules |= dict.fromkeys(weights, Rule.CAPPED)
    return tuple(
        Usage(
            id=usage_id(generation, part.model),
            generation=generation,
            payer=payer,
            rule=rules[part.model],
            terms=terms,
            paid=paid,
            share=shares.get(part.model, 0),
            at=now,
            **part.model_dump(exclude={"sha256"}),
        )
        for part in parts
    )


def _rule(part: Part, *, payer: str, related: Collection[str], is_copy: bool, paid: int, terms: Terms) -> Rule:
    """What decides over a model's share, the payer's daily cap aside."""
    if part.owner == payer:
        return Rule.OWN
    if part.owner in related:
        return Rule.RELATED
    if is_copy:
        return Rule.COPY
    if not terms.percent:
        return Rule.OFF
    return Rule.SHARED if paid else Rule.NOT_PURCHASED


def losses(usages: Sequence[Usage], *, paid: int) -> dict[str, int]:
    """What each share of a generation loses, in hundredths, by model, when only so many purchased qoints stay paid.

    What goes is split as the shares are, so that nobody loses more than they have and no share ever grows.
    """
    shares = {usage.model: usage.share for usage in usages}
    pool = sum(shares.values())
    kept = min(pool, paid * usages[0].terms.percent)
    return split(pool - kept, shares)


def rounded(remainder: int, change: int) -> tuple[int, int]:
    """The whole qoints that a change in hundredths brings, or takes (below zero), and the hundredths that remain."""
    return divmod(remainder + change, HUNDREDTHS)


def accrued(amount: int, owed: Balance, *, owner: str, key: str, why: str, now: datetime) -> Transaction:
    """Credit so many qoints for a use (the key), to be spent later; what the owner owes (`owed`) is repaid first."""
    entries = received(amount, owed, owner=owner, source=REVENUE, target=earnings_pending(owner))
    return Transaction(id=f"royalty:{key}", act=Act.ROYALTY, owner=owner, why=why, entries=entries, at=now)


def matured(amount: int, owed: Balance, *, owner: str, key: str, why: str, now: datetime) -> Transaction:
    """Let so many qoints be spent whose holding period has ended; what the owner owes is repaid first."""
    entries = received(amount, owed, owner=owner, source=earnings_pending(owner), target=earnings(owner))
    return Transaction(id=f"mature:{key}", act=Act.MATURE, owner=owner, why=why, entries=entries, at=now)


def clawed_back(
    amount: int, pending: Balance, earned: Balance, *, owner: str, key: str, why: str, now: datetime
) -> Transaction:
    """Take so many qoints back: of what is pending, then of what was earned; the rest is owed to the reserve."""
    waiting = min(amount, pending.purchased)
    free = min(amount - waiting, earned.purchased)
    lent = amount - waiting - free
    entries = (
        *_purchased(waiting, earnings_pending(owner), REVENUE),
        *_purchased(free, earnings(owner), REVENUE),
        *_purchased(lent, RESERVE, REVENUE),
        *_purchased(lent, DEBTS, debt(owner)),
    )
    return Transaction(id=f"clawback:{key}", act=Act.CLAWBACK, owner=owner, why=why, entries=entries, at=now)


def received(amount: int, owed: Balance, *, owner: str, source: str, target: str) -> tuple[Entry, ...]:
    """Entries that bring an owner so many qoints: what is owed goes to the reserve first, the rest to the target."""
    repaid = min(amount, owed.purchased)
    return (
        *_purchased(repaid, source, RESERVE),
        *_purchased(repaid, debt(owner), DEBTS),
        *_purchased(amount - repaid, source, target),
    )


def lowered(waiting: Iterable[Usage], amount: int) -> list[Usage]:
    """Those usages of which so many qoints are taken that wait with them, the first first, as they are after it."""
    after = []
    for usage in waiting:
        if part := min(usage.pending, amount):
            amount -= part
            left = usage.pending - part
            after.append(usage.but(pending=left, due=usage.due if left else None))
    return after


def _purchased(amount: int, source: str, target: str) -> tuple[Entry, ...]:
    return between(source, target, {Lot.PURCHASED: amount})
