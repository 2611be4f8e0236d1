"""Deliveries: people in a chat that a hand messenger plays, jobs whose cards go there, and whoever brings them."""

from datetime import timedelta

from bots.delivery.courier import Courier
from bots.delivery.delivering import rounds
from bots.delivery.messenger import Messenger
from core.domain.account import Actor, Notify, Place, Platform, Telling
from core.domain.dataset import Kind
from core.domain.job import Job, Progress
from core.domain.notice import PACE, Card, Notice
from core.ports.clock import HandClock
from core.services.rounds import Rounds
from loraguild.composition import House
from tests.builders.chats import a_dispatcher
from tests.builders.entities import an_item

Deliverer = Rounds[Notice | Card]

DM = Place(platform=Platform.DISCORD, chat="ann")
CHANNEL = Place(platform=Platform.DISCORD, chat="general", private=False, community="guild")


def a_deliverer(house: House, messenger: Messenger) -> Deliverer:
    """Start a process that delivers."""
    return rounds(Courier(messenger=messenger, services=house.services, dispatcher=a_dispatcher()))


async def a_member(house: House, name: str = "ann", *, telling: Telling = Telling.LIVE) -> Actor:
    """Meet somebody on Discord who has chosen how much to be told; their id there is their name."""
    met = await house.services.accounts.welcome(Platform.DISCORD, name, name=name)
    account = await house.store.accounts.get(met.account)
    await house.store.accounts.save(account.but(notify=Notify(telling=telling)))
    return met.but(notify=Notify(telling=telling))


async def a_job_at(house: House, actor: Actor, place: Place, *, name: str = "zorp") -> Job:
    """Let the doctor look at a picture of somebody from a place, where its card goes; no other job follows it."""
    dataset = await house.services.datasets.create(actor, name=name, trigger=name)
    await house.store.items.add(an_item(id=f"of {dataset.id}", dataset=dataset.id))
    await house.store.datasets.save(dataset.received(Kind.IMAGES, count=1, bytes=1, now=dataset.created_at))
    return await house.services.datasets.check(actor, dataset, place=place, key=house.services.conversations.token())


async def reported(house: House, job: Job, step: int) -> None:
    """Let the worker of a claimed job say how far it is, whatever became of its lease meanwhile."""
    current = await house.store.jobs.get(job.id)
    await house.services.jobs.report(job.id, str(current.token), progress=Progress(step=step, total=100))


async def round_later(deliverer: Deliverer, clock: HandClock, *, by: timedelta = PACE) -> None:
    """Let time pass, and then whoever delivers go round once."""
    clock.advance(by)
    await deliverer.once()
