"""Webhooks over the database: what is told to whom, once it has happened, at least once, and what becomes of it."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.account import Actor
from core.domain.errors import BadValue, KeyReused, NotFound, NothingToDo, TooManyWebhooks, TooOften
from core.domain.event import EventType
from core.domain.notice import Topic
from core.domain.webhook import (
    KEPT,
    LEASE,
    LISTED,
    MOST,
    OVERLAP,
    OWN,
    PATIENCE,
    Answer,
    Change,
    Post,
    PostState,
    Webhook,
    trial,
)
from core.kinds import announce
from core.ports.clock import HandClock, RandomIds
from core.ports.store import Repositories
from core.services.webhooks import OFTEN, Webhooks
from loraguild.composition import House
from loraguild.tidying import tidied
from storage.repositories.entities import Database
from tests.builders.entities import NOON, a_post
from tests.builders.payouts import earned
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    a_trained_model,
    an_order,
    everything_in,
    finished,
    somebody,
)

URL = "https://hooks.example/in"
FINE, FAILING = Answer(status=204), Answer(status=500)


class Receiver:
    """A poster whose receivers answer as they are told, and that notes what they got."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, bytes, Mapping[str, str]]] = []

    async def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        self.got.append((url, body, headers))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body, _ in self.got]

    def signed_by(self, secret: str, number: int = -1) -> bool:
        _, body, headers = self.got[number]
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), text, hashlib.sha256).digest()
        return f"v1,{base64.b64encode(mac).decode()}" in headers["webhook-signature"].split()


@pytest.fixture
def webhooks(house: House) -> Webhooks:
    return house.services.webhooks


@pytest.fixture
async def ann(house: House) -> Actor:
    return await somebody(house)


@pytest.fixture
async def webhook(webhooks: Webhooks, ann: Actor) -> Webhook:
    return (await webhooks.create(ann, url=URL, key="a1")).webhook


async def delivered(webhooks: Webhooks, receiver: Receiver) -> list[Post]:
    """Send everything that is due, the longest due first."""
    due = await webhooks.due(limit=100)
    return [sent for post in due if (sent := await webhooks.send(post, receiver))]


async def test_the_end_of_a_job_is_told_with_a_signature(house: House, webhooks: Webhooks, ann: Actor) -> None:
    opened = await webhooks.create(ann, url=URL, key="a2")
    job = await finished(house, await an_order(house, ann, await a_ready_dataset(house, ann)))
    receiver = Receiver(FINE)

    await delivered(webhooks, receiver)
    *_, (url, body, _) = receiver.got

    assert receiver.types[-1] == "job.succeeded"
    assert (url, json.loads(body)["data"]["id"]) == (URL, job.id)
    assert receiver.signed_by(opened.secret)
    assert await delivered(webhooks, receiver) == []
    assert {post.state for post in await webhooks.posts(ann, opened.webhook.id)} == {PostState.DELIVERED}


async def test_the_main_road_is_told_step_by_step(house: House, webhooks: Webhooks, ann: Actor) -> None:
    await webhooks.create(ann, url=URL, key="a3")
    dataset = await a_ready_dataset(house, ann)
    first = await an_order(house, ann, dataset)
    await house.services.jobs.cancel(ann, first.id)
    await finished(house, await an_order(house, ann, dataset), BROKEN)
    receiver = Receiver(FINE)

    await delivered(webhooks, receiver)

    assert [kind for kind in receiver.types if kind != "job.succeeded"] == [
        "dataset.ready",
        "job.cancelled",
        "job.failed",
    ]


async def test_those_without_webhooks_are_told_nothing(
    house: House, webhooks: Webhooks, ann: Actor, webhook: Webhook
) -> None:
    bob = await somebody(house, "bob")
    await a_ready_dataset(house, bob)

    assert await webhooks.due(limit=100) == []
    assert await webhooks.posts(ann, webhook.id) == []


async def test_a_webhook_is_told_the_types_that_it_wants(house: House, webhooks: Webhooks, ann: Actor) -> None:
    made = await webhooks.create(ann, url=URL, types=[EventType.DATASET_ERROR, EventType.DATASET_READY], key="a4")
    await a_ready_dataset(house, ann)
    receiver = Receiver(FINE)

    await delivered(webhooks, receiver)

    assert made.webhook.types == (EventType.DATASET_READY, EventType.DATASET_ERROR)
    assert receiver.types == ["dataset.ready"]


