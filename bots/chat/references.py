"""References: parameters that name something of the domain, each with what this actor may choose from."""

import re
from collections.abc import Sequence

from bots.chat.parameter import Call, Given, Listed, Raw, Row
from core.domain.account import Account, identity_id
from core.domain.character import Character
from core.domain.dataset import Dataset, Scope
from core.domain.errors import Ambiguous
from core.domain.generation import Generation
from core.domain.item import Item
from core.domain.job import Job
from core.domain.model import Model, Search
from core.domain.offering import Offering
from core.domain.payout import Payout, PayoutState
from core.domain.rating import Rating

MENTION = re.compile(r"<@!?(\d+)>")  # of somebody whose name a platform replaces by their id


class DatasetRef(Listed[Dataset]):
    """One of the actor's datasets."""

    noun = "dataset"
    paged = True
    hint = "See `dataset list`, or make one: `dataset new NAME trigger=WORD`."

    async def identified(self, call: Call, value: str) -> Dataset | None:
        """The dataset of this id."""
        return await call.services.datasets.seen(call.actor, value)

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Dataset]]:
        """The actor's datasets by name."""
        named = await call.services.datasets.list(call.actor, text=text, after=after, limit=limit)
        found = named or await call.services.datasets.list(call.actor, after=after, limit=limit)
        return [Row(value=dataset.id, label=dataset.name, thing=dataset) for dataset in found]


class SharedDatasetRef(DatasetRef):
    """One of the actor's datasets, or one that somebody shares with them; of one name the actor's own."""

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Dataset]]:
        """The datasets by name."""
        adult = call.place.shows(Rating.NSFW)
        listed = [
            await call.services.datasets.list(
                call.actor, scope=scope, text=text, adult=adult or scope is Scope.MINE, after=after, limit=limit
            )
            for scope in (Scope.SHARED, Scope.MINE)
        ]
        named = {dataset.folded: dataset for found in listed for dataset in found}
        if text and not named:
            return await self.rows(call, "", given, after=after, limit=limit)
        found = [named[name] for name in sorted(named)][:limit]
        return [Row(value=dataset.id, label=dataset.name, thing=dataset) for dataset in found]


class CharacterRef(Listed[Character]):
    """One of the actor's characters."""

    noun = "character"
    hint = "See `character list`, or make one: `character new NAME TRIGGER`."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Character]]:
        """The actor's characters by name."""
        known = await call.services.characters.known(call.actor)
        return [Row(value=one.id, label=one.name, thing=one) for one in known]


class ItemRef(Listed[Item]):
    """One picture of the dataset that was named before: by number or by file name; buttons name it by id."""

    noun = "picture"
    hint = "Say its number or name; see `dataset view NAME`."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Item]]:
        """The pictures of the dataset, by number."""
        dataset = await SharedDatasetRef("").earlier(call, given, "dataset")
        if dataset is None:
            return []
        items = (await call.services.datasets.view(call.actor, dataset.id)).items
        if named := next((item for item in items if item.id == text), None):
            return [Row(value=text, label=named.artifact.name, thing=named)]
        return [Row(value=str(item.position + 1), label=item.artifact.name, thing=item) for item in items]


class OfferingRef(Listed[Offering]):
    """Something to buy."""

    noun = "offering"
    hint = "See `offerings`."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Offering]]:
        """All offerings."""
        offered = call.services.trainings.offerings.values()
        return [Row(value=offering.id, label=offering.title, thing=offering) for offering in offered]


class PresetRef(Listed[str]):
    """A preset of the offering that was named before."""

    noun = "preset"
    hint = "See `offerings` for the presets of each."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[str]]:
        """The presets of the offering."""
        offering = await OfferingRef("").earlier(call, given, "offering")
        presets = offering.presets if offering else ()
        return [Row(value=preset, label=preset, thing=preset) for preset in presets]


class JobRef(Listed[Job]):
    """One of the actor's latest jobs, by id or title; anyone's by id where the role allows it."""

    noun = "job"
    hint = "See `train list`."

    async def identified(self, call: Call, value: str) -> Job | None:
        """The job of this id."""
        return await call.services.jobs.view(call.actor, value)

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Job]]:
        """The actor's jobs, newest first."""
        jobs = list(await call.services.jobs.list(call.actor))
        return [Row(value=job.id, label=job.title, thing=job) for job in jobs]


