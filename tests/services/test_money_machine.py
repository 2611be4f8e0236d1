"""Whatever people do with money, in whatever order: after every act the books are right, to a hundredth of a qoint."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from core.domain.ledger import (
    REVENUE,
    Act,
    Lot,
    Transaction,
    balances,
    books,
    debt,
    earnings,
    earnings_pending,
    held,
    is_house,
    points,
    qoints,
    sums,
)
from core.domain.payout import set_aside
from core.domain.royalty import HUNDREDTHS, Rule, Usage
from tests.builders.money import ACTS, BYTES, Town

LIVES, STEPS, ACTS_A_STEP = 130, 15, 20  # a life has 300 acts; about seven in ten move money, or are refused
LOTS = {"points": {Lot.FREE}, "qoints": {Lot.GRANTED, Lot.PURCHASED}, "earnings": {Lot.PURCHASED}}
LEAST = 20_000  # acts of each run that did
NOTHING = Counter[Lot]()


class Auditor:
    """Reads the books of a town after each act, and adds everything up again in another way."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.read = 0
        self.taken: dict[str, Counter[Lot]] = defaultdict(Counter)
        self.shared: dict[str, int] = {}

    def audit(self) -> None:
        """Prove all that holds after any act."""
        uses = self.town.usages
        for one in islice(self.town.book.posted.values(), self.read, None):
            self._prove(one)
            uses.touched |= {one.job} if one.job else set()
        self.read = len(self.town.book.posted)
        self._prove_the_books()
        self._prove_the_wallets()
        if uses.touched:
            self._prove_the_shares(uses.touched)
            uses.touched.clear()
        self._prove_the_earnings()

    def replay(self) -> None:
        """Prove that all transactions, read anew, give every balance, and all uses what is paid for them."""
        book = self.town.book
        self._prove_the_shares(self.shared)
        replayed = balances(book.posted.values())
        assert {name: +Counter(row.lots) for name, row in replayed.items() if not is_house(name)} == {
            name: +lots for name, lots in book.held.items() if not is_house(name)
        }

    def _prove(self, one: Transaction) -> None:
        """A new transaction: it sums to zero, and each lot and each purse has its turn."""
        assert not any(sums(one.entries).values())
        assert all(entry.lot in LOTS.get(entry.account.rpartition(":")[2], set(Lot)) for entry in one.entries)
        moved = {entry.lot for entry in one.entries}
        waiting, free, owed = (name(one.owner) for name in (earnings_pending, earnings, debt))
        match one.act:
            case Act.HOLD:
                wallet = self._lots(points(one.owner)) + self._lots(qoints(one.owner))
                assert _in_turn(moved, wallet, list(Lot))
            case Act.CAPTURE | Act.REFUND:
                taken = self.taken[one.job or ""]
                for entry in one.entries:
                    taken[entry.lot] += entry.amount if entry.account == REVENUE else 0
                assert min(taken.values()) >= 0
                assert one.act is Act.CAPTURE or _in_turn(moved, taken, list(Lot)[::-1])
            case Act.CLAWBACK:
                assert not (one.change(free) and self._total(waiting))
                assert not (one.change(owed) and self._total(waiting) + self._total(free))
            case Act.ROYALTY | Act.MATURE | Act.RETURN:
                target = waiting if one.act is Act.ROYALTY else free
                assert not (one.change(target) and self._total(owed))

    def _prove_the_books(self) -> None:
        """Sums of zero, nobody below zero, and aside is only what waits: for a job, for a transfer."""
        town, left, aside = self.town, dict.fromkeys(Lot, 0), {}
        for name, lots in town.book.held.items():
            for lot, amount in lots.items():
                left[lot] += amount
                assert amount >= 0 or is_house(name)
            if name.startswith(("hold:", "payout:")) and any(lots.values()):
                aside[name] = sum(lots.values())
        assert not any(left.values())
        holds = {held(job.id): job.price for job in town.waiting.values() if job.price}
        payouts = {set_aside(one.id): one.amount for one in town.payouts.all.values() if one.state.open}
        assert aside == holds | payouts
        gone = [one.id for one in town.accounts.all.values() if one.merged_into]
        assert not any(self._total(name) for one in gone for name in books(one))

    def _prove_the_wallets(self) -> None:
        """In each lot: what was put in is there, on hold or was taken; nothing that was earned becomes purchased."""
        town, there = self.town, Counter[tuple[str, Lot]]()
        parts = [(who, self._lots(name(who))) for who in town.people for name in (points, qoints)]
        parts += [(job.owner, self._lots(held(job.id))) for job in town.waiting.values()]
        parts += [(job.owner, self.taken[job.id]) for job in town.drawn.values()]
        for who, lots in parts:
            for lot, amount in lots.items():
                there[who, lot] += amount
        assert +there == +town.put_in

    def _prove_the_shares(self, generations: Collection[str]) -> None:
        """What the uses of a generation earned: the promised percentage of what is paid, and never to the payer."""
        found: dict[str, list[Usage]] = defaultdict(list)
        for usage in self.town.usages.all.values():
            if usage.generation in generations:
                found[usage.generation].append(usage)
        for generation, uses in found.items():
            paid, percent = self.taken[generation][Lot.PURCHASED], uses[0].terms.percent
            if generation not in self.shared:
                self.shared[generation] = self._expected(uses, paid * percent)
            before = self.shared[generation]
            assert sum(one.share + one.clawed for one in uses) == before
            assert sum(one.share for one in uses) == min(before, paid * percent)
            assert all(one.share >= 0 and one.paid == paid for one in uses)

    def _expected(self, uses: list[Usage], pool: int) -> int:
        """What the uses of a new generation earn in all, by who may earn by whom and by the payer's day."""
        accounts, models, files, eligible = self.town.accounts.all, self.town.models.all, set[str](), []
        for use in uses:
            file, is_own = models[use.model].artifact.sha256, use.owner == use.payer
            if not is_own and file not in files and not accounts[use.owner].is_related(accounts[use.payer]):
                eligible.append(use)
            files.add(file)
        assert all(use in eligible for use in uses if use.share)
        earned = sum(use.share for use in uses)
        if any(use.rule is Rule.CAPPED for use in uses):
            assert earned < pool
            assert earned <= uses[0].terms.cap * HUNDREDTHS
            return earned
        return pool if eligible else 0

    def _prove_the_earnings(self) -> None:
        """To the hundredth: the shares of an owner are what waits, what may be spent, what has left, less debt."""
        town, shares, waiting, leaving = self.town, Counter[str](), Counter[str](), Counter[str]()
        for use in town.usages.all.values():
            shares[use.owner] += use.share
            waiting[use.owner] += use.pending
            assert bool(use.pending) is (use.due is not None)
        for payout in town.payouts.all.values():
            leaving[payout.owner] += payout.amount if payout.state.open else 0
        for who in town.people:
            pending, payable, owed = (self._total(name(who)) for name in (earnings_pending, earnings, debt))
            whole = pending + payable - owed + leaving[who] + town.taken_out[who]
            kept = town.remainders.all.get(who)
            assert whole * HUNDREDTHS + (kept.hundredths if kept else 0) == shares[who]
            assert pending == waiting[who]

    def _lots(self, account: str) -> Counter[Lot]:
        return self.town.book.held.get(account, NOTHING)

    def _total(self, account: str) -> int:
        return self.town.book.total(account)


