"""Money without a database: books in memory, and a town whose people do everything that moves money, act by act."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from core.domain.account import Account, Role
from core.domain.errors import (
    BadValue,
    KeyReused,
    NotEnoughEarned,
    NotEnoughPoints,
    NotThem,
    PayoutFrozen,
    PayoutMoved,
)
from core.domain.generation import Adapter, Generation
from core.domain.job import Job, asked
from core.domain.ledger import (
    Lot,
    Transaction,
    books,
    capture,
    captured,
    debt,
    divided,
    earnings,
    grant,
    held,
    hold,
    points,
    refill,
    refund,
    release,
)
from core.domain.link import merge, merged
from core.domain.model import Model
from core.domain.payout import Circumstances, Payout, PayoutState, posting, require_earned, require_thawed, spent
from core.domain.royalty import Remainder, Terms, rounded
from core.domain.voucher import purchase
from core.kinds import generation, wallet
from core.ports.clock import RandomIds
from tests.builders.books import Books, at_once
from tests.builders.entities import HOME, NOON, a_model, an_artifact

T = TypeVar("T")

CAP = 100  # points a day
PEOPLE = 5
REFUSED = (BadValue, NotEnoughEarned, NotEnoughPoints, NotThem, PayoutFrozen, PayoutMoved)
BYTES = 4  # that say what an act is: what, who, which, how much


@dataclass(frozen=True)
class Choice:
    """What an act is about: any number stands for one of what there is."""

    who: int
    which: int
    amount: int


class Town(Books):
    """People with models, who pay, draw, earn, are paid out and become one; the rules are the house's own.

    `put_in` is what came into each one's wallet from outside, by lot, as the acts have it and not the ledger,
    `taken_out` the earnings that each has spent or was paid; `attempts` counts acts that posted or were refused.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.people: list[str] = []
        self.waiting: dict[str, Job] = {}
        self.drawn: dict[str, Job] = {}
        self.put_in: Counter[tuple[str, Lot]] = Counter()
        self.taken_out: Counter[str] = Counter()
        self.attempts = 0
        self._number = 0
        for _ in range(PEOPLE):
            self._arrived()

    def act(self, what: int, *choice: int) -> None:
        """Do one thing; a refusal by the rules is as good as any other answer."""
        before = len(self.book.posted)
        try:
            ACTS[what % len(ACTS)](self, Choice(*choice))
        except REFUSED:
            self.attempts += 1
        else:
            self.attempts += len(self.book.posted) > before

    def bought(self, it: Choice) -> None:
        who, amount = self._who(it), it.amount * 4 + 1
        self._post(purchase(amount, Lot.PURCHASED, key=self._new(), owner=who, why="a voucher", now=self.now))
        self.put_in[who, Lot.PURCHASED] += amount

    def given(self, it: Choice) -> None:
        who, amount = self._who(it), it.amount % 16 + 1
        self._post(grant(amount, key=self._new(), owner=who, why="a gift", now=self.now))
        self.put_in[who, Lot.GRANTED] += amount

    def refilled(self, it: Choice) -> None:
        who = self._who(it)
        balance = at_once(self.book.balance(points(who)))
        today = refill(balance, owner=who, cap=CAP, now=self.now)
        if today is None or today.id in self.book.posted:
            return
        self._post(today)
        self.put_in[who, Lot.FREE] += CAP - balance.free

    def ordered(self, it: Choice) -> None:
        """A picture for up to 192 qoints with up to six models, under the terms of the day."""
        who, name = self._who(it), self._new()
        price = it.amount % 64 * (it.who % 3 + 1)
        worn = [model for number, model in enumerate(self.models.all.values()) if it.which >> number % 8 & 1]
        terms = Terms(percent=(0, 7, 30, 50, 100)[it.amount % 5], cap=(500, 40, 1)[it.who % 3], holding_days=it.who % 4)
        job = asked("generation", id=name, key=name, owner=who, subject="m", title="zorp", price=price, now=self.now)
        purse = at_once(wallet(self.tx, who))
        if price:
            self._post(hold(purse, price, owner=who, job=name, why="zorp", now=self.now))
        self.waiting[name] = job.but(payload={"generation": name})
        self.generations.all[name] = _picture(job, worn, terms, strengths=it.amount)

    def finished(self, it: Choice) -> None:
        """Most are paid in full; of some, only a part is due, and the rest goes back."""
        if not (job := self._one(self.waiting, it)):
            return
        self._paid(job, due=job.price if it.amount % 4 else it.which % (job.price + 1))
        result = generation.Result(pictures=())
        at_once(generation.settle(self.tx, job, result, ids=RandomIds(), now=self.now))
        self.drawn[job.id] = self.waiting.pop(job.id)

    def given_up(self, it: Choice) -> None:
        if not (job := self._one(self.waiting, it)):
            return
        self._paid(job, due=0)
        del self.waiting[job.id]

    def refunded(self, it: Choice) -> None:
        if not (job := self._one(self.drawn, it)):
            return
        taken = captured(at_once(self.book.about(job.id)))
        wished = taken.total if it.who % 4 == 0 else it.amount % 64
        self._post(refund(taken, wished, key=self._new(), owner=job.owner, job=job.id, why="bad", now=self.now))
        at_once(generation.claw_back(self.tx, job, now=self.now))

    def waited(self, it: Choice) -> None:
        self.now += timedelta(hours=it.amount % 48 + 1)

    def matured(self, it: Choice) -> None:
        at_once(generation.mature(self.tx, self._who(it), now=self.now))

    def spent(self, it: Choice) -> None:
        who, amount = self._who(it), it.amount % 16 + 1
        self._require_earned(who, amount)
        self._post(spent(amount, key=self._new(), owner=who, now=self.now))
        self.put_in[who, Lot.GRANTED] += amount
        self.taken_out[who] += amount

    def requested(self, it: Choice) -> None:
        who, amount = self._who(it), it.amount % 32 + 1
        self._require_earned(who, amount)
        require_thawed(self.accounts.all[who], now=self.now)
        moment = {"requested_at": self.now, "updated_at": self.now}
        self._stepped(Payout(id=self._new(), owner=who, amount=amount, to="home", **moment))

    def decided(self, it: Choice) -> None:
        """Some step of some payout, whether it is the time for that or not."""
        if not (payout := self._one(self.payouts.all, it)):
            return
        state = (*PayoutState, PayoutState.APPROVED, PayoutState.PAID)[it.amount % 8]
        owner = self.accounts.all[payout.owner]
        seen = Circumstances(by=_an_account("admin"), owner=owner, owed=self.book.total(debt(owner.id)))
        moved = payout.stepped(state, seen, now=self.now)
        if state is PayoutState.REQUESTED:
            self._require_earned(owner.id, payout.amount)
        self._stepped(moved)
        if state is PayoutState.PAID:
            self.taken_out[owner.id] += payout.amount

    def related(self, it: Choice) -> None:
        """An admin marks two as related, or no longer so."""
        one, other = self._who(it), self.people[it.which % len(self.people)]
        if one != other:
            self.accounts.all[one] = self.accounts.all[one].marked(other, related=it.amount % 2 == 0)

    def joined(self, it: Choice) -> None:
        """Of two people one takes the other over, and somebody new comes to town."""
        old, new = self._who(it), self.people[it.which % len(self.people)]
        if it.amount % 2 or old == new or any(job.owner in {old, new} for job in self.waiting.values()):
            return
        staying, gone = merged(self.accounts.all[new], self.accounts.all[old], now=self.now)
        self.accounts.all |= {new: staying, old: gone}
        here, there = [self.remainders.all.get(name) or Remainder(id=name) for name in (new, old)]
        whole, rest = rounded(here.hundredths, there.hundredths)
        self.remainders.all |= {new: here.but(hundredths=rest), old: there.but(hundredths=0)}
        rows = [at_once(self.book.balance(name)) for name in books(old)]
        moved = merge(rows, rounding=whole, old=old, new=new, why="linked", now=self.now)
        if moved.entries:
            self._post(moved)
        self._moved(old, new)
        self._arrived()

    def repeated(self, it: Choice) -> None:
        """Post something again: the same changes nothing, other content under its key is refused."""
        keys = list(self.book.posted)
        if not keys:
            return
        known = self.book.posted[keys[(it.which * 256 + it.amount) % len(keys)]]
        assert self._post(known.but(at=self.now)) == known
        try:
            self._post(known.but(why="other"))
        except KeyReused:
            return
        raise AssertionError("a key was used twice")

    def _moved(self, old: str, new: str) -> None:
        """Give everything of one account to another, as the store does."""
        self.people.remove(old)
        for rows in (self.drawn, self.models.all, self.payouts.all, self.generations.all):
            _given(rows, "owner", old, new)
        for field in ("owner", "payer"):
            _given(self.usages.all, field, old, new)
        for lot in Lot:
            self.put_in[new, lot] += self.put_in.pop((old, lot), 0)
        self.taken_out[new] += self.taken_out.pop(old, 0)

    def _paid(self, job: Job, *, due: int) -> None:
        taken, rest = divided(at_once(self.book.balance(held(job.id))), due)
        for part, end in ((taken, capture), (rest, release)):
            if part.total:
                self._post(end(part, owner=job.owner, job=job.id, why="over", now=self.now))

    def _require_earned(self, who: str, amount: int) -> None:
        at_once(generation.mature(self.tx, who, now=self.now))
        earned, owed = (self.book.total(name(who)) for name in (earnings, debt))
        require_earned(amount, earned=earned, owed=owed, least=1)

    def _stepped(self, payout: Payout) -> None:
        if transaction := posting(payout, debt=at_once(self.book.balance(debt(payout.owner)))):
            self._post(transaction)
        self.payouts.all[payout.id] = payout

    def _arrived(self) -> None:
        """Somebody with a model; every third has the same file."""
        name, number = f"p{self._new()}", len(self.accounts.all)
        self.accounts.all[name] = _an_account(name)
        self.people.append(name)
        file = an_artifact(sha256="the same" if number % 3 == 2 else name)
        self.models.all[f"m{name}"] = a_model(id=f"m{name}", owner=name, artifact=file)

    def _post(self, transaction: Transaction) -> Transaction:
        return at_once(self.book.post(transaction))

    def _who(self, it: Choice) -> str:
        return self.people[it.who % len(self.people)]

    def _one(self, rows: Mapping[str, T], it: Choice) -> T | None:
        names = list(rows)
        return rows[names[it.which % len(names)]] if names else None

    def _new(self) -> str:
        self._number += 1
        return f"{self._number:05}"


