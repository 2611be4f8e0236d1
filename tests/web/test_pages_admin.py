"""The controls on pages: who sees which, and what each form does."""

import pytest

from core.domain.account import Actor, Role
from core.domain.job import JobState
from core.domain.payout import PayoutState
from core.domain.rating import Rating
from core.domain.report import ReportedKind
from loraguild.composition import House
from tests.builders.forms import pressed, read
from tests.builders.payouts import asked, changed
from tests.builders.scenes import (
    a_ready_dataset,
    a_worker,
    adult,
    an_order,
    finished,
    prove_the_ledger,
    somebody,
    uploaded,
)
from tests.builders.visits import Client, entered

TABS = ("Workers", "Offerings", "Payouts", "Disputes", "Codes", "Costs", "News", "Settings", "Audit")


@pytest.fixture
async def _root(house: House, client: Client) -> None:
    await entered(house, client, await somebody(house, "root"))


@pytest.fixture
async def _moderator(house: House, client: Client) -> None:
    await changed(house, await somebody(house, "mod"), role=Role.MODERATOR)
    await entered(house, client, await somebody(house, "mod"))


@pytest.mark.usefixtures("_root")
async def test_every_tab_opens_when_there_is_nothing(client: Client) -> None:
    queue = await read(client, "/admin")
    every = [await read(client, queue.links[tab]) for tab in (*TABS, "People", "Moderation", "Reports")]

    assert [page.status for page in every] == [200] * 12
    assert "The queue is empty" in queue.words


@pytest.mark.usefixtures("_moderator")
async def test_a_moderator_sees_what_moderators_decide_and_nobody_else_sees_anything(
    house: House, client: Client, ann: Actor
) -> None:
    page = await read(client, "/admin")
    assert (page.path, {"People", "Moderation", "Reports"} <= set(page.links)) == ("/admin/moderation", True)
    assert not set(TABS) & set(page.links)
    assert (await read(client, "/admin/workers")).status == 403
    person = await read(client, f"/admin/people/{ann.account}")
    assert "Ban" not in {words for form in person.forms for words in form.buttons}
    verified = await pressed(client, person, "I have verified")
    assert "ann is verified as of age" in verified.words

    await entered(house, client, ann)
    assert {(await read(client, f"/admin{name}")).status for name in ("", "/people", "/moderation", "/audit")} == {403}


@pytest.mark.usefixtures("_root")
async def test_the_queue_is_paused_put_in_order_and_emptied(house: House, client: Client, ann: Actor) -> None:
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    worker = await a_worker(house)
    page = await read(client, "/admin")
    paused = await pressed(client, page, "Pause everything")
    ordered = await pressed(client, paused, "Set", priority="high")
    resumed = await pressed(client, ordered, "Resume")
    gone = await pressed(client, resumed, "Cancel")

    assert ("1 worker: w1:1" in page.words, "The queue is paused" in paused.words) == (True, True)
    assert "has high priority" in ordered.words
    assert "The queue goes on" in resumed.words
    assert ("The queue is empty" in gone.words, (await house.store.jobs.get(job.id)).state) == (
        True,
        JobState.CANCELLED,
    )
    await pressed(client, await read(client, "/admin/workers"), "Drain all")
    assert await house.services.jobs.drains(worker)
    await prove_the_ledger(house.store)


@pytest.mark.usefixtures("_root")
async def test_people_are_granted_judged_and_named_by_what_they_call_themselves(house: House, client: Client) -> None:
    zoe = await somebody(house, "zoë 🦊")
    found = await read(client, "/admin/people?name=zo")
    page = await read(client, found.links["zoë 🦊"])
    nothing = await pressed(client, page, "Grant", amount="0")
    granted = await pressed(client, nothing, "Grant", amount="70")
    banned = await pressed(client, granted, "Ban", why="spam")
    welcome = await pressed(client, banned, "Unban")

    assert (nothing.status, "it takes 1 to" in nothing.words) == (400, True)
    assert "70 qoints granted to zoë 🦊" in granted.words
    assert ("banned" in banned.words, "spam" in banned.words, "is welcome again" in welcome.words) == (True, True, True)
    assert (await house.services.wallets.view(zoe)).granted == 70


@pytest.mark.usefixtures("_root")
async def test_payouts_are_approved_as_chosen_and_paid(house: House, client: Client, ann: Actor) -> None:
    payout = await asked(house, ann)
    approved = await pressed(client, await read(client, "/admin/payouts"), "Approve what is chosen")
    one = await read(client, approved.links["ann"])
    paid = await pressed(client, one, "It is paid", reference="T-1")
    again = await pressed(client, one, "It is paid", reference="T-2")

    assert ("1 payout approved, 2,000 qoints" in approved.words, payout.to in one.words) == (True, True)
    assert "No payout is approved" in paid.words
    assert (again.status, "Payout" in again.words) == (422, True)
    assert (await house.store.payouts.get(payout.id)).state is PayoutState.PAID


