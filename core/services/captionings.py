"""Captionings: having pictures described, by whom, and what a worker says of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.account import Actor, Place
from core.domain.audit import Audit
from core.domain.caption import CaptionMode, CaptionVersion, Scene
from core.domain.captioner import Captioner
from core.domain.dataset import Dataset, Kind, owned, seen
from core.domain.errors import DatasetEmpty, NotFound, NothingToDo
from core.domain.item import Item
from core.domain.job import Job, asked
from core.domain.readiness import require_sendable
from core.domain.value import Value
from core.kinds import asked_before, captioning, enqueue
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


class Terms(Value):
    """Who would describe how many pictures, for how much; `allowed` says that they may be sent where they have to."""

    captioner: Captioner
    count: int
    price: int
    allowed: bool


class Assignment(Value):
    """The pictures that are not described yet, and how many there are in all."""

    items: tuple[Item, ...]
    total: int


class Written(Value):
    """What a captioning has written into its dataset, and the names of all pictures, by item."""

    dataset: Dataset
    names: Mapping[str, str]
    captions: Mapping[str, CaptionVersion]


@dataclass(frozen=True, kw_only=True)
class Captionings:
    """Automatic captions. `captioners` are all there are by name, `captioner` is the one that settings choose."""

    store: Store
    clock: Clock
    ids: Ids
    captioners: Mapping[str, Captioner]
    captioner: str

    def ready(self) -> tuple[Captioner, ...]:
        """The captioners that can be asked, the one that settings choose first."""
        able = [one for one in self.captioners.values() if not one.missing]
        return tuple(sorted(able, key=lambda one: one.name != self.captioner))

    async def terms(self, actor: Actor, dataset: Dataset, *, mode: CaptionMode, captioner: str | None = None) -> Terms:
        """What it takes to have every picture described that the mode asks for.

        Raises:
            NotFound: There is no such dataset for this actor, or no such captioner.
            DatasetEmpty, NothingToDo: There is no picture to describe, or another captioning is at it.
            ProviderNotAllowed, ConsentWithdrawn, Suspended: The pictures may not be sent there at all.
        """
        chosen = self._chosen(captioner)
        current = owned(await self.store.datasets.find(dataset.id), actor, name=dataset.id)
        count = len(await _wanted(self.store, current, mode))
        require_sendable(current, chosen)
        allowed = chosen.is_allowed(current.providers)
        return Terms(captioner=chosen, count=count, price=count * chosen.price, allowed=allowed)

    async def auto(
        self,
        actor: Actor,
        dataset: Dataset,
        *,
        mode: CaptionMode,
        place: Place,
        key: str,
        captioner: str | None = None,
        allowed: str | None = None,
    ) -> Job:
        """Have every picture described that the mode asks for, trigger word first.

        `allowed` is the third party that the owner lets see the pictures of the dataset, from now on.

        Raises:
            NotFound: There is no such dataset for this actor, or no such captioner.
            DatasetEmpty, NothingToDo: There is no picture to describe.
            ProviderNotAllowed, ConsentWithdrawn, Suspended: The pictures may not be sent there.
            NotEnoughPoints: The wallet does not cover the price.
            KeyReused: The key stands for another request.
        """
        chosen, job = self._chosen(captioner), self._asked(actor, dataset, key=key)
        audit = self._audit(actor, "caption.allow", dataset, allowed or "")

        async def work(tx: Repositories) -> Job:
            if known := await asked_before(tx, job):
                return known
            current = owned(await tx.datasets.find(dataset.id), actor, name=dataset.id)
            items = await _wanted(tx, current, mode)
            require_sendable(current, chosen)
            if chosen.host and chosen.host == allowed and not chosen.is_allowed(current.providers):
                current = current.but(providers=(*current.providers, chosen.host))
                await tx.datasets.save(current)
                await tx.audits.add(audit)
            return await _enqueued(tx, job, current, chosen, items, mode=mode, place=place)

        return await self.store.transact(work)

    async def retry(self, actor: Actor, job: str, *, place: Place, key: str) -> Job:
        """Have those pictures described that a captioning failed on, or did not come to, and no other.

        Raises:
            NotFound: There is no such captioning of this actor, or its dataset or captioner is gone.
            NothingToDo: It has not ended, nothing is left of it to do, or another captioning is at it.
            ProviderNotAllowed, ConsentWithdrawn, Suspended: The pictures may not be sent there any more.
            NotEnoughPoints: The wallet does not cover the price.
            KeyReused: The key stands for another request.
        """
        before = await self.store.jobs.find(job)
        if before is None or before.owner != actor.account or before.kind != "captioning":
            raise NotFound(noun="captioning", name=job, hint="See `train list`.")
        if not before.state.ended:
            raise NothingToDo(why=f"«{before.title}» has not ended. Wait for its card, or `train cancel {job}`.")
        payload = captioning.Payload.model_validate(before.payload)
        chosen = self._chosen(payload.captioner)
        found = owned(await self.store.datasets.find(payload.dataset), actor, name=payload.dataset)
        following = self._asked(actor, found, key=key)

        async def work(tx: Repositories) -> Job:
            if known := await asked_before(tx, following):
                return known
            dataset = owned(await tx.datasets.find(found.id), actor, name=found.id)
            items = await _missed(tx, before, dataset)
            require_sendable(dataset, chosen)
            return await _enqueued(tx, following, dataset, chosen, items, mode=payload.mode, place=place, again=True)

        return await self.store.transact(work)

    async def forbid(self, actor: Actor, dataset: Dataset, host: str) -> Dataset:
        """Let a third party no longer see the pictures of a dataset; jobs that have not begun fail.

        Raises:
            NotFound: There is no such dataset for this actor, or it was not allowed.
        """
        audit = self._audit(actor, "caption.forbid", dataset, host)

        async def work(tx: Repositories) -> Dataset:
            current = owned(await tx.datasets.find(dataset.id), actor, name=dataset.id)
            if host not in current.providers:
                raise NotFound(noun="allowed provider", name=host, hint=f"See `caption providers '{current.name}'`.")
            changed = current.but(providers=tuple(one for one in current.providers if one != host))
            await tx.datasets.save(changed)
            await tx.audits.add(audit)
            return changed

        return await self.store.transact(work)

    async def assignment(self, job: Job) -> Assignment:
        """What a worker has to do: what was described before, by whichever worker, is not described again.

        Raises:
            ProviderNotAllowed, ConsentWithdrawn, Suspended: The pictures may not be sent there any more.
        """
        payload = captioning.Payload.model_validate(job.payload)
        chosen, dataset = self._chosen(payload.captioner), await self.store.datasets.get(payload.dataset)
        require_sendable(dataset, chosen)
        chosen.require_allowed(dataset.providers, dataset=dataset.name)
        done = {scene.item for scene in await self.store.scenes.of(job.id) if scene.text}
        wanted = [item for item in await _described(self.store, dataset) if item.id in set(payload.items)]
        return Assignment(items=tuple(item for item in wanted if item.id not in done), total=len(wanted))

    async def described(self, job: str, token: str, scenes: Sequence[Scene]) -> None:
        """Keep what was said of some pictures, fenced by the attempt's token; each one described earns its price.

        Raises:
            LeaseLost: The report is of a stale attempt; nothing is changed.
        """

        async def work(tx: Repositories) -> None:
            current = (await tx.jobs.get(job)).fenced(token)
            dataset = await tx.datasets.get(current.subject)
            told = [captioning.fitting(scene, dataset) for scene in scenes]
            known = [await tx.scenes.find(scene.id) for scene in told]
            fresh = sum(bool(scene.text) > bool(old and old.text) for scene, old in zip(told, known, strict=True))
            await tx.scenes.save_all(told)
            earned = (current.earned or 0) + fresh * captioning.Payload.model_validate(current.payload).price
            await tx.jobs.save(current.reported(now=self.clock.now()).but(earned=earned))

        await self.store.transact(work)

    async def result(self, job: Job) -> captioning.Result:
        """What has come of a job so far."""
        payload, scenes = captioning.Payload.model_validate(job.payload), await self.store.scenes.of(job.id)
        said, shared = captioning.pruned(payload, scenes)
        failures = {scene.item: scene.failure for scene in scenes if scene.failure}
        return captioning.Result(described=len(said), shared=shared, failures=failures)

    async def written(self, actor: Actor, job: Job) -> Written:
        """What a job has written that still stands.

        Raises:
            NotFound: There is no such dataset for this actor (any more).
        """
        dataset = seen(await self.store.datasets.find(job.subject), actor, name=job.subject)
        items = await self.store.items.of(dataset.id)
        captions = {item.id: one for item in items if (one := dataset.caption_of(item)) and one.job == job.id}
        return Written(dataset=dataset, names={item.id: item.artifact.name for item in items}, captions=captions)

    def _chosen(self, name: str | None) -> Captioner:
        found = self.captioners.get(name or self.captioner)
        if found is None or found.missing:
            able = ", ".join(one.name for one in self.ready())
            raise NotFound(noun="captioner", name=name or self.captioner, hint=f"There are: {able}.")
        return found

    def _asked(self, actor: Actor, dataset: Dataset, *, key: str) -> Job:
        return asked(
            "captioning",
            id=self.ids.new(),
            key=key,
            owner=actor.account,
            subject=dataset.id,
            title=f"{dataset.name} · captions",
            now=self.clock.now(),
        )

    def _audit(self, actor: Actor, act: str, dataset: Dataset, host: str) -> Audit:
        now, details = self.clock.now(), {"provider": host}
        return Audit(id=self.ids.new(), actor=actor.account, act=act, subject=dataset.id, details=details, at=now)


async def _described(tx: Repositories, dataset: Dataset) -> list[Item]:
    """The pictures of a dataset that may be described: those whose consent was not withdrawn."""
    return [item for item in await tx.items.of(dataset.id) if not item.withdrawn_at]


async def _wanted(tx: Repositories, dataset: Dataset, mode: CaptionMode) -> list[Item]:
    if dataset.kind is Kind.CONVERSATIONS:
        raise NothingToDo(why=f"«{dataset.name}» holds conversations: there is no picture to describe.")
    items = await _described(tx, dataset)
    if not items:
        raise DatasetEmpty(name=dataset.name)
    if mode is not CaptionMode.IGNORE:
        return items
    bare = [item for item in items if dataset.caption_of(item) is None]
    if not bare:
        why = f"To write them anew: `caption auto {dataset.name} overwrite`."
        raise NothingToDo(why=f"Every picture of «{dataset.name}» has a caption. {why}")
    return bare


async def _missed(tx: Repositories, job: Job, dataset: Dataset) -> list[Item]:
    """What a job failed on, or did not come to, and nobody has said anything of since it ended."""
    if job.result:
        named = set(captioning.Result.model_validate(job.result).failures)
    else:
        named = set(captioning.Payload.model_validate(job.payload).items)
    versions = [(item, dataset.caption_of(item)) for item in await _described(tx, dataset) if item.id in named]
    ended = job.ended_at or job.created_at
    left = [item for item, version in versions if version is None or (version.job != job.id and version.at <= ended)]
    if not left:
        raise NothingToDo(why=f"Nothing is left to do of «{job.title}».")
    return left


async def _enqueued(
    tx: Repositories,
    job: Job,
    dataset: Dataset,
    captioner: Captioner,
    items: Sequence[Item],
    *,
    mode: CaptionMode,
    place: Place,
    again: bool = False,
) -> Job:
    """Queue the job with the price of so many pictures, where no other is at them: both would be paid."""
    if any(other.kind == job.kind for other in await tx.jobs.about(dataset.id)):
        raise NothingToDo(why=f"«{dataset.name}» is being described already. Wait for that card, or cancel it.")
    captioner.require_allowed(dataset.providers, dataset=dataset.name)
    payload = captioning.Payload(
        dataset=dataset.id,
        captioner=captioner.name,
        mode=mode,
        items=tuple(item.id for item in items),
        again=again,
        price=captioner.price,
    )
    return await enqueue(tx, payload, job=job.but(price=len(items) * captioner.price, earned=0), place=place)