def _in_turn(moved: Collection[Lot], left: Mapping[Lot, int], order: Sequence[Lot]) -> bool:
    """Whether each lot was moved only where nothing was left of those before it."""
    return not any(left[before] for number, lot in enumerate(order) if lot in moved for before in order[:number])


class Life(RuleBasedStateMachine):
    """A town that lives through some acts at a time; each act is proved."""

    attempts: ClassVar[list[int]]
    posted: ClassVar[Counter[Act]]

    def __init__(self) -> None:
        super().__init__()
        self.town = Town()
        self.auditor = Auditor(self.town)

    @rule(told=st.binary(min_size=BYTES * ACTS_A_STEP, max_size=BYTES * ACTS_A_STEP))
    def live(self, told: bytes) -> None:
        for start in range(0, len(told), BYTES):
            what, *choice = told[start : start + BYTES]
            note(f"{ACTS[what % len(ACTS)].__name__} {choice}")
            self.town.act(what, *choice)
            self.auditor.audit()

    def teardown(self) -> None:
        self.auditor.replay()
        self.attempts.append(self.town.attempts)
        self.posted.update(one.act for one in self.town.book.posted.values())


@pytest.mark.parametrize("number", range(5))
def test_money_is_right_after_every_act(number: int) -> None:
    """A hundred thousand acts in all, the same in every run; an act counts if it posted something or was refused."""

    @seed(number)
    class OneLife(Life):
        attempts: ClassVar = []
        posted: ClassVar = Counter()

    run_state_machine_as_test(
        OneLife,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],  # a life is long on purpose
        ),
    )

    assert sum(OneLife.attempts) >= LEAST
    assert _rare(OneLife.posted) == {}


def _rare(posted: Mapping[Act, int]) -> dict[Act, int]:
    """The acts that a run has hardly tried."""
    return {act: posted[act] for act in Act if posted[act] < 10}
