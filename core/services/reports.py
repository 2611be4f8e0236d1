"""Reports: anybody says that something must not be; it is suspended at once, and a moderator decides."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.account import Actor, Role
from core.domain.allowance import counted, window
from core.domain.audit import Audit
from core.domain.dataset import Dataset
from core.domain.dataset import seen as seen_dataset
from core.domain.errors import NotFound, NothingToDo, NotThem
from core.domain.model import Model
from core.domain.model import seen as seen_model
from core.domain.notice import Notice, Topic
from core.domain.report import OFTEN, Report, ReportedKind, ReportState, reason, report_id
from core.domain.value import Value
from core.kinds import Kind, staff, training
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


class Reported(Value):
    """A report that waits, with the names of who said so and of whose it is, and the thing, where it is still there."""

    report: Report
    reporter: str
    owner: str
    thing: Dataset | Model | None


@dataclass(frozen=True, kw_only=True)
class Reports:
    """What people say must not be. `kinds` settle what a withdrawn training means; `admins` are told of reports."""

    store: Store
    clock: Clock
    ids: Ids
    kinds: Mapping[str, Kind]
    admins: Collection[str]

    async def report(self, actor: Actor, kind: ReportedKind, thing: str, *, why: str) -> Sequence[Report]:
        """Suspend a dataset, a model, or the models behind pictures, by id; the same once more changes nothing.

        Pictures may be anybody's: who is depicted may know no more than their id.

        Raises:
            BadValue: No reason is given, or a very long one.
            NotFound: There is no such thing for this actor.
            NothingToDo: It is the actor's own, or a moderator has looked at this report and dismissed it.
            TooOften: The actor has reported enough for a day.
        """
        words, now = reason(why), self.clock.now()

        async def work(tx: Repositories) -> Sequence[Report]:
            things = [one for one in await _things(tx, actor, kind, thing) if one.owner != actor.account]
            if not things:
                raise NothingToDo(why="That is your own: delete it, or take consent back with `dataset withdraw`.")
            wished = [_reported(one, actor, words, now=now) for one in things]
            known = {one.id: before for one in wished if (before := await tx.reports.find(one.id))}
            fresh = [one for one in wished if one.id not in known]
            if any(one.state is ReportState.DISMISSED for one in known.values()):
                raise NothingToDo(why="A moderator has looked at your report of this before, and saw nothing wrong.")
            if fresh:
                await self._taken(tx, actor, fresh, now=now)
            return [known.get(one.id, one) for one in wished]

        return await self.store.transact(work)

    async def waiting(self, actor: Actor) -> list[Reported]:
        """The reports that the actor may decide, the oldest first.

        Raises:
            NotAllowed: The actor is no moderator.
        """
        actor.require(Role.MODERATOR)
        found = [one for one in await self.store.reports.open() if one.owner != actor.account]
        return [
            Reported(
                report=one,
                reporter=(await self.store.accounts.get(one.reporter)).name,
                owner=(await self.store.accounts.get(one.owner)).name,
                thing=await _thing(self.store, one),
            )
            for one in found
        ]

    async def uphold(self, actor: Actor, report: str) -> Report:
        """Agree: consent for a dataset counts as withdrawn for good, a model is deleted. Once more changes nothing.

        Raises:
            NotAllowed: The actor is no moderator.
            NotFound: There is no such report.
            NotThem: It is about something of the actor's.
            NothingToDo: It was dismissed before.
        """
        return await self._decided(actor, report, ReportState.UPHELD)

    async def dismiss(self, actor: Actor, report: str) -> Report:
        """Disagree: what nobody else has reported is free again. Once more changes nothing.

        Raises:
            NotAllowed: The actor is no moderator.
            NotFound: There is no such report.
            NotThem: It is about something of the actor's.
            NothingToDo: It was upheld before.
        """
        return await self._decided(actor, report, ReportState.DISMISSED)

    async def _taken(self, tx: Repositories, actor: Actor, reports: Sequence[Report], *, now: datetime) -> None:
        fresh = window(f"report:{actor.account}", OFTEN, now=now)
        await tx.allowances.save(counted(await tx.allowances.find(fresh.id) or fresh, OFTEN, now=now))
        for report in reports:
            await tx.reports.add(report)
            match await _thing(tx, report):
                case Dataset() as dataset:
                    await tx.datasets.save(dataset.suspended_by(report.id))
                case Model() as model:
                    await tx.models.save(model.suspended_by(report.id))
                case None:
                    pass
            await tx.audits.add(_audit(report, "report.made", actor, now=now))
            title = f"{report.kind.title()} «{report.name}» was reported"
            held = "Nobody can use it until a moderator has looked at it. You are told what comes of it."
            await self._tell(tx, report.owner, report, title=title, text=held, now=now)
            for moderator in await staff(tx, self.admins, Role.MODERATOR):
                if moderator.id not in {report.owner, actor.account}:
                    text = f"{report.why}\nDecide: `moderation reports`."
                    await self._tell(tx, moderator.id, report, title=title, text=text, now=now)

    async def _decided(self, actor: Actor, report: str, state: ReportState) -> Report:
        actor.require(Role.MODERATOR)
        now = self.clock.now()

        async def work(tx: Repositories) -> Report:
            found = await tx.reports.find(report)
            if found is None:
                raise NotFound(noun="report", name=report, hint="See `moderation reports`.")
            if found.owner == actor.account:
                raise NotThem(name=actor.name, why="nobody judges over what is theirs")
            if found.state is state:
                return found
            decided = found.decided(state, by=actor.account, now=now)
            await tx.reports.save(decided)
            if state is ReportState.UPHELD:
                await self._taken_down(tx, decided, by=actor.account, now=now)
            else:
                await _freed(tx, decided)
            await tx.audits.add(_audit(decided, f"report.{state}", actor, now=now))
            verdict = "It is gone for good." if state is ReportState.UPHELD else "There was nothing wrong with it."
            for account in {decided.owner, decided.reporter}:
                title = f"A moderator has looked at «{decided.name}», which was reported"
                await self._tell(tx, account, decided, title=title, text=verdict, now=now)
            return decided

        return await self.store.transact(work)

    async def _taken_down(self, tx: Repositories, report: Report, *, by: str, now: datetime) -> None:
        match await _thing(tx, report):
            case Dataset() as dataset:
                await training.withdraw(
                    tx, dataset, None, by=by, kinds=self.kinds, admins=self.admins, ids=self.ids, now=now
                )
            case Model() as model:
                await tx.models.save(model.deleted(now=now))
            case None:
                pass

    async def _tell(
        self, tx: Repositories, account: str, report: Report, *, title: str, text: str, now: datetime
    ) -> None:
        notice = Notice(
            id=f"report:{report.id}:{report.state}:{account}",
            account=account,
            place=(await tx.accounts.get(account)).home,
            topic=Topic.REPORTED,
            details={"title": title, "text": text},
            created_at=now,
        )
        await tx.notices.add(notice)


async def _things(tx: Repositories, actor: Actor, kind: ReportedKind, thing: str) -> Sequence[Dataset | Model]:
    """What is reported under an id.

    Raises:
        NotFound: There is nothing of this id that the actor may see, or no such pictures.
    """
    match kind:
        case ReportedKind.DATASET:
            return [seen_dataset(await tx.datasets.find(thing), actor, name=thing)]
        case ReportedKind.MODEL:
            return [seen_model(await tx.models.find(thing), actor, name=thing)]
        case ReportedKind.GENERATION:
            made = await tx.generations.find(thing)
            drawn = [await tx.models.get(worn.model) for worn in made.adapters] if made else []
            if not drawn:
                raise NotFound(noun="generation", name=thing, hint="Give the id that its card shows as its job.")
            return drawn


async def _thing(tx: Repositories, report: Report) -> Dataset | Model | None:
    """What a report is about, where it is not deleted."""
    rows = tx.datasets if report.kind is ReportedKind.DATASET else tx.models
    found: Dataset | Model | None = await rows.find(report.thing)
    return found


async def _freed(tx: Repositories, report: Report) -> None:
    """Let what was reported go on as before, unless somebody else has reported it too."""
    others = [one for one in await tx.reports.about(report.thing) if one.state is not ReportState.DISMISSED]
    if others:
        return
    match await _thing(tx, report):
        case Dataset() as dataset:
            await tx.datasets.save(dataset.freed())
        case Model() as model:
            await tx.models.save(model.freed())
        case None:
            pass


def _reported(thing: Dataset | Model, actor: Actor, why: str, *, now: datetime) -> Report:
    return Report(
        id=report_id(actor.account, thing.id),
        reporter=actor.account,
        kind=ReportedKind.DATASET if isinstance(thing, Dataset) else ReportedKind.MODEL,
        thing=thing.id,
        name=thing.name,
        owner=thing.owner,
        why=why,
        at=now,
    )


def _audit(report: Report, act: str, actor: Actor, *, now: datetime) -> Audit:
    details = {"kind": report.kind.value, "thing": report.thing, "why": report.why}
    return Audit(id=f"{act}:{report.id}", actor=actor.account, act=act, subject=report.thing, details=details, at=now)
