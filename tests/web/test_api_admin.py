"""The controls by the API: who may, the queue and why it waits, people, money, moderation, news, and who did what."""

import pytest

from core.domain.account import Actor, Role
from core.domain.rating import Rating
from core.domain.report import ReportedKind
from core.domain.token import Scope
from loraguild.composition import House
from tests.builders.payouts import an_admin, asked, changed
from tests.builders.programs import Client, Program, a_program, told
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

READS = (
    "communities",
    "queue",
    "workers",
    "offerings",
    "audit",
    "costs",
    "census",
    "disputes",
    "payouts",
    "payouts.csv",
)


@pytest.fixture
async def root(house: House) -> Actor:
    return await somebody(house, "root")


@pytest.fixture
async def roots(house: House, client: Client, root: Actor) -> Program:
    return await a_program(house, client, root)


@pytest.fixture
async def mods(house: House, client: Client) -> Program:
    """The program of a moderator."""
    await changed(house, await somebody(house, "mod"), role=Role.MODERATOR)
    return await a_program(house, client, await somebody(house, "mod"), list(Scope))


async def test_the_controls_are_for_admins_with_a_token_for_it(
    house: House, client: Client, root: Actor, roots: Program, ann: Actor
) -> None:
    anns = await a_program(house, client, ann)
    narrow = await a_program(house, client, root, [Scope.READ, Scope.WRITE, Scope.SPEND])

    for name in READS:
        assert (await anns.get(f"/admin/{name}")).status == 403
        assert await told(await narrow.get(f"/admin/{name}")) == (403, "token_too_narrow")
        assert (await roots.get(f"/admin/{name}")).status == 200


async def test_the_queue_says_what_waits_and_why_and_is_put_in_order(house: House, roots: Program, ann: Actor) -> None:
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    await a_worker(house)
    (line,) = (await told(await roots.get("/admin/queue")))[1]["lines"]
    assert (line["kind"], line["offering"], line["waiting"], line["workers"]) == ("training", "tiny", 1, ["w1:1"])

    assert await told(await roots.send("PUT", "/admin/pauses/tiny")) == (204, None)
    queue = (await told(await roots.get("/admin/queue")))[1]
    assert (queue["pauses"], queue["lines"][0]["pauses"], queue["lines"][0]["workers"]) == (
        ["claims:tiny"],
        ["claims:tiny"],
        [],
    )
    assert [(one["id"], one["owner_name"]) for one in queue["jobs"]] == [(job.id, "ann")]
    assert await told(await roots.send("DELETE", "/admin/pauses/tiny")) == (204, None)
    assert await told(await roots.send("PUT", "/admin/pauses/nothing")) == (404, "not_found")

    await roots.send("PUT", f"/admin/jobs/{job.id}/priority", {"priority": "high"})
    assert (await told(await roots.get("/admin/queue")))[1]["jobs"][0]["priority"] == "high"
    assert await told(await roots.send("POST", f"/admin/jobs/{job.id}/requeue")) == (422, "nothing_to_do")
    assert (await told(await roots.send("POST", f"/admin/jobs/{job.id}/cancel")))[1]["state"] == "cancelled"
    assert await told(await roots.send("POST", f"/admin/jobs/{job.id}/cancel")) == (422, "job_ended")
    await prove_the_ledger(house.store)


async def test_a_line_that_nobody_takes_says_what_is_lacking(house: House, roots: Program, ann: Actor) -> None:
    await an_order(house, ann, await a_ready_dataset(house, ann))
    await a_worker(house, missing={"tiny": "no such folder"})
    (line,) = (await told(await roots.get("/admin/queue")))[1]["lines"]

    assert (line["workers"], line["wanting"]) == ([], ["the base model (no such folder)"])


async def test_a_worker_is_drained_and_undrained(house: House, roots: Program) -> None:
    worker = await a_worker(house)
    (before,) = (await told(await roots.get("/admin/workers")))[1]["items"]
    assert await told(await roots.send("POST", f"/admin/workers/{worker.id}/drain")) == (204, None)
    assert await house.services.jobs.drains(worker)
    assert await told(await roots.send("POST", f"/admin/workers/{worker.id}/undrain")) == (204, None)
    (after,) = (await told(await roots.get("/admin/workers")))[1]["items"]

    assert (before, before["name"], before["silent"]) == (after, "w1:1", None)
    assert await told(await roots.send("POST", "/admin/workers/nobody/drain")) == (404, "not_found")


