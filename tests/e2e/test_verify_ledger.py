"""`loraguild db verify-ledger` over a whole house: it is sound, and every error that is planted is named."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from rich.console import Console

from config.settings import Settings
from core.domain.model import Visibility
from core.ports.clock import HandClock
from loraguild.composition import House, opened
from loraguild.database import verify
from storage.repositories.entities import Database
from storage.store import MongoStore
from tests.builders.entities import NOON, a_model, an_artifact
from tests.builders.scenes import finished, imagined, somebody
from tests.e2e.command_line import ran

OFFERINGS = Path(__file__).parents[1] / "builders" / "offerings"
LARGE: dict[str, Any] = {"count": 5, "width": 128, "height": 128}  # 20 qoints, of which 6 are shared


@dataclass(frozen=True, kw_only=True)
class Names:
    """Who and what a planted error is about: ann earns by what bob pays."""

    ann: str
    bob: str
    drawn: str
    refunded: str
    waiting: str
    payout: str


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A folder with a house in which money was moved in every way, and its database."""

    folder: Path
    store: MongoStore
    names: Names

    @property
    def database(self) -> Database:
        return self.store.database

    async def verified(self) -> tuple[int, str]:
        said = io.StringIO()
        return await verify(self.store, out=Console(file=said, width=1000)), said.getvalue()

    async def proved(self) -> None:
        """Assert that a process of its own says the same."""
        status, said = await self.verified()
        run = await asyncio.to_thread(ran, self.folder, "db", "verify-ledger", COLUMNS="1000")
        assert (run.returncode, run.stdout, run.stderr) == (status, said, "")

    @asynccontextmanager
    async def forged(self, collection: str, name: str, change: Mapping[str, Any] | None) -> AsyncIterator[None]:
        """The database with one row changed, or without it, for as long."""
        rows, where = self.database[collection], {"_id": name}
        before = await rows.find_one(where)
        assert before
        await (rows.update_one(where, change) if change else rows.delete_one(where))
        yield
        await rows.replace_one(where, before, upsert=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder, clock = tmp_path_factory.mktemp("house"), HandClock()
    facts: dict[str, Any] = {"daily_points": 0, "payout_minimum": 1, "offerings_folder": OFFERINGS}
    async with opened(Settings(mongodb_uri=None, data_folder=folder / "data", **facts), clock=clock) as house:
        assert isinstance(house.store, MongoStore)
        yield Scene(folder=folder, store=house.store, names=await played(house, clock))


async def played(house: House, clock: HandClock) -> Names:
    """Let bob buy qoints, draw with ann's model, get some back, and ann ask for what has matured."""
    services, ann, bob, root = house.services, *[await somebody(house, name) for name in ("ann", "bob", "root")]
    owned = {"owner": ann.account, "visibility": Visibility.PUBLIC, "published_at": NOON, "family": "tiny-shapes"}
    await house.store.models.add(a_model(id="zorp", artifact=an_artifact("zorp"), **owned))
    issued = await services.vouchers.issue(root, amount=200, count=1, days=30, sold=True, key="k")
    await services.wallets.redeem(bob, issued.codes[0])
    drawn = [await finished(house, await imagined(house, bob, **LARGE)) for _ in range(2)]
    clock.advance(timedelta(days=31))
    payout = await services.payouts.request(ann, to="home", amount=3, key="k")
    await finished(house, await imagined(house, bob, **LARGE))
    await services.wallets.refund(root, drawn[1].id, amount=5, why="blurred", key="k")
    return Names(
        ann=ann.account,
        bob=bob.account,
        drawn=drawn[0].id,
        refunded=drawn[1].id,
        waiting=(await imagined(house, bob, **LARGE)).id,
        payout=payout.id,
    )


@pytest.mark.asyncio(loop_scope="module")
async def test_a_sound_house(scene: Scene) -> None:
    status, said = await scene.verified()

    transactions = await scene.database["ledger"].count_documents({})
    balances = await scene.database["balances"].count_documents({})
    expected = f"{transactions} transactions replayed, {balances} balances compared: everything agrees.\n"
    assert (status, said) == (0, expected)
    assert transactions > 10


@pytest.mark.asyncio(loop_scope="module")
async def test_a_process_of_its_own_says_the_same(scene: Scene) -> None:
    await scene.proved()
    async with scene.forged("ledger", "refund:k", None):
        await scene.proved()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("collection", "row", "change", "words"),
    [
        (
            "balances",
            "account:{bob}:qoints",
            {"$inc": {"purchased": 7}},
            (
                "account:{bob}:qoints: the ledger proves free 0, granted 0, purchased 125, "
                "the balance says free 0, granted 0, purchased 132."
            ),
        ),
        (
            "ledger",
            "capture:{drawn}",
            {"$inc": {"entries.1.amount": 1}},
            "A row is not sound. Transaction: Value error, transaction capture:{drawn} does not sum to zero",
        ),
        (
            "ledger",
            "capture:{drawn}",
            None,
            (
                "hold:{drawn}: the ledger proves free 0, granted 0, purchased 20, "
                "the balance says free 0, granted 0, purchased 0."
            ),
        ),
        (
            "ledger",
            "capture:{drawn}",
            {"$set": {"entries.0.amount": -21, "entries.1.amount": 21}},
            "hold:{drawn}: the ledger proves free 0, granted 0, purchased -1: less than nothing.",
        ),
        (
            "ledger",
            "capture:{drawn}",
            {"$set": {"entries.1.account": "house:sales"}},
            "capture:{drawn}: no capture of {bob} moves purchased of house:sales.",
        ),
        (
            "jobs",
            "{waiting}",
            {"$set": {"state": "cancelled"}},
            "hold:{waiting}: it holds 20, and should hold 0 for jobs that have not ended.",
        ),
        (
            "payouts",
            "{payout}",
            {"$inc": {"amount": 1}},
            "payout:{payout}: it holds 3, and should hold 4 for payouts that are open.",
        ),
        (
            "usages",
            "{drawn}:zorp",
            {"$inc": {"share": 1}},
            "{ann}: uses have earned 16.51 qoints, the ledger has credited 16.00, and 0.50 remain.",
        ),
        (
            "remainders",
            "{ann}",
            {"$set": {"hundredths": 0}},
            "{ann}: uses have earned 16.50 qoints, the ledger has credited 16.00, and 0.00 remain.",
        ),
        (
            "ledger",
            "refund:k",
            {"$set": {"entries.0.amount": -25, "entries.1.amount": 25}},
            "{refunded}: more of the job was paid back than was taken: free 0, granted 0, purchased -5 are left.",
        ),
        (
            "accounts",
            "{bob}",
            {"$set": {"merged_into": "zoe"}},
            "account:{bob}:qoints: it holds 125, but zoe has taken over the account.",
        ),
    ],
)
async def test_what_is_not_right_is_named(
    scene: Scene, collection: str, row: str, change: Mapping[str, Any] | None, words: str
) -> None:
    names = asdict(scene.names)

    async with scene.forged(collection, row.format(**names), change):
        status, said = await scene.verified()

    assert status == 1
    assert words.format(**names) in said.splitlines()