@pytest.mark.usefixtures("_root")
async def test_a_dispute_is_paid_back_or_declined(house: House, client: Client, ann: Actor) -> None:
    job = await finished(house, await an_order(house, ann, await a_ready_dataset(house, ann)))
    await house.services.disputes.open(ann, job.id, why="bad")
    one = await read(client, (await read(client, "/admin/disputes")).links[job.title])
    back = await pressed(client, one, "Pay back", amount="5", why="sorry")

    assert "«bad»" in one.words
    assert ("5 went back to the owner" in back.words, "Nothing is disputed" in back.words) == (True, True)
    await prove_the_ledger(house.store)


@pytest.mark.usefixtures("_moderator")
async def test_a_dataset_is_approved_as_it_was_seen(house: House, client: Client, ann: Actor) -> None:
    dataset = await house.services.datasets.create(adult(ann), name="zorp", trigger="zorp", rating=Rating.NSFW)
    await finished(house, await uploaded(house, ann, dataset, "1.png"))
    page = await read(client, (await read(client, "/admin/moderation")).links["zorp"])
    await finished(house, await uploaded(house, ann, dataset, "2.png"))
    late = await pressed(client, page, "Approve")
    done = await pressed(client, late, "Approve")
    gone = await pressed(client, page, "Reject", why="no")

    assert (late.status, "Approve 2 pictures" in late.html) == (409, True)
    assert ("«zorp» is approved" in done.words, "Nothing waits" in done.words) == (True, True)
    assert "«zorp» is approved" in gone.words  # the same form once more, with other words


@pytest.mark.usefixtures("_moderator")
async def test_a_report_is_dismissed(house: House, client: Client, ann: Actor) -> None:
    other = await a_ready_dataset(house, ann, name="gorp")
    await house.store.datasets.save(other.but(shared=((bob := await somebody(house, "bob")).account,)))
    await house.services.reports.report(bob, ReportedKind.DATASET, other.id, why="that is me")
    dismissed = await pressed(client, await read(client, "/admin/reports"), "Dismiss")
    assert "The report about «gorp» is dismissed" in dismissed.words


@pytest.mark.usefixtures("_root")
async def test_news_are_shown_before_they_go_out_and_codes_once(house: House, client: Client, ann: Actor) -> None:
    shown = await pressed(client, await read(client, "/admin/news"), "Look at it", text="Hello.")
    told = await pressed(client, shown, "Say it")
    made = await pressed(client, await read(client, "/admin/vouchers"), "Make them", amount="40")
    code = made.html.partition("<pre>")[2].partition("</pre>")[0]
    await house.services.wallets.redeem(ann, code)
    off = await pressed(client, await read(client, "/admin/offerings"), "Turn off")

    assert ("Say this to 2 accounts?" in shown.words, "2 accounts are being told" in told.words) == (True, True)
    assert (await house.services.wallets.view(ann)).purchased == 40
    assert "is off" in off.words
    assert "admin.broadcast" in (await read(client, "/admin/audit")).words


@pytest.mark.usefixtures("_root")
async def test_a_group_is_set_up_and_what_is_off_is_told_with_where_to_turn_it_on(client: Client) -> None:
    wrong = await pressed(client, await read(client, "/admin/settings"), "Look at it", community="discord")
    group = await pressed(client, await read(client, "/admin/settings"), "Look at it", community="telegram:-7")
    other = await read(client, "/admin/settings/discord:7")
    refused = await pressed(client, group, "Save", channels="here", rating="nsfw")
    saved = await pressed(client, refused, "Save", channels="-7 8", orders="moderator", nsfw="yes")
    late = await pressed(client, group, "Save", channels="9")
    await pressed(client, await read(client, "/admin/offerings"), "Turn off")
    page = await read(client, "/admin/settings")

    assert (wrong.status, "discord:1234" in wrong.words) == (404, True)
    assert (refused.status, "it takes the ids of channels" in refused.words) == (400, True)
    assert ("nsfw" in dict(group.forms[1].fields), "nsfw" in dict(other.forms[1].fields)) == (True, False)
    assert "holds from now on" in saved.words
    assert (late.status, "channels is now «-7 8»" in late.words) == (409, True)
    assert page.links["telegram:-7"] == saved.path
    assert "<td>-7 8</td><td>nsfw</td><td>moderator</td><td>yes</td>" in page.html
    assert [where for words, where in page.links.items() if "cannot be ordered" in words] == ["/admin/offerings"]
    assert "PAYOUT_FOUR_EYES" in page.words