async def test_people_are_found_judged_and_given_qoints(
    house: House, roots: Program, mods: Program, ann: Actor, root: Actor
) -> None:
    bob, path = await somebody(house, "bob"), f"/admin/accounts/{ann.account}"
    grant = {"amount": 70, "why": "a prize"}

    assert [one["name"] for one in (await told(await roots.get("/admin/accounts?name=an")))[1]["items"]] == ["ann"]
    assert (await told(await roots.get("/admin/accounts/console:root")))[1]["role"] == "admin"
    assert (await told(await mods.send("PUT", f"{path}/adult")))[1]["adult"]
    assert not (await told(await mods.send("DELETE", f"{path}/adult")))[1]["adult"]
    assert await told(await mods.send("PUT", f"{path}/ban", {"why": "no"})) == (403, "not_allowed")
    assert (await told(await roots.send("PUT", f"{path}/ban", {"why": "spam"})))[1]["banned"] == "spam"
    assert (await told(await roots.send("DELETE", f"{path}/ban")))[1]["banned"] is None
    assert (await told(await roots.send("PUT", f"{path}/role", {"role": "viewer"})))[1]["role"] == "viewer"
    assert (await told(await roots.send("PUT", f"{path}/related/{bob.account}")))[1]["related"] == [bob.account]
    assert (await told(await roots.send("DELETE", f"{path}/related/{bob.account}")))[1]["related"] == []
    given = await told(await roots.send("POST", f"{path}/grant", grant, key="1"))
    assert await told(await roots.send("POST", f"{path}/grant", grant, key="1")) == given
    assert (await house.services.wallets.view(ann)).granted == 70
    own = f"/admin/accounts/{root.account}/ban"
    assert await told(await roots.send("PUT", own, {"why": "me"})) == (403, "not_them")
    assert await told(await roots.get("/admin/accounts/nobody")) == (404, "not_found")


async def test_payouts_are_decided_and_paid(house: House, client: Client, roots: Program, ann: Actor) -> None:
    payout, other = await asked(house, ann), await asked(house, ann, 1500)
    claims = (await told(await roots.get("/admin/payouts")))[1]["items"]
    assert [(one["payout"]["id"], one["owner"], one["hindrance"]) for one in claims] == [
        (payout.id, "ann", ""),
        (other.id, "ann", ""),
    ]

    wish = {"payouts": [payout.id]}
    done = await told(await roots.send("POST", "/admin/payouts/approve", wish, key="1"))
    assert (done[0], done[1]["items"][0]["state"]) == (200, "approved")
    assert await told(await roots.send("POST", "/admin/payouts/approve", wish, key="1")) == done
    sheet = await roots.get("/admin/payouts.csv?state=approved")
    assert (sheet.content_type, payout.to in await sheet.text()) == ("text/csv", True)
    assert sheet.headers["Content-Disposition"] == 'attachment; filename="payouts approved.csv"'
    paid = await told(await roots.send("POST", f"/admin/payouts/{payout.id}/paid", {"reference": "T-1"}, key="2"))
    assert (paid[1]["state"], paid[1]["reference"]) == ("paid", "T-1")
    rejected = await roots.send("POST", f"/admin/payouts/{other.id}/reject", {"why": "no such account"}, key="3")
    assert (await told(rejected))[1]["reason"] == "no such account"
    own = await asked(house, await an_admin(house, "cleo"))
    cleos = await a_program(house, client, await somebody(house, "cleo"))
    assert await told(await cleos.send("POST", "/admin/payouts/approve", {"payouts": [own.id]}, key="1")) == (
        422,
        "four_eyes",
    )
    await prove_the_ledger(house.store)


async def test_a_dispute_ends_with_money_or_with_words(house: House, roots: Program, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann)
    jobs = [await finished(house, await an_order(house, ann, dataset, steps=steps)) for steps in ("200", "300")]
    for job in jobs:
        await house.services.disputes.open(ann, job.id, why="bad")
    waiting = (await told(await roots.get("/admin/disputes")))[1]["items"]
    assert {(one["job"], one["paid"]) for one in waiting} == {(jobs[0].id, 20), (jobs[1].id, 25)}

    path, body = f"/admin/receipts/{jobs[0].id}/refund", {"amount": 5, "why": "sorry"}
    back = await told(await roots.send("POST", path, body, key="1"))
    assert (back[0], back[1]["amount"]) == (200, 5)
    assert await told(await roots.send("POST", path, body, key="1")) == back
    declined = await roots.send("POST", f"/admin/disputes/{jobs[1].id}/decline", {"answer": "it is as ordered"})
    assert (await told(declined))[1]["state"] == "declined"
    assert (await told(await roots.get("/admin/disputes")))[1]["items"] == []
    await prove_the_ledger(house.store)


