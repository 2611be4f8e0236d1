"""Whatever happens between the beginning and the end of a job, the end is what a chat says last."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random

import pytest

from bots.cards import MARKS
from bots.delivery.messenger import HandMessenger, TryLater
from core.domain.account import Actor
from core.domain.job import Job, JobState
from core.domain.notice import FRESH, PACE
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.deliveries import DM, Deliverer, a_deliverer, a_job_at, a_member, reported, round_later
from tests.builders.scenes import BROKEN, claimed, well_done


class Step(StrEnum):
    ROUND = "one of two who deliver goes round"
    BOTH = "both do at once"
    MOMENT = "a second passes"
    AGES = "the message gets old"
    REPORT = "the worker says how far it is"
    RELEASE = "the worker hands the job back, another takes it"
    PAUSE = "the platform wants a pause"
    LOST = "the platform's answer is lost"
    DELETED = "somebody deletes what was said"
    LOOK = "the owner looks again"


class End(StrEnum):
    WELL = "well"
    BADLY = "badly"
    CANCELLED = "cancelled"


AFTER = (Step.ROUND, Step.BOTH, Step.MOMENT, Step.PAUSE, Step.LOST)


@dataclass(kw_only=True)
class Story:
    """One job of one person, told in one chat."""

    house: House
    clock: HandClock
    actor: Actor
    job: Job
    chat: HandMessenger
    two: Sequence[Deliverer]
    steps: int = 0

    async def goes_on(self, step: Step) -> None:
        self.steps += 1
        match step:
            case Step.ROUND:
                await round_later(self.two[self.steps % 2], self.clock)
            case Step.BOTH:
                self.clock.advance(PACE)
                await asyncio.gather(*(deliverer.once() for deliverer in self.two))
            case Step.MOMENT:
                self.clock.advance(timedelta(seconds=1))
            case Step.AGES:
                self.clock.advance(FRESH)
            case Step.PAUSE:
                self.chat.failures = [TryLater(5)]
            case Step.LOST:
                self.chat.lost = [TryLater(5)]
            case Step.DELETED:
                self.chat.messages.clear()
            case Step.LOOK:
                await self.house.services.deliveries.mirror(self.actor, self.job.id, DM)
            case Step.REPORT | Step.RELEASE:
                await self._worked(step)

    async def _worked(self, step: Step) -> None:
        current = await self.house.store.jobs.get(self.job.id)
        if current.state is JobState.QUEUED:
            await claimed(self.house, current)
        elif step is Step.REPORT:
            await reported(self.house, current, self.steps)
        else:
            await self.house.services.jobs.release(current.id, str(current.token))

    async def ends(self, end: End) -> None:
        jobs, current = self.house.services.jobs, await self.house.store.jobs.get(self.job.id)
        if end is End.CANCELLED:
            await jobs.cancel(self.actor, current.id)
            return
        if current.state is JobState.QUEUED:
            current, _ = await claimed(self.house, current)
        outcome = BROKEN if end is End.BADLY else await well_done(self.house, current)
        await jobs.finish(current.id, str(current.token), outcome)


@pytest.mark.parametrize("seed", range(10))
async def test_the_last_message_says_how_the_job_ended(house: House, clock: HandClock, seed: int) -> None:
    dice, actor, chat = Random(seed), await a_member(house), HandMessenger()
    story = Story(
        house=house,
        clock=clock,
        actor=actor,
        job=await a_job_at(house, actor, DM),
        chat=chat,
        two=[a_deliverer(house, chat) for _ in range(2)],
    )
    end = dice.choice(list(End))
    for step in dice.choices(list(Step), k=15):
        await story.goes_on(step)
    await story.ends(end)
    for step in dice.choices(AFTER, k=4):
        await story.goes_on(step)
    for _ in range(8):
        await round_later(story.two[0], clock)

    ended = await house.store.jobs.get(story.job.id)
    assert chat.seen(DM)[-1].reply.title == f"{ended.title} · {MARKS[ended.state]}"
    assert await house.services.deliveries.pending(DM.platform) == []
    assert await house.services.deliveries.cards(DM) == []