async def test_what_did_not_happen_is_told_to_nobody(house: House, ann: Actor, webhook: Webhook) -> None:
    """The post is part of the transaction that it tells of."""

    async def work(tx: Repositories) -> None:
        await announce(tx, trial(webhook, now=NOON), ids=RandomIds())
        assert await tx.posts.of(webhook.id)
        raise NothingToDo(why="It was all for nothing.")

    with pytest.raises(NothingToDo):
        await house.store.transact(work)

    assert await house.services.webhooks.posts(ann, webhook.id) == []


async def test_a_model_that_is_published_is_told_of_each_time_and_a_payout_at_each_step(
    house: House, webhooks: Webhooks, ann: Actor
) -> None:
    models, root = house.services.models, await somebody(house, "root")
    model = await a_trained_model(house, ann)
    await earned(house, ann, 2000)
    made = await webhooks.create(ann, url=URL, types=[one for one in EventType if not one.startswith("job")], key="a5")

    await models.publish(ann, model.id)
    await models.edit(ann, model.id, description="As it was.")
    payout = await house.services.payouts.request(ann, to="IBAN", amount=2000, key="k1")
    await house.services.payouts.approve(root, [payout.id], key="k2")
    receiver = Receiver(FINE)
    await delivered(webhooks, receiver)

    assert receiver.types == ["model.published", "payout.requested", "payout.approved"]
    assert receiver.signed_by(made.secret)


async def test_what_fails_is_tried_again_later_under_the_same_id(
    webhooks: Webhooks, ann: Actor, webhook: Webhook, clock: HandClock
) -> None:
    receiver = Receiver(FAILING, Answer(status=429, retry_after="3600"), FINE)
    post = await webhooks.test(ann, webhook.id)

    (first,) = await delivered(webhooks, receiver)
    early = await delivered(webhooks, receiver)
    clock.advance(first.due_at - clock.now())
    (second,) = await delivered(webhooks, receiver)
    clock.advance(timedelta(minutes=59))
    put_off = await delivered(webhooks, receiver)
    clock.advance(timedelta(minutes=1))
    (last,) = await delivered(webhooks, receiver)

    assert (early, put_off) == ([], [])
    assert [one.state for one in (first, second, last)] == [PostState.PENDING, PostState.PENDING, PostState.DELIVERED]
    assert (first.error, second.error, last.error) == (FAILING.words, "it answered 429 (Too Many Requests)", "")
    assert {headers["webhook-id"] for _, _, headers in receiver.got} == {post.id}
    assert len({body for _, body, _ in receiver.got}) == 1
    assert len({headers["webhook-timestamp"] for _, _, headers in receiver.got}) == 3


async def test_of_many_processes_one_sends(webhooks: Webhooks, ann: Actor, webhook: Webhook) -> None:
    receiver = Receiver(FINE)
    post = await webhooks.test(ann, webhook.id)

    sent = await asyncio.gather(*(webhooks.send(post, receiver) for _ in range(4)))

    assert (len(receiver.got), sum(one is not None for one in sent)) == (1, 1)


async def test_what_a_killed_process_was_sending_is_sent_again_with_the_same_id(
    webhooks: Webhooks, ann: Actor, webhook: Webhook, clock: HandClock
) -> None:
    class Killed(Receiver):
        async def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
            await super().post(url, body, headers=headers)
            raise KeyboardInterrupt

    killed, receiver = Killed(FINE), Receiver(FINE)
    await webhooks.test(ann, webhook.id)
    with pytest.raises(KeyboardInterrupt):
        await delivered(webhooks, killed)

    meanwhile = await delivered(webhooks, receiver)
    clock.advance(LEASE)
    (again,) = await delivered(webhooks, receiver)

    assert (meanwhile, again.state, again.attempts) == ([], PostState.DELIVERED, 2)
    assert killed.got[0][2]["webhook-id"] == receiver.got[0][2]["webhook-id"]


async def test_an_answer_after_the_lease_changes_nothing(
    house: House, webhooks: Webhooks, ann: Actor, webhook: Webhook, clock: HandClock
) -> None:
    class Slow(Receiver):
        async def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
            clock.advance(LEASE)
            await delivered(webhooks, Receiver(FINE))
            return await super().post(url, body, headers=headers)

    post = await webhooks.test(ann, webhook.id)

    assert await webhooks.send(post, Slow(Answer(status=410))) is None
    assert (await house.store.posts.get(post.id)).state is PostState.DELIVERED
    assert (await webhooks.view(ann, webhook.id)).disabled is None


