"""Money by the API: what somebody has, every change of it by page and by month, receipts, codes, earnings, payouts."""

import asyncio

import pytest

from core.domain.account import Actor
from core.domain.token import Scope
from loraguild.composition import House
from tests.builders.payouts import IBAN, earned
from tests.builders.programs import Client, Program, a_program, told
from tests.builders.scenes import BROKEN, a_ready_dataset, an_order, finished, given, prove_the_ledger, somebody


@pytest.fixture
async def anns(house: House, client: Client, ann: Actor) -> Program:
    return await a_program(house, client, ann)


@pytest.fixture
async def bobs(house: House, client: Client) -> Program:
    return await a_program(house, client, await somebody(house, "bob"))


async def walked(program: Program, path: str, *, limit: int) -> list[str]:
    """The ids of a whole list, page by page."""
    found, after = [], ""
    while True:
        _, page = await told(await program.get(f"{path}?limit={limit}{after and f'&after={after}'}"))
        found += [one.get("id") or one["job"] for one in page["items"]]
        if page["next"] is None:
            return found
        after = page["next"]


async def test_a_wallet_is_what_its_entries_add_up_to_by_page_and_by_month(
    house: House, ann: Actor, anns: Program
) -> None:
    for amount in (10, 20, 30):
        await given(house, ann, amount)
    wallet = (await told(await anns.get("/wallet")))[1]
    every = (await told(await anns.get("/wallet/entries")))[1]["items"]
    month = (await told(await anns.get("/wallet/months/2026-03")))[1]

    assert wallet["balance"] == {"points": 100, "granted": 60, "purchased": 0, "total": 160}
    assert wallet["daily_points"] == 100
    assert sum(one["points"] + one["qoints"] for one in every) == 160
    assert {(one["title"], one["qoints"]) for one in every if one["qoints"]} == {
        ("granted", amount) for amount in (10, 20, 30)
    }
    assert (month["opening"]["total"], month["closing"]) == (0, wallet["balance"])
    assert sorted(one["id"] for one in month["entries"]) == sorted(one["id"] for one in every)
    assert await walked(anns, "/wallet/entries", limit=1) == [one["id"] for one in every]


@pytest.mark.parametrize("month", ["2026-13", "march", "0000-01", "2027-01"])
async def test_a_month_that_is_none_or_has_not_begun_is_refused_in_words(anns: Program, month: str) -> None:
    assert await told(await anns.get(f"/wallet/months/{month}")) == (400, "bad_value")
    assert await told(await anns.get(f"/earnings/months/{month}")) == (400, "bad_value")


async def test_a_place_in_somebody_elses_list_is_no_place_to_go_on_from(
    house: House, ann: Actor, anns: Program, bobs: Program
) -> None:
    await given(house, ann, 10)
    (entry, *_) = (await told(await anns.get("/wallet/entries")))[1]["items"]

    assert await told(await bobs.get(f"/wallet/entries?after={entry['id']}")) == (404, "not_found")
    assert await told(await bobs.get("/notices?after=nothing")) == (404, "not_found")


async def test_a_code_is_redeemed_once_by_whoever_may_spend(
    house: House, client: Client, ann: Actor, anns: Program, bobs: Program
) -> None:
    root = await somebody(house, "root")
    made = await house.services.vouchers.issue(root, amount=250, count=1, days=1, sold=True, key="k")
    body = {"code": made.codes[0].lower()}
    reader = await a_program(house, client, ann, [Scope.READ, Scope.WRITE])

    assert await told(await reader.send("POST", "/wallet/redeem", body, key="1")) == (403, "token_too_narrow")
    first = await told(await anns.send("POST", "/wallet/redeem", body, key="1"))
    again = await told(await anns.send("POST", "/wallet/redeem", body, key="1"))
    other = await told(await anns.send("POST", "/wallet/redeem", {"code": "other"}, key="1"))

    assert (first[0], first[1]["qoints"]) == (200, 250)
    assert again == first
    assert other == (422, "key_reused")
    assert await told(await anns.send("POST", "/wallet/redeem", body)) == (400, "key_missing")
    assert await told(await bobs.send("POST", "/wallet/redeem", body, key="1")) == (422, "voucher_gone")
    await prove_the_ledger(house.store)


