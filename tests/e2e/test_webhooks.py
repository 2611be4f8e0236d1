"""Webhooks by the real process: it sends, is killed and sends again under the same id, and leaves when it is told."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from core.domain.webhook import PostState
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.builders.scenes import somebody
from tests.e2e.processes import a_web, ended, set_free

pytestmark = pytest.mark.timeout(180)


class Program:
    """Somebody's program on this machine; while it hangs it answers nobody."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.free = asyncio.Event()
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append(request.headers["webhook-id"])
        await self.free.wait()
        return web.Response(status=204)

    async def has(self, count: int) -> bool:
        return len(self.got) >= count


@pytest.fixture
async def program() -> AsyncIterator[Program]:
    program = Program()
    app = web.Application()
    app.router.add_post("/in", program.handle)
    async with TestServer(app) as server:
        program.url = str(server.make_url("/in"))
        yield program
        program.free.set()


async def test_what_a_killed_process_was_sending_the_next_one_sends(
    house: House, tmp_path: Path, env: Mapping[str, str], program: Program
) -> None:
    webhooks, ann = replace(house.services.webhooks, local=True), await somebody(house)
    made = await webhooks.create(ann, url=program.url, key="k")
    ours = {**env, "WEBHOOK_ALLOW_LOCAL": "true"}
    async with ClientSession() as session:
        async with a_web(session, tmp_path, ours, log="first.log") as first:
            post = await webhooks.test(ann, made.webhook.id)
            await awaited(lambda: program.has(1))
            first.kill()
            await ended(first)
        await set_free(house)
        left = await house.store.posts.get(post.id)
        await house.store.posts.save(left.but(due_at=post.due_at))  # as if its lease had run out
        async with a_web(session, tmp_path, ours, log="second.log") as second:
            await awaited(lambda: program.has(2))
            program.free.set()

            async def arrived() -> bool:
                return (await house.store.posts.get(post.id)).state is PostState.DELIVERED

            await awaited(arrived)
            second.send_signal(signal.SIGTERM)
            assert await ended(second) == 0

    assert (left.state, left.attempts) == (PostState.PENDING, 1)
    assert program.got == [post.id, post.id]


async def test_a_receiver_that_hangs_keeps_no_process_from_leaving(
    house: House, tmp_path: Path, env: Mapping[str, str], program: Program
) -> None:
    webhooks, ann = replace(house.services.webhooks, local=True), await somebody(house)
    made = await webhooks.create(ann, url=program.url, key="k")
    async with ClientSession() as session, a_web(session, tmp_path, {**env, "WEBHOOK_ALLOW_LOCAL": "true"}) as process:
        post = await webhooks.test(ann, made.webhook.id)
        await awaited(lambda: program.has(1))
        process.send_signal(signal.SIGTERM)
        assert await ended(process) == 0

    assert (await house.store.posts.get(post.id)).state is PostState.PENDING


async def test_this_machine_is_not_sent_to_unless_it_is_said(
    house: House, tmp_path: Path, env: Mapping[str, str], program: Program
) -> None:
    webhooks, ann = replace(house.services.webhooks, local=True), await somebody(house)
    made = await webhooks.create(ann, url=program.url, key="k")
    async with ClientSession() as session, a_web(session, tmp_path, env):
        post = await webhooks.test(ann, made.webhook.id)

        async def tried() -> bool:
            return (await house.store.posts.get(post.id)).error != ""

        await awaited(tried)

    assert (await house.store.posts.get(post.id)).error == "it leads into a private network"
    assert program.got == []
