"""Royalties: from a sold code to a payout, and processes that come all at once or are killed at any moment."""

import asyncio
import csv
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bots.commands import discovered
from bots.console.rendering import as_json
from bots.console.saying import answer
from bots.console.speaking import seated
from core.domain.account import Actor
from core.domain.errors import NotEnoughEarned
from core.domain.voucher import voucher_hash
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.builders.scenes import finished, imagined, prove_the_ledger, somebody
from tests.e2e.command_line import ran
from tests.e2e.model_scene import a_public_model
from tests.e2e.processes import LORAGUILD, OFFERINGS, a_house, environment, started

FACTS: dict[str, Any] = {
    "admins": "console:root,console:rita",
    "daily_points": 0,
    "payout_four_eyes": 0,
    "payout_minimum": 1,
    "royalty_holding_days": 0,
}
SETTINGS = {"OFFERINGS_FOLDER": str(OFFERINGS), **{name.upper(): str(fact) for name, fact in FACTS.items()}}
LARGE = "count=5 size=128x128"  # 20 qoints, of which 6 are shared

pytestmark = pytest.mark.timeout(240)


async def answered(data: Path, who: str, line: str) -> tuple[int, dict[str, Any]]:
    """Say something in a process of its own; return its status and its answer."""
    words = ("say", "--as", who, "--json", line)
    run = await asyncio.to_thread(ran, data, *words, DATA_FOLDER=str(data), **SETTINGS)
    return run.returncode, json.loads(run.stdout)


async def heard(house: House, who: str, line: str) -> dict[str, Any]:
    """Say something at a console in this process; return the answer."""
    speaker = await seated(house.settings, services=house.services, blobs=house.blobs, name=who)
    given = await answer(speaker, line)
    return as_json(given.reply, given.paths, discovered())


async def said(house: House, who: str, line: str) -> dict[str, Any]:
    """Say something that is done."""
    given = await heard(house, who, line)
    assert given["code"] is None, given
    return given


async def ended_well(data: Path, *words: str) -> str:
    """Run a command of the operator; return what it said."""
    run = await asyncio.to_thread(ran, data, *words, DATA_FOLDER=str(data), **SETTINGS)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


async def test_from_a_sold_code_to_a_payout_and_to_what_is_paid_back_after_it(tmp_path: Path) -> None:
    async with a_house(tmp_path, **FACTS) as house:
        await a_public_model(house, await somebody(house, "ann"))
        code = (await said(house, "root", "admin code 100"))["lines"][0].strip("`")
        assert (await said(house, "bob", f"redeem {code}"))["title"] == "100 qoints are yours"
        first = (await said(house, "bob", f"imagine zorp at sea {LARGE}"))["job"]
        second = (await said(house, "bob", f"generation again {first}"))["job"]
        await ended_well(tmp_path, "worker", "--once", "--kinds", "generation")
        card = await said(house, "bob", f"train view {second}")
        assert (card["title"], card["fields"]["models"], len(card["files"])) == ("zorp at sea · done", "ann/zorp", 5)

        assert (await said(house, "ann", "earnings"))["table"]["rows"] == [["ann/zorp", "2 × by 1 person", "12.00"]]
        asked = await said(house, "ann", "payout request all DE02 1203 0000")
        payout = asked["fields"]["id"]
        assert asked["title"] == "12 qoints are requested"
        assert (await said(house, "root", f"admin approve {payout}"))["title"] == "1 payout approved: 12 qoints"
        assert (await heard(house, "root", f"admin paid {payout} SEPA-1"))["code"] == "four_eyes"
        await said(house, "rita", f"admin paid {payout} SEPA-1")
        [name] = (await said(house, "rita", "admin payouts paid"))["files"]
        [row] = csv.DictReader((await asyncio.to_thread(Path(name).read_text)).splitlines())
        facts = [row[column] for column in ("id", "owner", "amount", "to", "approved by", "paid by", "reference")]
        assert facts == [payout, "ann", "12", "DE02 1203 0000", "root", "rita", "SEPA-1"]

        await said(house, "bob", f"dispute {second} too blurred")
        answers = (await said(house, "root", "admin disputes"))["actions"]
        paying = next(action["command"] for action in answers if action["label"] == "Pay 20 back")
        assert (await said(house, "root", paying))["title"] == "20 paid back for zorp at sea"
        owing = (await said(house, "ann", "earnings"))["fields"]["owed"]
        assert owing == "6 qoints, repaid by what you earn next"
        assert "everything agrees" in await ended_well(tmp_path, "db", "verify-ledger")