class OpenJobRef(JobRef):
    """One of the actor's jobs; those that have not ended are offered."""

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Job]]:
        """The actor's jobs that wait or run, newest first."""
        rows = await super().rows(call, text, given, after=after, limit=limit)
        return [row for row in rows if not row.thing.state.ended]


class GenerationRef(Listed[Generation]):
    """One of the actor's latest generations, by id or prompt; anyone's by id where the role allows it."""

    noun = "generation"
    hint = "See `generation list`."

    async def identified(self, call: Call, value: str) -> Generation | None:
        """The generation of this id."""
        return (await call.services.generations.view(call.actor, value)).generation

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Generation]]:
        """The actor's generations, newest first; the moment tells apart those of one prompt."""
        made = await call.services.generations.list(call.actor, limit=limit)
        return [Row(value=one.id, label=f"{one.title} · {one.created_at:%d %b %H:%M:%S}", thing=one) for one in made]


class ModelRef(Listed[Model]):
    """A model that the actor may use: by id, `owner/slug`, slug or trigger word."""

    noun = "model"
    hint = "See `model list`."

    async def identified(self, call: Call, value: str) -> Model | None:
        """The model that an id, a name or a trigger word means.

        Raises:
            Ambiguous: It means several.
        """
        meant = await call.services.models.called(call.actor, value)
        if len(meant) > 1:
            names = ", ".join(f"{model.name} ({model.id})" for model in meant[:5])
            raise Ambiguous(noun=self.noun, name=value, candidates=names)
        return meant[0] if meant else None

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Model]]:
        """The actor's models, those that are shared with them, then public ones that may be listed here."""
        search = Search(text=text.rpartition("/")[2], adult=call.place.shows(Rating.NSFW))
        named = await call.services.models.list(call.actor, search, limit=limit)
        found = named or await call.services.models.list(call.actor, search.but(text=""), limit=limit)
        mine = [] if "/" in text else [model.id for model in found if model.owner == call.actor.account]
        return [Row(value=one.id, label=one.slug if one.id in mine else one.name, thing=one) for one in found]


class UserRef(Listed[Account]):
    """A person by name, mention, login (`discord:1234`) or id."""

    noun = "user"
    hint = "Names are written as people write them; they must have spoken to the bot once."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Account]]:
        """The accounts whose name begins so."""
        found = await call.services.accounts.named(text)
        return [Row(value=account.id, label=account.name, thing=account) for account in found]

    async def identified(self, call: Call, value: str) -> Account | None:
        """The account of this id or login; a mention is a login on the platform where it is written."""
        mention = MENTION.fullmatch(value)
        return await call.services.accounts.known(identity_id(call.place.platform, mention[1]) if mention else value)

    async def parse(self, call: Call, raw: Raw, given: Given) -> Account:
        """The account.

        Raises:
            NotFound: Nobody is called so.
            Ambiguous: Several are.
        """
        return await super().parse(call, raw.strip().removeprefix("@") if isinstance(raw, str) else raw, given)


class DisputedJobRef(JobRef):
    """A job whose owner wants the money back; any by id."""

    hint = "See `admin disputes`, or give the id of a job."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Job]]:
        """The disputed jobs that wait for an answer, the longest first."""
        return [
            Row(
                value=one.dispute.id,
                label=f"{one.owner}: {one.dispute.title}",
                thing=await call.services.jobs.view(call.actor, one.dispute.id),
            )
            for one in await call.services.disputes.waiting(call.actor)
        ]


class PayoutRef(Listed[Payout]):
    """One of the actor's payouts, by id; those in some states are offered."""

    noun = "payout"
    hint = "See `payout list`."

    def __init__(self, help: str, *states: PayoutState) -> None:  # noqa: A002 - the word every chat shows
        super().__init__(help)
        self._states = states

    async def identified(self, call: Call, value: str) -> Payout | None:
        """The payout of this id."""
        return await call.services.payouts.view(call.actor, value)

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Payout]]:
        """The actor's payouts, newest first."""
        found = [one for one in await call.services.payouts.list(call.actor) if one.state in self._states]
        return [Row(value=one.id, label=f"{one.amount} qoints ({one.id})", thing=one) for one in found]
