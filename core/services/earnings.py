"""Earnings: what models have earned their owners, when it may be used, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from core.domain.account import Actor
from core.domain.errors import BadValue, NotFound
from core.domain.ledger import debt, earnings, earnings_pending
from core.domain.royalty import Tally, Usage
from core.domain.value import Value
from core.kinds.generation import BATCH, EVER, mature
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store

LATEST = 5


class Use(Value):
    """A usage, and what its model is called."""

    usage: Usage
    model: str


class Earned(Value):
    """What somebody has earned, in qoints: what waits, what may be spent or paid out, what is owed to the house.

    `next_due` is the moment from which more may be spent, `latest` the latest uses, newest first.
    """

    pending: int
    payable: int
    owed: int
    next_due: datetime | None
    latest: tuple[Use, ...]


class Line(Value):
    """What others' pictures with one model have earned in a month, and what of it was paid back, in hundredths."""

    model: str
    name: str
    uses: int
    people: int
    share: int
    clawed: int


class Month(Value):
    """A month, from its first day, by model; those that earned most come first."""

    start: date
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Earnings:
    """What others' pictures have earned."""

    store: Store
    clock: Clock
    ids: Ids

    async def view(self, actor: Actor) -> Earned:
        """What the actor has earned, and by what lately; what is due is free to use, whether it has matured or not."""
        books = (earnings_pending(actor.account), earnings(actor.account), debt(actor.account))
        pending, payable, owed = [(await self.store.ledger.balance(book)).total for book in books]
        waiting = await self.store.usages.due(actor.account, now=EVER, limit=BATCH)
        later = [usage.due for usage in waiting if usage.due and usage.due > self.clock.now()]
        ripe = min(sum(usage.pending for usage in waiting[: len(waiting) - len(later)]), pending)
        repaid = min(ripe, owed)
        latest = await self.store.usages.latest(actor.account, limit=LATEST)
        return Earned(
            pending=pending - ripe,
            payable=payable + ripe - repaid,
            owed=owed - repaid,
            next_due=later[0] if later else None,
            latest=tuple([Use(usage=usage, model=await self._name(usage.model)) for usage in latest]),
        )

    async def month(self, actor: Actor, day: date | None = None) -> Month:
        """What each of the actor's models has earned in the month of a day, the present one by default.

        Raises:
            BadValue: The month has not begun.
        """
        now = self.clock.now()
        within = day or now
        start = datetime(within.year, within.month, 1, tzinfo=UTC)
        if start > now:
            raise BadValue(what="month", value=f"{start:%Y-%m}", why="it has not begun")
        end = (start + timedelta(days=31)).replace(day=1)
        foreign = [one for one in await self.store.usages.between(actor.account, start, end) if one.rule.is_foreign]
        models = dict.fromkeys(usage.model for usage in foreign)
        lines = [await self._line(model, [one for one in foreign if one.model == model]) for model in models]
        return Month(start=start.date(), lines=tuple(sorted(lines, key=lambda line: (-line.share, line.name))))

    async def of_model(self, actor: Actor, model: str) -> Tally:
        """How often others have used one of the actor's models, and what that has earned, in hundredths.

        Raises:
            NotFound: There is no such model of this actor.
        """
        found = await self.store.models.find(model)
        if found is None or found.owner != actor.account:
            raise NotFound(noun="model", name=model, hint="See `model list`.")
        return await self.store.usages.tally(model)

    async def mature_all(self) -> int:
        """Let all owners spend what was earned long enough ago; return for how many there was something."""
        now, owners = self.clock.now(), set[str]()
        while due := await self.store.usages.owners_due(now=now):
            for owner in due:
                await self._mature(owner, now=now)
            owners |= set(due)
        return len(owners)

    async def _mature(self, owner: str, *, now: datetime) -> None:
        async def work(tx: Repositories) -> None:
            await mature(tx, owner, now=now)

        await self.store.transact(work)

    async def _name(self, model: str) -> str:
        return (await self.store.models.get(model)).name

    async def _line(self, model: str, uses: Sequence[Usage]) -> Line:
        return Line(
            model=model,
            name=await self._name(model),
            uses=len(uses),
            people=len({usage.payer for usage in uses}),
            share=sum(usage.share for usage in uses),
            clawed=sum(usage.clawed for usage in uses),
        )