async def test_a_code_that_many_processes_redeem_at_once_is_one_persons(tmp_path: Path) -> None:
    async with a_house(tmp_path, **FACTS) as house:
        root, *people = [await somebody(house, name) for name in ("root", "bob", "cara")]
        [code] = (await house.services.vouchers.issue(root, amount=100, count=1, days=1, sold=True, key="k")).codes
        crowd = ["bob", "cara"] * 3
        answers = await asyncio.gather(*(answered(tmp_path, who, f"redeem {code}") for who in crowd))
        told = {(who, status, answer["code"]) for who, (status, answer) in zip(crowd, answers, strict=True)}
        has = {person.name: (await house.services.wallets.view(person)).purchased for person in people}
        assert sorted(has.values()) == [0, 100]
        assert told == {(who, 0, None) if amount else (who, 2, "voucher_gone") for who, amount in has.items()}
        await prove_the_ledger(house.store)


async def each_is_killed(data: Path, lines: Mapping[str, str], done: Callable[[str], Awaitable[bool]]) -> None:
    """Let each say a line in a process that is killed -9: the first as soon as it is done, the others around then."""
    env, moment = {**environment(data), **SETTINGS}, 0.0
    for who, line in lines.items():
        begun = time.monotonic()
        with started(*LORAGUILD, "say", "--as", who, line, data=data, log=f"{who}.log", env=env):
            await (asyncio.sleep(moment) if moment else awaited(partial(done, who)))
        moment = moment or time.monotonic() - begun
        moment += random.uniform(0, 0.3) * (-1 if await done(who) else 1)


async def earners(house: House, code: str) -> Mapping[str, Actor]:
    """Let somebody who has bought qoints draw with the models of several people: each of them earns one qoint."""
    owners = {name: await somebody(house, name) for name in ("alma", "bea", "cleo", "dora", "elsa")}
    for name, owner in owners.items():
        await a_public_model(house, owner, name)
    zoe = await somebody(house, "zoe")
    await house.services.wallets.redeem(zoe, code)
    await finished(house, await imagined(house, zoe, " ".join(owners), count=8, width=128, height=128))
    return owners


async def test_whoever_is_killed_has_done_all_or_nothing_and_can_do_it_again(tmp_path: Path) -> None:
    async with a_house(tmp_path, **FACTS) as house:
        buyers = {name: await somebody(house, name) for name in ("ada", "bob", "cara", "dan", "eve", "finn")}
        root = await somebody(house, "root")
        issued = await house.services.vouchers.issue(root, amount=100, count=7, days=1, sold=True, key="k")
        *theirs, another = issued.codes
        codes, owners = dict(zip(buyers, theirs, strict=True)), await earners(house, another)

        async def has_redeemed(who: str) -> bool:
            return (await house.store.vouchers.get(voucher_hash(codes[who]))).redeemed_by is not None

        async def has_requested(who: str) -> bool:
            return bool(await house.services.payouts.list(owners[who]))

        await each_is_killed(tmp_path, {who: f"redeem {code}" for who, code in codes.items()}, has_redeemed)
        await each_is_killed(tmp_path, dict.fromkeys(owners, "payout request all home"), has_requested)
        assert "everything agrees" in await ended_well(tmp_path, "db", "verify-ledger")
        for who, buyer in buyers.items():
            assert (await house.services.wallets.view(buyer)).purchased == (100 if await has_redeemed(who) else 0)
        for who, owner in owners.items():
            earned = await house.services.earnings.view(owner)
            assert earned.pending + earned.payable == (0 if await has_requested(who) else 1)

    async with a_house(tmp_path, **FACTS) as house:  # a new database has let go of what was under way
        for who, buyer in buyers.items():
            await house.services.wallets.redeem(buyer, codes[who])
            assert (await house.services.wallets.view(buyer)).purchased == 100
        for owner in owners.values():
            with suppress(NotEnoughEarned):
                await house.services.payouts.request(owner, to="home", amount=None, key=owner.name)
            assert [payout.amount for payout in await house.services.payouts.list(owner)] == [1]
        await prove_the_ledger(house.store)
