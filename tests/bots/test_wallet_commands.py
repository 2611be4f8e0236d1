"""What people say about money: wallet, statement, receipts, codes, disputes, and what admins answer."""

from collections.abc import Sequence
from datetime import timedelta

from bots.chat.reply import Reply
from bots.commands.wallets import ROWS
from core.domain.account import Actor
from core.domain.job import Job
from core.domain.ledger import Act, Lot
from core.domain.wording import ACTS, LOTS
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.chats import a_call, a_dispatcher, button, labels, press, say
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    a_trained_model,
    an_order,
    finished,
    given,
    imagined,
    prove_the_ledger,
    somebody,
)


def rows(reply: Reply) -> Sequence[tuple[str, ...]]:
    return reply.table.rows if reply.table else ()


async def a_paid_job(house: House, actor: Actor, *, name: str = "zorp", steps: str = "200") -> Job:
    dataset = await a_ready_dataset(house, actor, name=name)
    return await finished(house, await an_order(house, actor, dataset, steps=steps))


def test_every_act_and_every_lot_has_its_words() -> None:
    assert set(ACTS) == set(Act)
    assert len(set(ACTS.values())) == len(Act)
    assert set(LOTS) == set(Lot)


async def test_a_code_is_made_by_an_admin_and_redeemed_once(house: House) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    sold = await say(house, root, "admin code", amount="50", count="2", days="30")
    gift = await say(house, root, "admin code", amount="5", kind="gift")
    codes = [line.strip("`") for line in (*sold.lines[:2], gift.lines[0])]
    done = [await say(house, ann, "redeem", code=code) for code in (codes[0], codes[0], codes[2].lower())]
    late = await say(house, bob, "redeem", code=codes[0])
    audit = await say(house, root, "admin audit")

    assert (sold.title, sold.fields) == (
        "2 codes worth 50 qoints each",
        (("kind", "sold"), ("good until", "31 Mar 2026")),
    )
    assert (gift.title, gift.fields) == (
        "1 code worth 5 qoints",
        (("kind", "gift"), ("good until", "01 Mar 2027")),
    )
    assert [(one.title, one.lines) for one in done] == [
        ("50 qoints are yours", ("Redeemed on 01 Mar 2026 at 12:00.",)),
        ("50 qoints are yours", ("Redeemed on 01 Mar 2026 at 12:00.",)),
        ("5 qoints are yours", ("Redeemed on 01 Mar 2026 at 12:00.",)),
    ]
    assert late.code == "voucher_gone"
    assert (await say(house, ann, "wallet")).fields[1] == ("qoints", "55 (5 granted, 50 purchased)")
    assert not any(code in str(audit) for code in codes)
    assert {row[2] for row in rows(audit)} == {
        "admin.code codes amount=50 count=2 days=30 lot=purchased",
        "admin.code codes amount=5 count=1 days=365 lot=granted",
    }


async def test_a_wallet_says_what_is_on_hold_and_what_models_have_earned(house: House) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    await house.services.models.publish(bob, (await a_trained_model(house, bob)).id)
    await an_order(house, ann, await a_ready_dataset(house, ann, name="blip"), steps="1800")
    made = await say(house, root, "admin code", amount="8")
    await say(house, ann, "redeem", code=made.lines[0].strip("`"))
    await finished(house, await imagined(house, ann, count=8))
    payer, owner = await say(house, ann, "wallet"), await say(house, bob, "wallet")

    assert (payer.title, payer.fields) == (
        "0 to spend",
        (
            ("points", "0 (refill daily to 100)"),
            ("qoints", "0"),
            ("on hold", "100 for jobs that wait or run"),
        ),
    )
    assert ("+8 qoints", "bought: a code was redeemed") in {row[1:] for row in rows(payer)}
    assert owner.fields == (
        ("points", "80 (refill daily to 100)"),
        ("qoints", "0"),
        ("earnings", "2, see `earnings`"),
    )


async def test_a_statement_keeps_points_and_qoints_apart(house: House, clock: HandClock) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    await given(house, ann, 15)
    clock.advance(timedelta(minutes=1))
    job = await a_paid_job(house, ann, steps="2000")
    clock.advance(timedelta(days=31))
    await house.services.wallets.refund(root, job.id, amount=12, why="blurred", key="k")
    march, april = [await say(house, ann, "statement", **raw) for raw in ({"month": "2026-03"}, {})]
    before = await say(house, ann, "statement", month="2026-02")

    assert (march.title, march.fields) == (
        "Statement of March 2026",
        (("at the start", "0 points, 0 qoints"), ("at the end", "0 points, 5 qoints")),
    )
    assert sorted(row[1:] for row in rows(march)) == [
        ("+100 points", "refilled: daily points of 2026-03-01"),
        ("+15 qoints", "granted: a test"),
        ("−100 points, −10 qoints", "held: zorp · Tiny"),
    ]
    assert april.fields == (("at the start", "0 points, 5 qoints"), ("at the end", "2 points, 15 qoints"))
    assert rows(april) == (("01 Apr 12:01", "+2 points, +10 qoints", "paid back: blurred"),)
    assert (before.lines, before.table) == (("Nothing was moved.",), None)