async def test_a_receiver_that_is_gone_is_turned_off_and_its_owner_told(
    house: House, webhooks: Webhooks, ann: Actor, webhook: Webhook
) -> None:
    await webhooks.test(ann, webhook.id)
    await webhooks.test(ann, webhook.id)
    receiver = Receiver(Answer(status=410))

    await delivered(webhooks, receiver)
    off = await webhooks.view(ann, webhook.id)
    told = [one async for one in house.store.notices.everything() if one.topic is Topic.WEBHOOK]
    posts = await webhooks.posts(ann, webhook.id)

    assert len(receiver.got) == 1
    assert "410" in str(off.disabled)
    assert [(one.account, one.details["text"].startswith(URL)) for one in told] == [(ann.account, True)]
    assert {post.state for post in posts} == {PostState.GIVEN_UP}
    assert all(post.error for post in posts)
    with pytest.raises(NothingToDo, match="Turn it on first"):
        await webhooks.test(ann, webhook.id)


async def test_five_days_of_failures_turn_it_off_and_one_success_begins_anew(
    webhooks: Webhooks, ann: Actor, webhook: Webhook, clock: HandClock
) -> None:
    receiver = Receiver(FAILING, FINE, FAILING)
    for _ in range(3):  # fails, arrives, fails
        await webhooks.test(ann, webhook.id)
        await delivered(webhooks, receiver)
        clock.advance(timedelta(minutes=2))
    since = (await webhooks.view(ann, webhook.id)).failing_since
    clock.advance(PATIENCE)
    await delivered(webhooks, receiver)
    off = await webhooks.view(ann, webhook.id)
    again = await webhooks.change(ann, webhook.id, Change(enabled=True))

    assert since
    assert since > NOON
    assert "5 days" in str(off.disabled)
    assert (again.disabled, again.failing_since) == (None, None)


async def test_what_was_given_up_is_sent_again_when_its_owner_wants_it(
    house: House, webhooks: Webhooks, ann: Actor, webhook: Webhook
) -> None:
    post = a_post(webhook=webhook.id, account=ann.account, state=PostState.GIVEN_UP, attempts=10, error="it was off")
    await house.store.posts.add(post)
    receiver = Receiver(FINE)

    again = await webhooks.resend(ann, webhook.id, post.id)
    with pytest.raises(NothingToDo, match="on its way"):
        await webhooks.resend(ann, webhook.id, post.id)
    (sent,) = await delivered(webhooks, receiver)

    assert (again.state, again.attempts) == (PostState.PENDING, 0)
    assert (sent.id, sent.state) == (post.id, PostState.DELIVERED)
    with pytest.raises(NotFound):
        await webhooks.resend(ann, webhook.id, "msg_none")


async def test_a_rotated_secret_signs_beside_the_one_before_for_a_day(
    webhooks: Webhooks, ann: Actor, clock: HandClock
) -> None:
    opened = await webhooks.create(ann, url=URL, key="a6")
    rotated = await webhooks.rotate(ann, opened.webhook.id)
    receiver = Receiver(FINE)

    await webhooks.test(ann, opened.webhook.id)
    await delivered(webhooks, receiver)
    both = [receiver.signed_by(one.secret) for one in (opened, rotated)]
    clock.advance(OVERLAP)
    await webhooks.test(ann, opened.webhook.id)
    await delivered(webhooks, receiver)

    assert both == [True, True]
    assert [receiver.signed_by(one.secret) for one in (opened, rotated)] == [False, True]


async def test_no_secret_is_in_the_database(database: Database, webhooks: Webhooks, ann: Actor) -> None:
    opened = await webhooks.create(ann, url=URL, key="a7")
    rotated = await webhooks.rotate(ann, opened.webhook.id)
    rows = str(await everything_in(database))

    assert opened.secret != rotated.secret
    for one in (opened.secret, rotated.secret):
        assert one.removeprefix("whsec_") not in rows


async def test_where_the_key_of_the_house_is_gone_a_new_secret_is_asked_for(
    webhooks: Webhooks, ann: Actor, webhook: Webhook, clock: HandClock
) -> None:
    ring = replace(webhooks, keys={"new": b"n" * 32, **webhooks.keys})
    bare = replace(webhooks, keys={"new": b"n" * 32})
    receiver = Receiver(FINE)
    await webhooks.test(ann, webhook.id)
    (failed,) = await delivered(bare, receiver)
    clock.advance(timedelta(minutes=1))
    (sent,) = await delivered(ring, receiver)
    rotated = await bare.rotate(ann, webhook.id)
    await webhooks.test(ann, webhook.id)
    await delivered(bare, receiver)

    assert "rotate the secret" in failed.error
    assert sent.state is PostState.DELIVERED
    assert receiver.signed_by(rotated.secret)


