"""Live: what happens to jobs, for all who watch in this process. One reads for everybody; each is told what is new."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import structlog
from aiohttp import web

from core.domain.account import Actor
from core.domain.errors import TooManyStreams
from core.domain.job import Job
from core.domain.session import Session
from core.domain.token import Token
from core.domain.watch import Cursor, News, Sight, news
from core.services.watches import Standing, Watches
from web.visiting import Visitor

INTERVAL = 1.0  # seconds from turn to turn
SELDOM = 5  # turns from one look to the next at what hardly changes, or costs more
STREAMS = 20  # that one account may have open
PATIENCE = 0.5  # seconds that streams have to end by themselves when the house closes
MILLISECONDS = 13  # digits that a moment has

Turns = AsyncIterator[Sequence[News]]

log = structlog.get_logger()


@dataclass(kw_only=True, eq=False)
class Watch:
    """Somebody who watches: which jobs, whether also those that come, and the task that serves.

    `standing` is how they stood when they came; None as soon as that is no longer so.
    """

    actor: Actor
    proof: Session | Token
    task: asyncio.Task[Any]
    newcomers: bool
    standing: Standing | None = None
    jobs: set[str] = field(default_factory=set)


@dataclass(kw_only=True, eq=False)
class Live:
    """The streams of one process. At each turn all watched jobs are read at once, and whoever watches is woken.

    Nothing is queued for anybody: whoever is slow finds what is newest when they are ready for it.
    """

    watches: Watches
    interval: float = INTERVAL
    patience: float = PATIENCE
    _watching: set[Watch] = field(default_factory=set)
    _sights: dict[str, Sight] = field(default_factory=dict)
    _turned: asyncio.Event = field(default_factory=asyncio.Event)
    _reader: asyncio.Task[None] | None = None
    _closed: bool = False

    @property
    def idle(self) -> bool:
        """Whether nobody watches and nothing is read."""
        return not self._watching and self._reader is None

    @asynccontextmanager
    async def job(self, visitor: Visitor, job: str, *, after: str = "") -> AsyncIterator[Turns]:
        """Everything new of one job, turn by turn, until it has ended; `after` is the id of the last news.

        Raises:
            NotFound: There is no such job for this visitor.
            TooManyStreams: The visitor has enough of them.
        """
        actor = visitor.actor
        async with self._watch(visitor) as watch:
            sight = self._sights.get(job)
            if sight is None or not (sight.closely and sight.job.visible_to(actor)):
                self._sights[job] = await self.watches.sight(actor, job)
            watch.jobs.add(job)
            async with aclosing(self._closely(watch, job, Cursor.read(after))) as turns:
                yield turns

    @asynccontextmanager
    async def jobs(self, visitor: Visitor, *, after: str = "") -> AsyncIterator[Turns]:
        """How all stands that the visitor has ordered and that is open, turn by turn, and what comes.

        `after` is the id of the last news: what has ended since then ends once more.

        Raises:
            TooManyStreams: The visitor has enough of them.
        """
        actor = visitor.actor
        async with self._watch(visitor, newcomers=True) as watch:
            since = at(after)
            ended = await self.watches.ended(actor, since=since) if since else ()
            self._welcome(watch, [*ended, *await self.watches.open(actor.account)])
            async with aclosing(self._broadly(watch)) as turns:
                yield turns

    async def close(self) -> None:
        """End all streams; those that nobody reads from are cut off."""
        self._closed = True
        self._wake()
        if streams := {watch.task for watch in self._watching}:
            _, stuck = await asyncio.wait(streams, timeout=self.patience)
            for stream in stuck:
                stream.cancel()
        if self._reader:
            self._reader.cancel()
            await asyncio.wait({self._reader})

    @asynccontextmanager
    async def _watch(self, visitor: Visitor, *, newcomers: bool = False) -> AsyncIterator[Watch]:
        actor, task = visitor.actor, cast("asyncio.Task[Any]", asyncio.current_task())
        if sum(watch.actor.account == actor.account for watch in self._watching) >= STREAMS:
            raise TooManyStreams(most=STREAMS)
        watch = Watch(actor=actor, proof=visitor.proof, task=task, newcomers=newcomers)
        self._watching.add(watch)
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())
        try:
            watch.standing = (await self.watches.standings([watch.proof])).get(watch.proof.id)
            yield watch
        finally:
            self._watching.discard(watch)

    async def _closely(self, watch: Watch, job: str, cursor: Cursor) -> AsyncGenerator[Sequence[News], None]:
        told: Sight | None = None
        while self._serves(watch):
            turned, sight = self._turned, self._sights.get(job)
            if sight is None or not sight.job.visible_to(watch.actor):
                return
            fresh = [] if sight is told else list(news(sight, cursor))
            told, cursor = sight, Cursor.read(fresh[-1].id) if fresh else cursor
            yield fresh
            if sight.job.state.ended:
                return
            await turned.wait()

    async def _broadly(self, watch: Watch) -> AsyncGenerator[Sequence[News], None]:
        told: dict[str, str] = {}
        while self._serves(watch):
            turned, fresh = self._turned, list[News]()
            for job in sorted(watch.jobs):
                sight = self._sights.get(job)
                if sight is None or sight.job.state.ended or not sight.job.visible_to(watch.actor):
                    watch.jobs.discard(job)
                if sight and sight.job.visible_to(watch.actor) and told.get(job) != sight.digest:
                    fresh += _in_short(sight, now=self.watches.clock.now())
                    told[job] = sight.digest
            yield fresh
            await turned.wait()

    def _serves(self, watch: Watch) -> bool:
        """Whether the house is open, and whoever watches still who they were."""
        return not self._closed and watch.standing is not None

    async def _read(self) -> None:
        """Read for all, as long as anybody watches."""
        turn = 0
        while self._watching:
            try:
                await self._turn(seldom=turn % SELDOM == 0)
            except Exception as error:  # noqa: BLE001 - a turn that fails must not end the streams: the next may not
                log.warning("live.turn_failed", error=repr(error))
            self._wake()
            turn += 1
            await asyncio.sleep(self.interval)
        self._reader, self._sights = None, {}

    async def _turn(self, *, seldom: bool) -> None:
        if seldom:
            await self._look_round()
        known = {name: self._sights[name] for name in self._watched() if name in self._sights}
        going = [sight for sight in known.values() if not sight.job.state.ended]
        now = await self.watches.again(going)
        if seldom:
            now = await self.watches.placed(now)
        after = {sight.job.id: sight for sight in now}
        for sight in going:
            if self._sights.get(sight.job.id) is sight:  # else somebody came meanwhile and has looked closer
                self._sights[sight.job.id] = after.get(sight.job.id, sight)
        gone = {sight.job.id for sight in going} - after.keys()
        watched = self._watched() - gone
        self._sights = {name: sight for name, sight in self._sights.items() if name in watched}

    async def _look_round(self) -> None:
        """See who may still watch, and what has come."""
        watching = list(self._watching)
        standings = await self.watches.standings([watch.proof for watch in watching])
        for watch in watching:
            if standings.get(watch.proof.id) != watch.standing:
                watch.standing = None
        for account in {watch.actor.account for watch in self._watching if watch.newcomers}:
            found = await self.watches.open(account)
            for watch in self._watching:
                if watch.newcomers and watch.actor.account == account:
                    self._welcome(watch, found)

    def _welcome(self, watch: Watch, jobs: Collection[Job]) -> None:
        for job in jobs:
            self._sights.setdefault(job.id, Sight(job=job))
            watch.jobs.add(job.id)

    def _watched(self) -> set[str]:
        return {job for watch in self._watching for job in watch.jobs}

    def _wake(self) -> None:
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()


LIVE = web.AppKey("live", Live)


def _in_short(sight: Sight, *, now: datetime) -> list[News]:
    """How a job stands for somebody who looks at many; the id of the news is the moment."""
    seen = Cursor(step=sight.step, samples=len(sight.samples))
    return [one.but(id=moment(now)) for one in news(sight, seen)]


def moment(now: datetime) -> str:
    """A moment as the id of news."""
    return str(round(now.timestamp() * 1000))


def at(text: str) -> datetime | None:
    """The moment that the id of such news is."""
    known = text.isascii() and text.isdigit() and len(text) <= MILLISECONDS
    return datetime.fromtimestamp(int(text) / 1000, tz=UTC) if known else None
