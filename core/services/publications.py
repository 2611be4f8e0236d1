"""Publications: which epoch a model is, what is made of it for others to fetch, and how long the other epochs stay."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from core.domain.account import Actor
from core.domain.artifact import Artifact
from core.domain.errors import NotFound
from core.domain.job import Job
from core.domain.model import Model, owned, seen
from core.domain.modelcard import README, THUMBNAIL, card
from core.domain.offering import Offering
from core.domain.run import Run
from core.domain.value import Value
from core.kinds import publication
from core.ports.blobs import Blobs
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store

LONGEST_CARD = 2**16  # bytes
HUB = re.compile(r"\w[\w.-]*/[\w.-]+")  # a name on a model hub, no folder of this machine


class Manuscript(Value):
    """All that a publication is made of.

    `base` is what model hubs call the base model, `pictures` how many it was trained on, `sample` what to show of it.
    """

    model: Model
    run: Run
    base: str
    pictures: int | None
    sample: Artifact | None


@dataclass(frozen=True, kw_only=True)
class Publications:
    """Models as files. `offerings` are those of the configuration, by id.

    Epochs that were not chosen stay for `retention_days` after the choice; where none was chosen, for `epochs_days`.
    """

    store: Store
    blobs: Blobs
    clock: Clock
    ids: Ids
    offerings: Mapping[str, Offering]
    retention_days: int
    epochs_days: int

    async def choose(self, actor: Actor, model: str, step: int) -> Model:
        """Make the epoch that ended at a step the model, and have it published; once more publishes it once more.

        Raises:
            NotFound: There is no such model of this actor, or no such epoch.
            EpochGone: The epoch was not chosen in time.
        """

        async def work(tx: Repositories) -> Model:
            now = self.clock.now()
            found = owned(await tx.models.find(model), actor, name=model)
            run, epoch = (await tx.runs.get(found.run)).chosen(step, now=now)
            chosen = found.at(epoch.step, epoch.artifact)
            await tx.references.refer(chosen.artifact.sha256)
            await tx.references.forget(found.artifact.sha256)
            await tx.runs.save(run)
            await tx.models.save(chosen)
            await publication.begun(tx, chosen, ids=self.ids, now=now)
            return chosen

        return await self.store.transact(work)

    async def manuscript(self, job: Job) -> Manuscript:
        """What a worker makes a publication of.

        Raises:
            NotFound: The model was deleted meanwhile.
        """
        name = publication.Payload.model_validate(job.payload).model
        model = await self.store.models.find(name)
        if model is None or model.deleted_at:
            raise NotFound(noun="model", name=name, hint="It was deleted meanwhile.")
        return await self._manuscript(model)

    async def card(self, actor: Actor, model: str) -> Artifact:
        """The card of a model as model hubs read it; of one that was never published as it would be.

        Raises:
            NotFound: There is no such model for this actor.
        """
        found = seen(await self.store.models.find(model), actor, name=model)
        if found.card:
            return found.card
        draft = await self._manuscript(found)
        text = card(found, draft.run, base=draft.base, pictures=draft.pictures).encode()
        blob = await self.blobs.put(_once(text), name=README, limit=LONGEST_CARD)
        return Artifact(name=README, sha256=blob.id, size=blob.size, media_type="text/markdown")

    async def download(self, actor: Actor, model: str) -> Sequence[Artifact]:
        """The file of a model with its card and what that shows; that somebody else has fetched it is counted.

        Raises:
            NotFound: There is no such model for this actor.
            Suspended, ConsentWithdrawn: Nobody may use it.
        """
        found = seen(await self.store.models.find(model), actor, name=model)
        found.require_usable()
        written = await self.card(actor, model)
        if found.owner != actor.account:
            await self.store.models.downloaded(found.id)
        shown = (found.thumbnail.but(name=THUMBNAIL),) if found.thumbnail else ()
        return found.file, written, *shown

    async def sweep(self) -> int:
        """Let go of the files of epochs that nobody chose in time; return of how many runs."""
        now = self.clock.now()
        chosen, ended = now - timedelta(days=self.retention_days), now - timedelta(days=self.epochs_days)

        async def work(tx: Repositories, name: str) -> bool:
            run = await tx.runs.get(name)
            if not run.is_idle(chosen_before=chosen, ended_before=ended):
                return False
            model = await tx.models.of_run(name)
            swept = run.swept(run.epoch_at(model.step) if model else None, now=now)
            await tx.references.forget(*(Counter(run.files) - Counter(swept.files)).elements())
            await tx.runs.save(swept)
            return True

        count = 0
        while idle := await self.store.runs.idle(chosen_before=chosen, ended_before=ended):
            for run in idle:
                count += await self.store.transact(partial(work, name=run.id))
        return count

    async def _manuscript(self, model: Model) -> Manuscript:
        run = await self.store.runs.get(model.run)
        snapshot = await self.store.snapshots.find(run.snapshot)
        epoch = run.epoch_at(model.step)
        samples = [one for one in model.samples or (epoch.samples if epoch else ()) if one.is_picture]
        return Manuscript(
            model=model,
            run=run,
            base=self._base(model),
            pictures=len(snapshot.entries) if snapshot else None,
            sample=samples[0] if samples else None,
        )

    def _base(self, model: Model) -> str:
        """A model's base as model hubs call it, where it comes from one."""
        offering = self.offerings.get(model.offering)
        return offering.base.location if offering and HUB.fullmatch(offering.base.location) else model.base


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