async def test_receipts_say_what_became_of_the_price_and_are_disputed_by_their_owner_alone(
    house: House, ann: Actor, anns: Program, bobs: Program
) -> None:
    dataset = await a_ready_dataset(house, ann)
    good = await finished(house, await an_order(house, ann, dataset))
    bad = await finished(house, await an_order(house, ann, dataset, steps="300"), BROKEN)
    receipt = (await told(await anns.get(f"/receipts/{good.id}")))[1]
    failed = (await told(await anns.get(f"/receipts/{bad.id}")))[1]
    complaint = {"why": "the eyes are wrong"}

    assert (receipt["held"], receipt["captured"], receipt["returned"], receipt["disputable"]) == (20, 20, 0, True)
    assert (failed["held"], failed["captured"], failed["returned"], failed["disputable"]) == (25, 0, 25, False)
    assert sorted(await walked(anns, "/receipts", limit=1)) == sorted([good.id, bad.id])
    assert await told(await bobs.get(f"/receipts/{good.id}")) == (404, "not_found")
    assert await told(await bobs.send("POST", f"/receipts/{good.id}/dispute", complaint)) == (404, "not_found")
    status, dispute = await told(await anns.send("POST", f"/receipts/{good.id}/dispute", complaint))
    assert (status, dispute["state"], dispute["why"]) == (200, "open", "the eyes are wrong")


async def test_earnings_are_spent_or_asked_for_once_however_often_it_is_said(
    house: House, ann: Actor, anns: Program, bobs: Program
) -> None:
    await earned(house, ann, 5000)
    wish = {"to": IBAN, "amount": 2000}
    asked = await asyncio.gather(*(anns.send("POST", "/payouts", wish, key="1") for _ in range(3)))
    statuses = {answer.status for answer in asked}
    assert statuses <= {201, 409}
    status, payout = await told(await anns.send("POST", "/payouts", wish, key="1"))
    assert (status, payout["state"], payout["amount"], payout["to"]) == (201, "requested", 2000, IBAN)
    assert (await told(await anns.get("/payouts")))[1]["items"] == [payout]

    cancel = f"/payouts/{payout['id']}/cancel"
    assert await told(await bobs.send("POST", cancel, key="1")) == (404, "not_found")
    assert (await told(await anns.send("POST", cancel, key="2")))[1]["state"] == "cancelled"
    assert await told(await anns.send("POST", cancel, key="3")) == (422, "payout_state")

    spent = await told(await anns.send("POST", "/earnings/spend", {"amount": 500}, key="4"))
    assert (spent[0], spent[1]["qoints"]) == (200, 500)
    assert (await told(await anns.get("/earnings")))[1]["payable"] == 4500
    assert await told(await anns.send("POST", "/payouts", {"to": IBAN, "amount": 9000}, key="5")) == (
        422,
        "not_enough_earned",
    )
    await prove_the_ledger(house.store)


async def test_notices_are_read_again_in_words_and_by_their_owner_alone(
    house: House, ann: Actor, anns: Program, bobs: Program
) -> None:
    for amount in (1, 2, 3):
        await given(house, ann, amount)
    await finished(house, await an_order(house, ann, await a_ready_dataset(house, ann)), BROKEN)
    every = (await told(await anns.get("/notices")))[1]["items"]
    titles = {one["title"]: one["text"] for one in every}

    assert {"root gave you 1 qoint", "root gave you 2 qoints"} <= set(titles)
    assert [text for title, text in titles.items() if title.endswith(": failed")] == [BROKEN.words]
    assert await walked(anns, "/notices", limit=2) == [one["id"] for one in every]
    assert (await told(await bobs.get("/notices")))[1]["items"] == []


async def test_how_one_is_told_is_chosen_in_part(anns: Program) -> None:
    assert await told(await anns.get("/notify")) == (200, {"where": "dm", "telling": "live"})
    assert await told(await anns.send("PATCH", "/notify", {"telling": "final"})) == (
        200,
        {"where": "dm", "telling": "final"},
    )
    assert await told(await anns.send("PATCH", "/notify", {"telling": "loud"})) == (400, "malformed")


async def test_me_is_who_i_am_and_how_much_i_store(house: House, ann: Actor, anns: Program) -> None:
    dataset = await a_ready_dataset(house, ann)
    me = (await told(await anns.get("/me")))[1]

    assert (me["id"], me["name"], me["role"]) == (ann.account, "ann", "user")
    assert me["logins"] == [{"id": "console:ann", "name": "ann"}]
    assert (me["stored"]["items"], me["stored"]["bytes"]) == (dataset.count, dataset.bytes)