async def test_what_belongs_to_somebody_else_is_not_there(webhooks: Webhooks, house: House, webhook: Webhook) -> None:
    bob = await somebody(house, "bob")
    asking = [
        webhooks.view(bob, webhook.id),
        webhooks.change(bob, webhook.id, Change(enabled=False)),
        webhooks.rotate(bob, webhook.id),
        webhooks.delete(bob, webhook.id),
        webhooks.posts(bob, webhook.id),
        webhooks.test(bob, webhook.id),
        webhooks.resend(bob, webhook.id, "msg_1"),
    ]

    for one in asking:
        with pytest.raises(NotFound):
            await one
    assert await webhooks.list(bob) == []


async def test_a_webhook_is_changed_listed_and_deleted(webhooks: Webhooks, ann: Actor, clock: HandClock) -> None:
    first = (await webhooks.create(ann, url=URL, note=" my  CI ", key="a8")).webhook
    clock.advance(timedelta(seconds=1))
    second = (await webhooks.create(ann, url=URL, key="a9")).webhook

    changed = await webhooks.change(
        ann, first.id, Change(url="https://8.8.8.8/", types=(EventType.JOB_FAILED,), note="", enabled=False)
    )
    with pytest.raises(BadValue):
        await webhooks.change(ann, first.id, Change(url="http://10.0.0.1/"))
    await webhooks.delete(ann, second.id)

    assert first.note == "my CI"
    assert (changed.url, changed.types, changed.note) == ("https://8.8.8.8/", (EventType.JOB_FAILED,), "")
    assert changed.disabled == OWN
    assert await webhooks.list(ann) == [changed]


async def test_nobody_has_more_than_a_few_however_fast_they_ask(webhooks: Webhooks, ann: Actor) -> None:
    done = await asyncio.gather(
        *(webhooks.create(ann, url=URL, key=f"a{number}") for number in range(MOST + 3)), return_exceptions=True
    )

    assert sum(isinstance(one, TooManyWebhooks) for one in done) == 3
    assert len(await webhooks.list(ann)) == MOST


async def test_asking_twice_makes_one_webhook_and_the_key_stands_for_its_address(
    webhooks: Webhooks, ann: Actor, house: House
) -> None:
    once, again = [await webhooks.create(ann, url=URL, key="k") for _ in range(2)]
    other = await webhooks.create(await somebody(house, "bob"), url=URL, key="k")

    assert once == again
    assert other.webhook.id != once.webhook.id
    assert await webhooks.list(ann) == [once.webhook]
    with pytest.raises(KeyReused):
        await webhooks.create(ann, url="https://8.8.8.8/", key="k")


async def test_nobody_makes_the_house_send_without_end(webhooks: Webhooks, ann: Actor, webhook: Webhook) -> None:
    for _ in range(OFTEN.times - 1):  # it was added a moment ago
        await webhooks.test(ann, webhook.id)

    with pytest.raises(TooOften):
        await webhooks.test(ann, webhook.id)


async def test_what_waits_for_one_webhook_is_passed_over_while_it_is_busy(
    house: House, webhooks: Webhooks, ann: Actor, webhook: Webhook
) -> None:
    other = (await webhooks.create(ann, url=URL, key="a11")).webhook
    waiting = [a_post(id=f"msg_{number:02}", webhook=webhook.id, account=ann.account) for number in range(30)]
    await house.store.posts.add_all(waiting)
    late = await webhooks.test(ann, other.id)

    assert await webhooks.due(apart_from=[webhook.id], limit=5) == [late]
    assert len(await webhooks.due(limit=5)) == 5


async def test_old_posts_are_forgotten_and_few_are_listed(
    house: House, webhooks: Webhooks, ann: Actor, webhook: Webhook, clock: HandClock
) -> None:
    many = [a_post(id=f"msg_{number:02}", webhook=webhook.id, account=ann.account) for number in range(LISTED + 5)]
    await house.store.posts.add_all(many)
    listed = len(await webhooks.posts(ann, webhook.id))
    clock.advance(KEPT + timedelta(seconds=1))
    fresh = await webhooks.test(ann, webhook.id)
    await tidied(house)

    assert listed == LISTED
    assert await webhooks.posts(ann, webhook.id) == [fresh]


async def test_webhooks_move_with_an_account_and_go_with_it(
    house: House, webhooks: Webhooks, ann: Actor, webhook: Webhook
) -> None:
    await webhooks.test(ann, webhook.id)
    bob = await somebody(house, "bob")

    async def moved(tx: Repositories) -> None:
        await tx.ownership.move(ann.account, bob.account, name=bob.name)

    await house.store.transact(moved)
    posts = await webhooks.posts(bob, webhook.id)
    await house.services.forgettings.forget(bob, giving_up=0)

    assert [post.account for post in posts] == [bob.account]
    assert [one async for one in house.store.webhooks.everything()] == []
    assert [one async for one in house.store.posts.everything()] == []
