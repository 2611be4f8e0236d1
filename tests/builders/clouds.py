"""Houses that are set up for exports to Dropbox, and people who are connected."""

from dataclasses import replace

from core.domain.account import Actor
from core.domain.connection import Connection
from loraguild.composition import House, assembled
from tests.emulators.dropbox import APP_KEY, Dropbox


def with_dropbox(house: House, *, key: str = APP_KEY) -> House:
    """Make the same house, with an app."""
    settings = house.settings.model_copy(update={"dropbox_app_key": key})
    jobs = house.services.jobs
    services = assembled(settings, store=house.store, blobs=house.blobs, clock=jobs.clock, ids=jobs.ids)
    return replace(house, settings=settings, services=services)


async def connected(house: House, actor: Actor, dropbox: Dropbox) -> Connection:
    """Let somebody connect their Dropbox."""
    back = dropbox.allows(await house.services.connections.begin(actor))
    return await house.services.connections.finish(back["state"], back["code"])
