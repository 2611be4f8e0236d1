"""One person, many logins: codes, requests, and two accounts that become one."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Actor, Place, Platform, Role
from core.domain.consent import RIGHTS
from core.domain.errors import CannotMerge, CodeGone, TooOften
from core.domain.ledger import Act
from core.domain.link import ASKED_FOR, ATTEMPTS, VALID_FOR, LinkRequest, code_hash
from core.domain.notice import Topic
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.scenes import (
    Upload,
    a_quote_for,
    a_ready_dataset,
    a_trained_model,
    an_order,
    everything_in,
    given,
    prove_the_ledger,
    somebody,
    taken_in,
    uploaded,
)

DM = Place(platform=Platform.DISCORD, chat="42")
CONSOLE = Place(platform=Platform.CONSOLE, chat="ann")


async def on_discord(house: House, external: str = "42") -> Actor:
    return await house.services.accounts.welcome(Platform.DISCORD, external, name="hilda")


async def asked(house: House, ann: Actor, hilda: Actor) -> LinkRequest:
    """Let ann issue a code at the console, and hilda redeem it on Discord."""
    code = await house.services.links.issue(ann, CONSOLE)
    return await house.services.links.redeem(hilda, code, DM)


def in_the_way(rows: Mapping[str, list[Any]]) -> Mapping[str, list[Any]]:
    """Everything but what counts attempts."""
    return {name: found for name, found in rows.items() if name not in {"allowances", "queues"}}


async def test_a_code_is_kept_as_a_hash_and_is_the_only_one(house: House, database: Database) -> None:
    ann = await somebody(house)
    codes = [await house.services.links.issue(ann, CONSOLE) for _ in range(2)]
    codes += await asyncio.gather(*(house.services.links.issue(ann, CONSOLE) for _ in range(4)))
    rows = (await everything_in(database))["link_codes"]

    assert len(rows) == 1
    assert rows[0]["_id"] in {code_hash(code) for code in codes[2:]}
    assert not any(code.casefold().replace("-", "") in str(rows) for code in codes)
    with pytest.raises(CodeGone):
        await house.services.links.redeem(await on_discord(house), codes[0], DM)


async def test_of_many_who_use_a_code_at_once_one_does(house: House) -> None:
    ann = await somebody(house)
    many = [await on_discord(house, str(number)) for number in range(6)]
    code = await house.services.links.issue(ann, CONSOLE)

    done = await asyncio.gather(*(house.services.links.redeem(one, code, DM) for one in many), return_exceptions=True)

    won = [one for one in done if isinstance(one, LinkRequest)]
    assert len(won) == 1
    assert [type(one) for one in done if one not in won] == [CodeGone] * 5
    assert await house.services.links.waiting(ann) == won


async def test_the_issuing_side_is_asked_where_it_issued(house: House, database: Database) -> None:
    ann, hilda = await somebody(house), await on_discord(house)
    request = await asked(house, ann, hilda)
    (notice,) = (await everything_in(database))["notices"]

    assert (notice["topic"], notice["account"], notice["place"]["chat"]) == (Topic.LINK_ASKED, ann.account, "ann")
    assert notice["details"] == {"name": "hilda", "platform": "discord", "request": request.id}


async def test_a_code_is_refused_when_it_is_over_or_ones_own(house: House, clock: HandClock) -> None:
    ann, hilda, links = await somebody(house), await on_discord(house), house.services.links
    code = await links.issue(ann, CONSOLE)

    with pytest.raises(CannotMerge):
        await links.redeem(ann, code, CONSOLE)
    clock.advance(VALID_FOR)
    with pytest.raises(CodeGone):
        await links.redeem(hilda, code, DM)
    with pytest.raises(CodeGone):
        await links.redeem(hilda, "", DM)


async def test_guessing_ends_after_five_attempts_an_hour(house: House, clock: HandClock) -> None:
    ann, hilda, links = await somebody(house), await on_discord(house), house.services.links
    for _ in range(ATTEMPTS.times):
        with pytest.raises(CodeGone):
            await links.redeem(hilda, "aaaa-aaaa", DM)
    code = await links.issue(ann, CONSOLE)

    with pytest.raises(TooOften):
        await links.redeem(hilda, code, DM)
    clock.advance(ATTEMPTS.per)
    code = await links.issue(ann, CONSOLE)
    assert (await links.redeem(hilda, code, DM)).joining == hilda.account


async def test_two_accounts_become_one_with_everything_they_have(house: House, database: Database) -> None:
    ann, hilda = await somebody(house), await on_discord(house)
    await given(house, hilda, 30)
    mine, model = await a_ready_dataset(house, ann, name="mine"), await a_trained_model(house, hilda, name="hers")
    before = (await house.services.wallets.view(ann), await house.services.wallets.view(hilda))
    request = await asked(house, ann, hilda)

    confirmed = await house.services.links.confirm(ann, request.id)
    again = await asyncio.gather(*(house.services.links.confirm(ann, request.id) for _ in range(3)))

    assert confirmed == request.but(confirmed=True)
    assert again == [confirmed] * 3
    one = await somebody(house)
    assert await on_discord(house) == one
    assert one.account == ann.account
    assert [login.id for login in await house.services.accounts.logins(one)] == ["console:ann", "discord:42"]
    assert [known.name for known in await house.services.datasets.list(one)] == ["hers", mine.name]
    (found,) = await house.services.models.list(one)
    assert (found.id, found.owner, found.owner_name) == (model.id, ann.account, "ann")
    assert (await house.services.models.view(one, model.id)).run.owner == ann.account
    after = await house.services.wallets.view(one)
    assert {lot: amount + before[1].lots[lot] for lot, amount in before[0].lots.items()} == after.lots
    assert (await house.services.wallets.view(hilda)).total == 0
    (moved,) = [line for line in await house.services.wallets.statement(one) if line.act is Act.MERGE]
    assert (moved.id, moved.amount) == (f"merge:{hilda.account}", before[1].total)
    await prove_the_ledger(house.store)
    named = {name for name, rows in (await everything_in(database)).items() if f"'{hilda.account}'" in str(rows)}
    said_so = {"audits", "captions", "datasets", "items", "ledger"}  # who it was at the time
    assert named == {*said_so, "accounts", "link_requests", "queues", "remainders"}


async def test_both_sides_are_told_and_audited(house: House, clock: HandClock, database: Database) -> None:
    ann, hilda = await somebody(house), await on_discord(house)
    request = await asked(house, ann, hilda)
    clock.advance(timedelta(minutes=1))
    await house.services.links.confirm(ann, request.id)
    rows = await everything_in(database)

    told = [(row["place"]["chat"], row["details"]) for row in rows["notices"] if row["topic"] == Topic.LINKED]
    assert sorted(told, key=str) == [
        ("42", {"name": "ann", "platform": "console"}),
        ("ann", {"name": "hilda", "platform": "discord"}),
    ]
    assert {row["account"] for row in rows["notices"]} == {ann.account}
    acts = {(row["act"], row["actor"], row["subject"]) for row in rows["audits"]}
    assert acts == {
        ("account.linked", ann.account, hilda.account),
        ("account.linked", hilda.account, ann.account),
    }
    accounts = {one.id: one for one in await house.store.accounts.named("")}
    assert accounts[ann.account].merged_at == clock.now()
    assert set(accounts) == {ann.account}
    assert (await house.store.accounts.get(hilda.account)).merged_into == ann.account


async def test_a_login_that_joins_an_admin_is_the_admins(house: House) -> None:
    hilda, root = await on_discord(house), await somebody(house, "root")
    await house.services.accounts.role(root, await house.store.accounts.get(hilda.account), Role.MODERATOR)
    await house.services.links.confirm(root, (await asked(house, root, await on_discord(house))).id)

    assert await on_discord(house) == await somebody(house, "root")
    assert (await on_discord(house)).role is Role.ADMIN


async def test_nobody_gets_a_higher_role_by_linking(house: House, database: Database) -> None:
    ann, hilda, root = await somebody(house), await on_discord(house), await somebody(house, "root")
    await house.services.accounts.role(root, await house.store.accounts.get(hilda.account), Role.MODERATOR)
    code = await house.services.links.issue(ann, CONSOLE)
    before = in_the_way(await everything_in(database))

    for higher in (root, await on_discord(house)):
        with pytest.raises(CannotMerge) as refused:
            await house.services.links.redeem(higher, code, DM)
        assert refused.value.why == f"here you are {higher.role}, there user. Get a code here, and use it there."

    assert in_the_way(await everything_in(database)) == before


async def test_only_the_issuing_side_confirms_or_refuses(house: House, database: Database) -> None:
    ann, hilda, bob = await somebody(house), await on_discord(house), await somebody(house, "bob")
    request = await asked(house, ann, hilda)
    before = await everything_in(database)

    for actor in (hilda, bob):
        with pytest.raises(CodeGone):
            await house.services.links.confirm(actor, request.id)
        with pytest.raises(CodeGone):
            await house.services.links.refuse(actor, request.id)

    assert await everything_in(database) == before


async def test_a_request_ends_by_refusing_by_time_or_by_confirming(house: House, clock: HandClock) -> None:
    ann, hilda, links = await somebody(house), await on_discord(house), house.services.links
    refused = await asked(house, ann, hilda)
    await links.refuse(ann, refused.id)
    late = await asked(house, ann, hilda)
    clock.advance(ASKED_FOR)
    with pytest.raises(CodeGone):
        await links.confirm(ann, refused.id)
    with pytest.raises(CodeGone):
        await links.confirm(ann, late.id)
    assert await links.waiting(ann) == []

    confirmed = await asked(house, ann, hilda)
    await links.confirm(ann, confirmed.id)
    with pytest.raises(CodeGone):
        await links.refuse(ann, confirmed.id)


async def test_of_two_who_confirm_the_same_person_one_does(house: House) -> None:
    ann, bob, hilda = await somebody(house), await somebody(house, "bob"), await on_discord(house)
    requests = [(ann, await asked(house, ann, hilda)), (bob, await asked(house, bob, hilda))]

    done = await asyncio.gather(
        *(house.services.links.confirm(actor, request.id) for actor, request in requests), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in done) == ["CodeGone", "LinkRequest"]
    await prove_the_ledger(house.store)


async def test_what_is_in_the_way_is_named_and_nothing_is_changed(house: House, database: Database) -> None:
    ann, hilda, root = await somebody(house), await on_discord(house), await somebody(house, "root")
    links, accounts = house.services.links, house.services.accounts
    request = await asked(house, ann, hilda)

    async def refused() -> str:
        before = in_the_way(await everything_in(database))
        with pytest.raises(CannotMerge) as found:
            await links.confirm(ann, request.id)
        assert in_the_way(await everything_in(database)) == before
        return found.value.why

    zorp = await house.services.datasets.create(hilda, name="Zorp", trigger="zorp")
    job = await uploaded(house, hilda, zorp, "a.png")
    assert await refused() == f"hilda has jobs that have not ended: «{job.title}». Wait for them, or cancel them."
    await taken_in(house, job)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    assert await refused() == "both have a dataset «zorp». Delete or rename one of them first."
    await house.services.datasets.delete(ann, dataset)
    for one, name, trigger in ((ann, "Mia", "miax1"), (hilda, "mia", "miax2"), (hilda, "Leo", "leox1")):
        await house.services.characters.create(one, name=name, trigger=trigger)
    assert await refused() == "both have a character «mia». Delete or rename one of them first."
    await house.services.characters.delete(ann, (await house.services.characters.known(ann))[0].id)
    leo = await house.services.characters.create(ann, name="The other", trigger="leox1")
    assert await refused() == (
        "both have a character with the trigger word «leox1». Delete or rename one of them first."
    )
    await house.services.characters.delete(ann, leo.character.id)
    banned = await house.store.accounts.get(hilda.account)
    await accounts.ban(root, banned, why="spam")
    assert await refused() == "one of them is banned."
    await accounts.unban(root, banned)

    assert (await links.confirm(ann, request.id)).confirmed


async def test_models_of_one_name_are_in_the_way(house: House) -> None:
    ann, hilda = await somebody(house), await on_discord(house)
    for one in (ann, hilda):
        await a_trained_model(house, one)
        await house.services.datasets.delete(one, (await house.services.datasets.list(one))[0])
    request = await asked(house, ann, hilda)

    with pytest.raises(CannotMerge, match="both have a model «zorp»"):
        await house.services.links.confirm(ann, request.id)


async def test_what_was_begun_before_goes_on_after(house: House) -> None:
    ann, hilda = await somebody(house), await on_discord(house)
    dataset = await a_ready_dataset(house, hilda)
    quoted = await a_quote_for(house, hilda, dataset)
    draft = await house.services.drafts.open(hilda, DM, command="dataset add", given={"dataset": dataset.id})
    draft = await house.services.drafts.receive(draft, Upload(name="a.png", content=b"a"), origin="m1")
    await house.services.links.confirm(ann, (await asked(house, ann, hilda)).id)
    one = await on_discord(house)

    job = await house.services.trainings.order(one, quoted.quote.id, place=DM, attested=RIGHTS)

    assert (job.owner, job.price) == (ann.account, quoted.quote.price)
    assert await house.services.drafts.find(one, draft.id) == draft.but(account=ann.account)
    assert (await an_order(house, one, dataset.but(owner=one.account))).owner == ann.account
