"""Scenes of the Discord bot: replicas of it, and what people on Discord have here already."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bots.discord.client import serve
from core.domain.account import Actor, Platform
from core.domain.dataset import Dataset
from core.domain.job import Job
from core.kinds.intake import Payload
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.emulators.discord import Discord, Person


@asynccontextmanager
async def serving(house: House, discord: Discord) -> AsyncIterator[None]:
    """Let one replica of the bot run for as long."""
    stop, before = asyncio.Event(), discord.gateway.identified
    bot = asyncio.create_task(
        serve(services=house.services, blobs=house.blobs, token=discord.token, api_url=discord.base, stop=stop)
    )
    try:
        await discord.until(lambda: bot.done() or discord.gateway.identified > before)
        yield
    finally:
        stop.set()
        await bot


async def actor_of(house: House, person: Person) -> Actor:
    """Meet somebody on Discord before they say anything."""
    name = person.world.users[person.id].name
    return await house.services.accounts.welcome(Platform.DISCORD, person.id, name=name)


async def a_dataset(house: House, person: Person, name: str = "zorp") -> Dataset:
    actor = await actor_of(house, person)
    return await house.services.datasets.create(actor, name=name, trigger=f"{name}-word")


async def jobs_of(house: House, person: Person) -> list[Job]:
    """Their jobs, newest first."""
    return list(await house.services.jobs.list(await actor_of(house, person)))


async def files_of(house: House, person: Person) -> list[list[str]]:
    """The names of the files of each of their intakes, in order."""
    jobs = await jobs_of(house, person)
    return sorted([file.name for file in Payload.model_validate(job.payload).files] for job in jobs)


async def noted(house: House) -> None:
    """Wait until it is written down which message asks: that happens after it is posted."""

    async def known() -> bool:
        return any(draft.message for draft in await house.services.drafts.on(Platform.DISCORD))

    await awaited(known)


async def drafted(house: House) -> None:
    """Wait until a form is written down: that happens after it is shown."""
    await awaited(lambda: house.services.drafts.on(Platform.DISCORD))
