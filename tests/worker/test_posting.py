"""The guarded sender over real sockets: what a receiver gets, what its answer means, and where nothing is sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from core.domain.address import IPAddress
from core.domain.webhook import Answer
from worker.adapters.posting import HttpPoster, is_near

LOOPBACK, PUBLIC = ip_address("127.0.0.1"), ip_address("93.184.215.14")
HEADERS = {"content-type": "application/json", "webhook-id": "msg_1"}
BODY = b'{"type":"webhook.test"}'


class Receiver:
    """A web server on a loopback port that notes what it got; `answer` is what it says."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, bytes, str]] = []
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = answering(status=204)
        self.port = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.got.append((request.method, request.host, await request.read(), request.headers["webhook-id"]))
        return await self.answer(request)

    async def post(self, *, host: str = "hooks.example", path: str = "/in", **given: Any) -> Answer:
        """Send, where this machine counts as everybody's and every name leads to it."""
        wished: dict[str, Any] = {"resolver": Hosts([LOOPBACK]), "allowed": is_near}
        poster = HttpPoster(**(wished | given))
        return await poster.post(f"http://{host}:{self.port}{path}", BODY, headers=HEADERS)


class Hosts:
    """A name server that answers each question with the next of its answers, and the last one for ever."""

    def __init__(self, *answers: Sequence[IPAddress]) -> None:
        self.answers = list(answers)

    async def __call__(self, _host: str, _port: int) -> Sequence[IPAddress]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def answering(**facts: Any) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(**facts)

    return answer


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    async with TestServer(app) as server:
        receiver.port = server.port or 0
        yield receiver


async def test_the_very_bytes_arrive_under_the_name_of_the_host(receiver: Receiver) -> None:
    assert await receiver.post() == Answer(status=204)
    assert receiver.got == [("POST", f"hooks.example:{receiver.port}", BODY, "msg_1")]


@pytest.mark.parametrize("status", [200, 400, 404, 410, 429, 500, 503])
async def test_whatever_the_answer_it_is_told_as_it_is(receiver: Receiver, status: int) -> None:
    receiver.answer = answering(status=status, headers={"Retry-After": "7"})

    assert await receiver.post() == Answer(status=status, retry_after="7")


async def test_nobody_leads_a_message_anywhere_else(receiver: Receiver) -> None:
    receiver.answer = answering(status=307, headers={"Location": f"http://hooks.example:{receiver.port}/other"})

    assert (await receiver.post()).words == "it answered 307 (Temporary Redirect); redirects are not followed"
    assert len(receiver.got) == 1


async def test_an_answer_without_end_is_not_read(receiver: Receiver) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 2**16)

    receiver.answer = endless

    assert await receiver.post() == Answer(status=200)


async def test_a_receiver_that_hangs_is_left_after_a_while(receiver: Receiver) -> None:
    asked = asyncio.Event()

    async def hanging(_: web.Request) -> web.StreamResponse:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    receiver.answer = hanging
    answer = await receiver.post(seconds=0.2)

    assert (answer.status, answer.why) == (None, "it took longer than 0 seconds")


async def test_a_name_server_that_hangs_is_left_too(receiver: Receiver) -> None:
    async def hanging(_host: str, _port: int) -> Sequence[IPAddress]:
        await asyncio.Event().wait()
        raise AssertionError

    assert (await receiver.post(seconds=0.05, resolver=hanging)).status is None


async def test_a_receiver_that_is_not_there_or_speaks_otherwise_is_told_in_words(receiver: Receiver) -> None:
    async def torn(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.close()
        return web.Response()

    async def unknown(host: str, _: int) -> Sequence[IPAddress]:
        raise OSError(host)

    receiver.answer = torn
    assert (await receiver.post()).why == "the answer broke off or makes no sense"
    assert (await receiver.post(resolver=unknown)).why == "there is no such host"
    receiver.port = 1
    assert (await receiver.post()).why == "nobody answers there"
    assert (await HttpPoster().post("https://[::1", BODY, headers=HEADERS)).why == "it is no link"


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1"],
)
async def test_a_name_for_a_private_address_is_not_sent_to(address: str) -> None:
    hosts = Hosts([PUBLIC, ip_address(address)])

    assert (await HttpPoster(resolver=hosts).post("https://hooks.example/", BODY, headers=HEADERS)).why == (
        "it leads into a private network"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f000001", "127.1"])
async def test_this_machine_is_not_sent_to_unless_that_is_wanted(receiver: Receiver, host: str) -> None:
    poster = HttpPoster()
    answer = await poster.post(f"http://{host}:{receiver.port}/", BODY, headers=HEADERS)

    assert (answer.status, answer.why) == (None, "it leads into a private network")
    assert receiver.got == []


async def test_a_name_that_means_something_else_a_moment_later_is_checked_each_time(receiver: Receiver) -> None:
    """What was checked is what is connected to, and the next attempt is checked anew."""
    hosts = Hosts([LOOPBACK], [ip_address("10.0.0.1")])

    first, second = await receiver.post(resolver=hosts), await receiver.post(resolver=hosts)

    assert (first.status, second.why) == (204, "it leads into a private network")
    assert len(receiver.got) == 1


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "fd00::1"])
def test_near_is_this_machine_and_the_internet_and_no_other_network(address: str) -> None:
    assert is_near(LOOPBACK)
    assert is_near(PUBLIC)
    assert not is_near(ip_address(address))
