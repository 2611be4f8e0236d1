"""Tidying: what nobody needs any more is let go, what has waited long enough moves on; by one process at a time."""

import asyncio

import structlog

from core.domain.errors import Unavailable
from loraguild.composition import House

EVERY = 600.0  # seconds
LEAD = "tidying"

log = structlog.get_logger()


async def tidying(house: House, *, holder: str, every: float = EVERY) -> None:
    """Tidy up now and then, for ever; what cannot be done now is tried again the next time."""
    while True:
        try:
            if await house.services.inboxes.lead(LEAD, holder):
                await tidied(house)
        except Unavailable as error:
            log.warning("tidying.waits", why=str(error))
        except Exception:
            log.exception("tidying.broke")
        await asyncio.sleep(every)


async def tidied(house: House) -> None:
    """Let royalties be spent that were held long enough, and finish forgetting who wished to be forgotten.

    Let go of uploads that nobody finished, of datasets that were deleted long ago, of epochs that nobody chose, of
    bytes that nobody refers to, of what platforms sent long ago, of sign-ins, sessions and tokens that are over, and of
    workers that were not heard of for long.
    """
    if owners := await house.services.earnings.mature_all():
        log.info("royalties.matured", owners=owners)
    if forgotten := await house.services.forgettings.finish():
        log.info("accounts.forgotten", accounts=forgotten)
    if purged := await house.services.purges.sweep():
        log.info("datasets.purged", datasets=purged)
    if swept := await house.services.publications.sweep():
        log.info("epochs.swept", runs=swept)
    uploads, updates = await house.services.uploads.sweep(), await house.services.inboxes.forget()
    exports, blobs = await house.services.exports.sweep(), await house.blobs.sweep()
    if posts := await house.services.webhooks.sweep():
        log.info("posts.forgotten", posts=posts)
    if ended := await house.services.sessions.sweep() + await house.services.tokens.sweep():
        log.info("sessions.swept", sessions=ended)
    if workers := await house.services.jobs.forget():
        log.info("workers.forgotten", workers=workers)
    if uploads or updates or exports or blobs:
        log.info("house.tidied", uploads=uploads, updates=updates, exports=exports, blobs=blobs)