def _given(rows: dict[str, Any], field: str, old: str, new: str) -> None:
    for name, row in rows.items():
        if getattr(row, field) == old:
            rows[name] = row.but(**{field: new})


def _an_account(name: str) -> Account:
    return Account(id=name, name=name, role=Role.USER, home=HOME, created_at=NOON)


def _picture(job: Job, worn: Sequence[Model], terms: Terms, *, strengths: int) -> Generation:
    adapters = tuple(
        Adapter(model=model.id, owner=model.owner, name=model.name, percent=strengths * (number + 3) % 200 + 1)
        for number, model in enumerate(worn)
    )
    size = {"count": 1, "width": 64, "height": 64, "steps": 4, "guidance": 3.0, "seed": 7}
    facts = {"id": job.id, "owner": job.owner, "offering": "tiny", "created_at": job.created_at}
    return Generation(text="zorp", prompt="zorp", adapters=adapters, terms=terms, **facts, **size)


ACTS: tuple[Callable[[Town, Choice], None], ...] = (
    *(Town.ordered,) * 8,
    *(Town.finished,) * 8,
    *(Town.bought, Town.bought, Town.bought, Town.given, Town.refilled, Town.given_up),
    *(Town.refunded,) * 4,
    *(Town.waited, Town.waited, Town.matured, Town.matured),
    *(Town.requested, Town.requested, Town.requested, Town.spent),
    *(Town.decided,) * 8,
    *(Town.related, Town.joined, Town.repeated),
)