async def test_a_long_statement_goes_on_by_a_button(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    for _ in range(ROWS + 2):
        clock.advance(timedelta(minutes=1))
        await given(house, ann, 1)
    first = await say(house, ann, "statement")
    second, _ = await press(house, ann, first, "3 more")

    assert (first.title, second.title) == (
        "Statement of March 2026, page 1 of 2",
        "Statement of March 2026, page 2 of 2",
    )
    assert (len(rows(first)), len(rows(second)), labels(second)) == (ROWS, 3, [])
    assert (
        first.fields
        == second.fields
        == (("at the start", "0 points, 0 qoints"), ("at the end", "100 points, 27 qoints"))
    )
    for raw in ({"page": "3"}, {"page": "0"}, {"month": "2026-04"}, {"month": "9999-12"}, {"month": "May"}):
        assert (await say(house, ann, "statement", **raw)).code == "bad_value"


async def test_a_receipt_says_lot_by_lot_what_was_paid_and_came_back(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    await given(house, ann, 15)
    job = await a_paid_job(house, ann, steps="2000")
    await house.services.wallets.refund(root, job.id, amount=12, why="blurred", key="k")
    await given(house, ann, 10)
    broken = await an_order(house, ann, await a_ready_dataset(house, ann, name="blip"))
    await finished(house, broken, BROKEN)
    receipt, returned = [await say(house, ann, "receipts", job=one.id) for one in (job, broken)]

    assert receipt.fields == (
        ("job", job.id),
        ("held", "100 points + 10 granted"),
        ("captured", "100 points + 10 granted"),
        ("paid back", "2 points + 10 granted"),
    )
    assert sorted(row[1:] for row in rows(receipt)) == [
        ("110", "captured: succeeded"),
        ("110", "held: zorp · Tiny"),
        ("12", "paid back: blurred"),
    ]
    assert returned.fields[1:] == (("held", "2 points + 18 granted"), ("returned", "2 points + 18 granted"))
    assert (labels(receipt), labels(returned)) == (["Dispute"], [])


async def test_a_dispute_is_opened_from_the_receipt_and_paid_back_by_a_button(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    nothing = await say(house, root, "admin disputes")
    job, other = await a_paid_job(house, ann), await a_paid_job(house, ann, name="blip")
    receipt = await say(house, ann, "receipts", job=job.id)
    arguments = button(receipt, "Dispute").arguments
    opened = await say(house, ann, "dispute", **arguments, why="all blurred")
    await say(house, ann, "dispute", job=other.id, why="late")
    disputed = await say(house, ann, "receipts", job=job.id)
    first = await say(house, root, "admin disputes")
    paid, then = await press(house, root, first, "Pay 20 back")
    twice, _ = await press(house, root, first, "Pay 20 back")
    closed = await say(house, ann, "receipts", job=job.id)

    assert nothing.title == "Nothing is disputed"
    assert opened.title == "The admins look at «zorp · Tiny»"
    assert labels(first) == ["Look", "Pay 20 back", "Decline"]
    assert (labels(disputed), disputed.fields[-1]) == ([], ("dispute", "open: all blurred"))
    assert (first.title, first.lines, rows(first)) == (
        "ann wants 20 back for «zorp · Tiny»",
        ("all blurred",),
        (("blip · Tiny", "ann", "late"),),
    )
    assert (paid.title, paid.title, then) == (twice.title, "20 paid back for zorp · Tiny", "replace")
    assert closed.fields[-1] == ("dispute", "refunded: a dispute")
    assert (await say(house, ann, "wallet")).title == "80 to spend"
    assert (await say(house, root, "admin disputes")).title == "ann wants 20 back for «blip · Tiny»"
    await prove_the_ledger(house.store)


async def test_a_dispute_is_declined_in_words_for_its_owner(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    job = await a_paid_job(house, ann)
    await say(house, ann, "dispute", job=job.id, why="all blurred")
    first = await say(house, root, "admin disputes")
    declined = await say(house, root, "admin decline", **button(first, "Decline").arguments, answer="It is sharp.")
    late = await say(house, root, "admin decline", job=job.id, answer="Really.")
    receipt = await say(house, ann, "receipts", job=job.id)

    assert (declined.title, declined.lines) == ("Nothing is paid back for zorp · Tiny", ("It is sharp.",))
    assert late.code == "dispute_closed"
    assert (labels(receipt), receipt.fields[-1]) == ([], ("dispute", "declined: It is sharp."))
    assert (await say(house, root, "admin disputes")).title == "Nothing is disputed"


async def test_admins_choose_among_disputed_jobs_and_name_others_by_id(house: House) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    job, other = await a_paid_job(house, ann), await a_paid_job(house, bob, name="blip")
    own = await a_paid_job(house, root, name="mine")
    await say(house, ann, "dispute", job=job.id, why="all blurred")
    dispatcher = a_dispatcher()
    offered = await dispatcher.choices(dispatcher.definition("admin refund"), "job", a_call(house, root), "", {})
    done = [await say(house, root, "admin refund", job=name) for name in ("ann: zorp", other.id, own.id)]

    assert [(one.value, one.label) for one in offered.choices] == [(job.id, "ann: zorp · Tiny")]
    assert [one.code or one.title for one in done] == [
        "20 paid back for zorp · Tiny",
        "20 paid back for blip · Tiny",
        "not_them",
    ]


async def test_the_job_of_somebody_else_is_as_if_it_were_not_there(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    job = await a_paid_job(house, ann)
    there, nowhere = [await say(house, bob, "dispute", job=name, why="blurred") for name in (job.id, "0" * 12)]

    assert there.code == nowhere.code == "not_found"
    assert [line.replace(job.id, "JOB") for line in there.lines] == [
        line.replace("0" * 12, "JOB") for line in nowhere.lines
    ]
