"""The poster's rounds: a slow receiver holds up no other, and the process stops at once."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.domain.account import Actor
from core.domain.errors import DatabaseUnavailable
from core.domain.webhook import Answer, PostState
from core.services.webhooks import Opened, Webhooks
from loraguild.composition import House
from tests.builders.entities import a_post
from web import posting as module
from web.posting import TOGETHER, posting, rounds
from worker.adapters.posting import HttpPoster, is_near

FINE = Answer(status=204)


class Hall:
    """Receivers of which those whose address ends in `slow` answer only when they are let go."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.at_a_time: dict[str, int] = {}
        self.most = 0
        self.arrived = asyncio.Condition()
        self.let_go = asyncio.Event()

    async def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        assert body
        async with self.arrived:
            self.got.append(headers["webhook-id"])
            self.at_a_time[url] = self.at_a_time.get(url, 0) + 1
            self.most = max(self.most, *self.at_a_time.values())
            self.arrived.notify_all()
        if url.endswith("slow"):
            await self.let_go.wait()
        self.at_a_time[url] -= 1
        return FINE

    async def until(self, count: int) -> None:
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.got) >= count)


@pytest.fixture
def webhooks(house: House) -> Webhooks:
    return replace(house.services.webhooks, local=True)


@pytest.fixture
async def slow(webhooks: Webhooks, ann: Actor) -> Opened:
    return await webhooks.create(ann, url="https://hooks.example/slow", key="slow")


@pytest.fixture
async def quick(webhooks: Webhooks, ann: Actor) -> Opened:
    return await webhooks.create(ann, url="https://hooks.example/quick", key="quick")


async def test_a_slow_receiver_holds_up_no_other_and_gets_one_thing_at_a_time(
    webhooks: Webhooks, ann: Actor, slow: Opened, quick: Opened
) -> None:
    hall = Hall()
    sending = rounds(webhooks, hall)
    first = [await webhooks.test(ann, slow.webhook.id) for _ in range(2)]
    await sending.begin()
    await hall.until(1)
    second = [await webhooks.test(ann, quick.webhook.id) for _ in range(2)]
    await sending.begin()
    await hall.until(3)
    meanwhile = list(hall.got)
    hall.let_go.set()
    await sending.once()

    assert meanwhile[0] in {post.id for post in first}
    assert set(meanwhile[1:]) == {post.id for post in second}
    assert sorted(hall.got) == sorted(post.id for post in (*first, *second))
    assert hall.most == 1


async def test_only_so_many_are_sent_to_at_a_time(house: House, webhooks: Webhooks, ann: Actor, slow: Opened) -> None:
    hooks = [slow.webhook.but(id=f"h{number:02}") for number in range(TOGETHER + 4)]
    await house.store.webhooks.add_all(hooks)
    posts = [a_post(id=f"msg_{one.id}", webhook=one.id, account=ann.account) for one in hooks]
    await house.store.posts.add_all(posts)
    hall = Hall()
    sending = rounds(webhooks, hall)

    for _ in range(3):
        await sending.begin()
    await hall.until(TOGETHER)
    most = len(hall.got)
    hall.let_go.set()
    await sending.once()
    await sending.once()

    assert most == TOGETHER
    assert len(hall.got) == TOGETHER + 4


async def test_it_stops_though_a_receiver_hangs_and_what_was_sent_is_sent_again(
    house: House, webhooks: Webhooks, ann: Actor, slow: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FAREWELL", 0.1)
    hall, stop = Hall(), asyncio.Event()
    post = await webhooks.test(ann, slow.webhook.id)
    going = asyncio.create_task(posting(webhooks, hall, stop=stop, poll=0.01))
    await hall.until(1)
    stop.set()
    await going

    left = await house.store.posts.get(post.id)
    assert (left.state, left.attempts) == (PostState.PENDING, 1)
    assert left.due_at > post.due_at


async def test_what_breaks_is_survived(webhooks: Webhooks, ann: Actor, quick: Opened) -> None:
    class Broken(Hall):
        async def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
            await super().post(url, body, headers=headers)
            raise RuntimeError if len(self.got) == 1 else DatabaseUnavailable(why="away")

    hall, stop = Broken(), asyncio.Event()
    for _ in range(2):
        await webhooks.test(ann, quick.webhook.id)
    going = asyncio.create_task(posting(webhooks, hall, stop=stop, poll=0.01))
    await hall.until(2)
    stop.set()
    await going

    assert len(hall.got) == 2


class Program:
    """Somebody's program on this machine: it verifies what it gets, as docs/webhooks.md says."""

    def __init__(self) -> None:
        self.secret = ""
        self.verified: list[bool] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        body, headers = await request.read(), request.headers
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        wanted = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        self.verified.append(wanted in headers["webhook-signature"].split())
        return web.Response(status=204 if self.verified[-1] else 401)


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    program = Program()
    app = web.Application()
    app.router.add_post("/in", program.handle)
    async with TestServer(app) as server:
        program.url = str(server.make_url("/in"))
        yield program


async def test_a_program_on_this_machine_gets_and_verifies_it(webhooks: Webhooks, ann: Actor, program: Program) -> None:
    opened = await webhooks.create(ann, url=program.url, key="k")
    program.secret = opened.secret
    await webhooks.test(ann, opened.webhook.id)

    await rounds(webhooks, HttpPoster(allowed=is_near)).once()
    (post,) = await webhooks.posts(ann, opened.webhook.id)

    assert program.verified == [True]
    assert (post.state, post.status) == (PostState.DELIVERED, 204)
