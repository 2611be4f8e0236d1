"""Money on pages, as somebody without JavaScript uses them: the wallet, a receipt, earnings, payouts, notices."""

import pytest

from core.domain.account import Actor
from loraguild.composition import House
from tests.builders.forms import pressed, read
from tests.builders.payouts import IBAN, earned
from tests.builders.scenes import a_ready_dataset, an_order, finished, given, prove_the_ledger, somebody
from tests.builders.visits import Client, entered


@pytest.fixture
async def _signed_in(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)


pytestmark = pytest.mark.usefixtures("_signed_in")


async def test_the_wallet_shows_what_there_is_and_takes_codes(house: House, client: Client, ann: Actor) -> None:
    root = await somebody(house, "root")
    await given(house, ann, 1200)
    made = await house.services.vouchers.issue(root, amount=250, count=1, days=1, sold=True, key="k")
    page = await read(client, "/wallet")
    wrong = await pressed(client, page, "Redeem", code="ABCD <b>")
    right = await pressed(client, wrong, "Redeem", code=made.codes[0])

    assert ("1,300" in page.words, "+1,200 qoints" in page.words) == (True, True)
    assert (wrong.status, "not valid" in wrong.words, 'value="ABCD &lt;b&gt;"' in wrong.html) == (422, True, True)
    assert (right.path, "250 qoints came with this code" in right.words, "1,550" in right.words) == (
        "/wallet",
        True,
        True,
    )


async def test_a_statement_goes_from_month_to_month_and_a_receipt_says_what_became_of_the_price(
    house: House, client: Client, ann: Actor
) -> None:
    job = await finished(house, await an_order(house, ann, await a_ready_dataset(house, ann)))
    month = await read(client, (await read(client, "/wallet")).links["Statement by month"])
    before = await read(client, month.links["← February"])
    receipts = await read(client, "/receipts")
    receipt = await read(client, f"/receipts/{job.id}")
    disputed = await pressed(client, receipt, "Ask for it back", why="the eyes are wrong")

    assert ("March 2026" in month.words, "−20 points" in month.words) == (True, True)
    assert ("February 2026" in before.words, "Nothing was moved" in before.words) == (True, True)
    assert receipts.links[job.title] == f"/receipts/{job.id}"
    assert "<dt>captured</dt><dd>20</dd>" in receipt.html
    assert (disputed.path, "the eyes are wrong" in disputed.words) == (f"/receipts/{job.id}", True)
    assert "Ask for it back" not in disputed.words
    assert (await read(client, "/wallet/statement?month=soon")).status == 400


async def test_nobody_reads_somebody_elses_receipt(house: House, client: Client, ann: Actor) -> None:
    job = await finished(house, await an_order(house, ann, await a_ready_dataset(house, ann)))
    await entered(house, client, await somebody(house, "bob"))

    assert (await read(client, f"/receipts/{job.id}")).status == 404
    assert "No receipts yet" in (await read(client, "/receipts")).words


async def test_earnings_go_into_the_wallet_or_out_of_the_house(house: House, client: Client, ann: Actor) -> None:
    await earned(house, ann, 5000)
    spent = await pressed(client, await read(client, "/earnings"), "Exchange", amount="500")
    page = await read(client, "/payouts")
    wrong = await pressed(client, page, "Ask for it", amount="many", to=IBAN)
    asked = await pressed(client, wrong, "Ask for it", amount="2000", to=IBAN)
    back = await pressed(client, asked, "Call it back")

    assert (spent.path, "500 earned qoints came into your wallet" in spent.words) == ("/wallet", True)
    assert (wrong.status, f'value="{IBAN}"' in wrong.html) == (400, True)
    assert ("2,000 qoints" in asked.words, "requested" in asked.words, IBAN in asked.words) == (True, True, True)
    assert ("cancelled" in back.words, "4,500" in back.words) == (True, True)
    await prove_the_ledger(house.store)


async def test_a_form_that_is_sent_twice_counts_once(house: House, client: Client, ann: Actor) -> None:
    await earned(house, ann, 5000)
    page = await read(client, "/payouts")
    for _ in range(2):
        await pressed(client, page, "Ask for it", amount="1000", to=IBAN)

    assert len(await house.services.payouts.list(ann)) == 1


async def test_notices_are_read_again_and_how_one_is_told_is_chosen(house: House, client: Client) -> None:
    root = await somebody(house, "root")
    await house.services.operations.broadcast(root, "<i>Hello</i>\nSee `wallet`.", key="n")
    page = await read(client, "/notices")
    chosen = await pressed(client, page, "Save", telling="final")

    assert ("News for everyone" in page.words, "<i>Hello</i>" in page.words) == (True, True)
    assert '<a href="/wallet">your wallet</a>' in page.html
    assert (chosen.path, (await somebody(house)).notify.telling) == ("/notices", "final")
