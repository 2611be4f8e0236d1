"""Live streams over real sockets: nothing is lost, nothing comes twice, nothing stays behind."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from core.domain.account import Actor
from core.domain.job import Job, Progress
from core.domain.run import Glimpse, MetricsPoint
from core.domain.steering import Steer
from core.domain.token import Scope
from core.ports.clock import HandClock, RandomIds
from loraguild.composition import House, assembled
from storage.documents import Document
from storage.repositories.entities import Database
from storage.store import mongo_store
from tests.builders.entities import HOME
from tests.builders.scenes import BROKEN, a_ready_dataset, an_order, claimed, moderating, somebody, stored
from tests.builders.visits import Client, bearing
from web.live import LIVE, SELDOM, STREAMS, Live, Turns
from web.visiting import Visitor, cookie

SOON = 0.02  # seconds from turn to turn
READS = {"find", "aggregate", "count", "getMore"}
LONG = 60.0  # seconds after which a condition is taken never to come true


@dataclass
class Stream:
    """An open stream, and the events that were taken from it."""

    answer: ClientResponse
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    last: str = ""

    async def event(self) -> tuple[str, dict[str, Any]]:
        """The next event; comments and what is no event are passed over."""
        fields: dict[str, str] = {}
        while line := (await asyncio.wait_for(self.answer.content.readline(), LONG)).decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "event" in fields:
                self.last = fields["id"]
                self.taken.append((fields["event"], json.loads(fields["data"])))
                return self.taken[-1]
        raise EOFError

    async def until(self, fits: Callable[[str, Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """The next event that fits."""
        while True:
            what, data = await self.event()
            if fits(what, data):
                return data

    async def rest(self) -> list[str]:
        """What comes until the end of the stream."""
        names = []
        while True:
            try:
                names.append((await self.event())[0])
            except EOFError:
                return names

    def steps(self) -> list[int]:
        """The steps of all points that have come."""
        return [point["step"] for what, data in self.taken if what == "metrics" for point in data["points"]]


@pytest.fixture
async def quick(client: Client) -> web.Application:
    """The application, whose turns are short."""
    assert client.app
    client.app[LIVE].interval = SOON
    return client.app


@asynccontextmanager
async def watching(house: House, client: Client, actor: Actor, path: str, *, last: str = "") -> AsyncIterator[Stream]:
    headers = await bearing(house, actor) | ({"Last-Event-ID": last} if last else {})
    async with client.get(f"/api/v1{path}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        yield Stream(answer)


async def become(condition: Callable[[], bool]) -> None:
    """Wait for something to be so."""
    async with asyncio.timeout(LONG):
        while not condition():  # noqa: ASYNC110 - nobody says so when it is
            await asyncio.sleep(SOON)


async def training(house: House, ann: Actor) -> tuple[Job, str]:
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    return await claimed(house, job)


async def plotted(house: House, job: Job, token: str, *steps: int) -> None:
    progress = Progress(step=steps[-1], total=200, doing="training")
    points = [MetricsPoint(step=step, loss=1 / step, lr=0.1) for step in steps]
    await house.services.jobs.report(job.id, token, progress=progress, points=points)


@pytest.mark.usefixtures("quick")
async def test_a_job_is_followed_to_its_end(house: House, client: Client, ann: Actor) -> None:
    job = await an_order(house, ann, await a_ready_dataset(house, ann))

    async with watching(house, client, ann, f"/jobs/{job.id}/events") as stream:
        waiting = await stream.until(lambda what, _: what == "job")
        _, token = await claimed(house, job)
        running = await stream.until(lambda what, data: what == "job" and data["state"] == "running")
        await plotted(house, job, token, 1, 2, 3)
        chart = await stream.until(lambda what, _: what == "metrics")
        moved = await stream.until(lambda what, data: what == "job" and data["progress"] is not None)
        await house.services.jobs.finish(job.id, token, BROKEN)
        end = await stream.until(lambda what, _: what == "end")
        rest = await stream.rest()

    assert (waiting["state"], waiting["place"]) == ("queued", 1)
    assert (running["place"], running["attempt"]) == (None, 1)
    assert chart == {"job": job.id, "points": [{"step": n, "loss": 1 / n, "lr": 0.1} for n in (1, 2, 3)]}
    assert (moved["progress"]["step"], moved["progress"]["total"]) == (3, 200)
    assert end == {"job": job.id, "state": "failed"}
    assert rest == []
    assert [data["failure"]["words"] for what, data in stream.taken[-2:] if what == "job"] == [BROKEN.words]


@pytest.mark.usefixtures("quick")
async def test_whoever_comes_back_misses_nothing_and_gets_nothing_twice(
    house: House, client: Client, ann: Actor
) -> None:
    job, token = await training(house, ann)
    await plotted(house, job, token, 1, 2)
    path = f"/jobs/{job.id}/events"

    async with watching(house, client, ann, path) as first:
        await first.until(lambda what, _: what == "job")
    await plotted(house, job, token, 3, 4)
    await house.services.steerings.wish(ann, job.id, Steer.SAMPLE, key="one")
    glimpse = Glimpse(step=4, samples=(await stored(house, "seen.png"),))
    await house.services.steerings.sampled(job.id, token, glimpse)
    async with watching(house, client, ann, path, last=first.last) as second:
        await second.until(lambda what, _: what == "job")
    async with watching(house, client, ann, path, last=second.last) as third:
        await house.services.jobs.cancel(ann, job.id)
        rest = await third.rest()
    async with watching(house, client, ann, path, last=third.last) as fourth:
        again = await fourth.rest()

    sample = next(data for what, data in second.taken if what == "sample")
    assert (first.steps(), second.steps(), third.steps()) == ([1, 2], [3, 4], [])
    assert (sample["step"], [file["name"] for file in sample["files"]]) == (4, ["seen.png"])
    assert (rest, again) == (["job", "end"], ["end"])


@pytest.mark.usefixtures("quick")
async def test_a_stranger_is_told_that_there_is_no_such_job(house: House, client: Client, ann: Actor) -> None:
    job, _ = await training(house, ann)
    bob = await somebody(house, "bob")
    answers = [
        await client.get(f"/api/v1/jobs/{name}/events", headers=await bearing(house, bob)) for name in (job.id, "none")
    ]

    assert [(one.status, (await one.json())["code"]) for one in answers] == [(404, "not_found")] * 2


async def test_a_ban_ends_streams(house: House, client: Client, ann: Actor, quick: web.Application) -> None:
    job, _ = await training(house, ann)
    root = await somebody(house, "root")

    async with (
        watching(house, client, ann, f"/jobs/{job.id}/events") as close,
        watching(house, client, ann, "/events") as broad,
    ):
        await close.event()
        await broad.event()
        await house.services.accounts.ban(root, await house.store.accounts.get(ann.account), why="rude")
        rest = [await close.rest(), await broad.rest()]

    assert [one for names in rest for one in names if one == "end"] == []
    await become(lambda: quick[LIVE].idle)


async def test_what_is_revoked_or_signed_out_ends_its_streams_and_no_others(
    house: House, client: Client, ann: Actor, quick: web.Application
) -> None:
    services = house.services
    issued = await services.tokens.issue(ann, name="a screen", scopes={Scope.READ}, days=1)
    opened = await services.sessions.open(ann, device="a browser")
    bearer = {"Authorization": f"Bearer {issued.secret}"}
    browser = {"Cookie": f"{cookie(services.sessions.address)}={opened.secret}"}

    async with (
        client.get("/api/v1/events", headers=bearer) as revoked,
        client.get("/api/v1/events", headers=browser) as signed_out,
        watching(house, client, ann, "/events") as other,
    ):
        await services.tokens.revoke(ann, issued.token.handle)
        rest = [await Stream(revoked).rest()]
        await services.sessions.end(ann, opened.session.handle)
        rest += [await Stream(signed_out).rest()]
        job = await an_order(house, ann, await a_ready_dataset(house, ann))
        await other.until(lambda what, data: what == "job" and data["id"] == job.id)

    assert rest == [[], []]
    await become(lambda: quick[LIVE].idle)


async def test_a_job_that_changes_hands_is_no_longer_shown(
    house: House, client: Client, ann: Actor, quick: web.Application
) -> None:
    job, _ = await training(house, ann)

    async with watching(house, client, ann, f"/jobs/{job.id}/events") as stream:
        await stream.event()
        await house.store.jobs.save((await house.store.jobs.get(job.id)).but(owner="bob", title="secret"))
        await stream.rest()

    assert "secret" not in json.dumps(stream.taken)
    await become(lambda: quick[LIVE].idle)


@pytest.mark.usefixtures("quick")
async def test_all_that_is_open_is_watched_at_once_and_what_comes(house: House, client: Client, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann)
    first = await an_order(house, ann, dataset)

    async with watching(house, client, ann, "/events") as stream:
        shown = await stream.event()
        second = await an_order(house, ann, dataset)
        come = await stream.until(lambda what, data: what == "job" and data["id"] == second.id)
        await house.services.jobs.cancel(ann, first.id)
        ended = await stream.until(lambda what, _: what == "end")
    await house.services.jobs.cancel(ann, second.id)
    async with watching(house, client, ann, "/events", last=stream.last) as later:
        missed = await later.until(lambda what, data: what == "end" and data["job"] == second.id)

    assert (shown[0], shown[1]["id"], come["state"]) == ("job", first.id, "queued")
    assert (ended, missed) == (
        {"job": first.id, "state": "cancelled"},
        {"job": second.id, "state": "cancelled"},
    )


async def test_two_hundred_who_watch_cost_what_one_costs(
    house: House, database: Database, mongodb: str, ann: Actor
) -> None:
    job, token = await training(house, ann)
    asked = Asked()
    async with AsyncMongoClient[Document](mongodb, tz_aware=True, event_listeners=[asked]) as listened:
        store = mongo_store(listened[database.name])
        services = assembled(house.settings, store=store, blobs=house.blobs, clock=HandClock(), ids=RandomIds())
        live = Live(watches=services.watches, interval=SOON)
        async with AsyncExitStack() as stack:
            others = [moderating(await somebody(house, f"mod {number}")) for number in range(9)]
            visitors = [await _visitor(house, one) for one in (ann, *others)]
            opened = [live.job(one, job.id) for one in visitors for _ in range(STREAMS)]
            streams = [await stack.enter_async_context(one) for one in opened]
            await plotted(house, job, token, 1, 2, 3)
            seen = await asyncio.gather(*(_points(stream) for stream in streams))
            asked.commands.clear()
            await become(lambda: asked.commands["jobs"] > 2 * SELDOM)
            cost = dict(asked.commands)
        await become(lambda: live.idle)

    assert seen == [[1, 2, 3]] * 200
    assert max(cost[name] for name in ("accounts", "sessions", "tokens")) <= cost["jobs"] / SELDOM + 1
    assert cost.keys() == {"jobs", "accounts", "sessions", "tokens"}


async def test_nobody_has_any_number_of_streams(
    house: House, client: Client, ann: Actor, quick: web.Application
) -> None:
    headers = await bearing(house, ann)

    async with AsyncExitStack() as stack:
        for _ in range(STREAMS):
            await stack.enter_async_context(client.get("/api/v1/events", headers=headers))
        refused = await client.get("/api/v1/events", headers=headers)
        told = await refused.json()

    assert (refused.status, told["code"], refused.headers["Retry-After"]) == (429, "too_many_streams", "5")
    await become(lambda: quick[LIVE].idle)


async def test_a_house_that_closes_ends_its_streams_in_order(house: House, client: Client, ann: Actor) -> None:
    job, _ = await training(house, ann)
    assert client.app

    async with (
        watching(house, client, ann, f"/jobs/{job.id}/events") as close,
        watching(house, client, ann, "/events") as broad,
    ):
        await close.event()
        await broad.event()
        client.app[LIVE].patience = LONG  # nobody has to be cut off
        await client.app[LIVE].close()
        rest = [await close.rest(), await broad.rest()]
        late = await client.get("/api/v1/events", headers=await bearing(house, ann))
        said = await late.text()

    assert (rest, said) == ([[], []], "retry: 2000\n\n")


class Asked(CommandListener):
    """Counts what a client of the database reads, by collection."""

    def __init__(self) -> None:
        self.commands = Counter[str]()

    def started(self, event: CommandStartedEvent) -> None:
        self.commands[str(event.command[event.command_name])] += event.command_name in READS

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing is learned from it."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing is learned from it."""


async def _visitor(house: House, actor: Actor) -> Visitor:
    """Somebody in a browser."""
    opened = await house.services.sessions.open(actor, device="a test")
    return Visitor(actor=actor, place=HOME, proof=opened.session)


async def _points(turns: Turns) -> list[int]:
    """The steps of the first points that come."""
    async for turn in turns:
        if found := [point.step for news in turn for point in news.points]:
            return found
    return []
