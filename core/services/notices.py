"""Notices: what somebody is, or was, told, to read again."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.account import Actor
from core.domain.job import Job
from core.domain.notice import Notice
from core.domain.value import Value
from core.ports.store import PAGE, Store


class Told(Value):
    """A notice, and the job that it is about, if there is one."""

    notice: Notice
    job: Job | None


@dataclass(frozen=True, kw_only=True)
class Notices:
    """What was written into the outbox for somebody, wherever it was brought to."""

    store: Store

    async def list(self, actor: Actor, *, after: str = "", limit: int = PAGE) -> Sequence[Told]:
        """What the actor is told, newest first, from after a notice on.

        Raises:
            NotFound: The actor was told no such thing.
        """
        found = await self.store.notices.of(actor.account, after=after, limit=limit)
        about = await self.store.jobs.several({one.job for one in found if one.job})
        jobs = {job.id: job for job in about if job.visible_to(actor)}
        return [Told(notice=one, job=jobs.get(one.job or "")) for one in found]