async def test_a_moderator_approves_what_was_seen(house: House, mods: Program, ann: Actor) -> None:
    dataset = await house.services.datasets.create(adult(ann), name="zorp", trigger="zorp", rating=Rating.NSFW)
    await finished(house, await uploaded(house, ann, dataset, "1.png", "2.png"))
    (one,) = (await told(await mods.get("/admin/moderation")))[1]["items"]
    assert (one["id"], one["owner"], one["count"]) == (dataset.id, "ann", 2)
    path = f"/admin/moderation/{dataset.id}"
    assert await told(await mods.send("POST", f"{path}/approve", {"seen": 1})) == (409, "outdated")
    assert (await told(await mods.send("POST", f"{path}/reject", {"seen": 2, "why": "blurry"})))[1] | {} == (
        await told(await mods.send("POST", f"{path}/reject", {"seen": 2, "why": "blurry"}))
    )[1]
    assert (await told(await mods.send("POST", f"{path}/approve", {"seen": 2})))[1]["review"] == "approved"


async def test_a_moderator_decides_reports(house: House, mods: Program, ann: Actor) -> None:
    other = await a_ready_dataset(house, ann, name="gorp")
    bob = await somebody(house, "bob")
    await house.store.datasets.save((await house.store.datasets.get(other.id)).but(shared=(bob.account,)))
    (report,) = await house.services.reports.report(bob, ReportedKind.DATASET, other.id, why="that is me")
    (waiting,) = (await told(await mods.get("/admin/reports")))[1]["items"]
    assert (waiting["id"], waiting["reporter"], waiting["owner"]) == (report.id, "bob", "ann")
    assert (await told(await mods.send("POST", f"/admin/reports/{report.id}/dismiss")))[1]["state"] == "dismissed"
    assert await told(await mods.send("POST", f"/admin/reports/{report.id}/uphold")) == (422, "nothing_to_do")


async def test_codes_are_shown_once_and_kept_nowhere(house: House, roots: Program, ann: Actor) -> None:
    status, made = await told(await roots.send("POST", "/admin/vouchers", {"amount": 40, "count": 2, "sold": False}))
    await house.services.wallets.redeem(ann, made["codes"][1])

    assert (status, len(made["codes"]), made["sold"]) == (201, 2, False)
    assert (await house.services.wallets.view(ann)).granted == 40
    assert await told(await roots.send("POST", "/admin/vouchers", {"amount": 0})) == (400, "bad_value")


async def test_news_are_said_once_and_every_act_is_found_again(roots: Program, ann: Actor) -> None:
    for _ in range(2):
        said = await told(await roots.send("POST", "/admin/broadcast", {"text": "Hello."}, key="1"))
        assert said == (202, {"people": 2})
    assert await told(await roots.send("DELETE", "/admin/offerings/tiny")) == (204, None)
    offered = {one["id"]: one["on"] for one in (await told(await roots.get("/admin/offerings")))[1]["items"]}
    assert not offered["tiny"]
    assert await told(await roots.send("PUT", "/admin/offerings/tiny")) == (204, None)

    first = (await told(await roots.get("/admin/audit?limit=2")))[1]
    rest = (await told(await roots.get(f"/admin/audit?limit=2&after={first['next']}")))[1]
    acts = [one["act"] for one in (*first["items"], *rest["items"])]
    assert (sorted(acts), rest["next"]) == (["admin.broadcast", "admin.off", "admin.on"], None)
    assert {one["by"] for one in first["items"]} == {"root"}
    assert (await told(await roots.get(f"/admin/audit?by={ann.account}")))[1]["items"] == []


async def test_a_server_is_set_up_all_at_once_and_only_as_it_was_seen(
    house: House, root: Actor, roots: Program
) -> None:
    path = "/admin/communities/discord:7"
    tag = (await roots.get(path)).headers["ETag"]
    both, blank = [
        await told(await roots.send("PATCH", path, {"channels": [channel], "rating": "nsfw"}))
        for channel in ("here", "")
    ]
    changed = await roots.send("PATCH", path, {"channels": ["8"], "nsfw": True}, If_Match=tag)
    late = await told(await roots.send("PATCH", path, {"nsfw": False}, If_Match=tag))
    _, listed = await told(await roots.get("/admin/communities"))

    assert [both, blank] == [(400, "bad_value")] * 2
    assert (changed.status, late) == (200, (412, "not_as_seen"))
    assert listed["items"] == [
        {"id": "discord:7", "channels": ["8"], "rating": "sfw", "orders": "user", "nsfw": True, "pins": {}}
    ]
    acts = await house.store.audits.latest(actor=root.account)
    assert [one.details for one in acts if one.act == "admin.setting"] == [{"channels": "8", "nsfw": "yes"}]
