"""Captionings: having pictures described, and by whom."""

from collections.abc import Sequence
from typing import Annotated

from bots.cards import card
from bots.cards.contents import typed
from bots.chat.definition import command
from bots.chat.parameter import Call, Given, Listed, OneOf, Row, Text
from bots.chat.references import DatasetRef, JobRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from core.domain.account import Role
from core.domain.action import Style, Then
from core.domain.caption import CaptionMode
from core.domain.captioner import Captioner
from core.domain.dataset import Dataset
from core.domain.job import Job
from core.services.captionings import Terms

Ref = Annotated[Dataset, DatasetRef("Which dataset")]
Mode = Annotated[CaptionMode, OneOf("What to do where a caption stands", CaptionMode)]


class CaptionerRef(Listed[Captioner]):
    """A captioner that can be asked here, the one that settings choose first."""

    noun = "captioner"
    hint = "See `caption providers`."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Captioner]]:
        """Those that are set up."""
        ready = call.services.captionings.ready()
        return [Row(value=one.name, label=f"{one.name}: {one.title}", thing=one) for one in ready]


class CaptioningRef(JobRef):
    """One of the actor's captionings that have ended."""

    noun = "captioning"

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Job]]:
        """The actor's captionings, newest first."""
        rows = await super().rows(call, text, given, after=after, limit=limit)
        return [row for row in rows if row.thing.kind == "captioning" and row.thing.state.ended]


By = Annotated[Captioner | None, CaptionerRef("Who describes the pictures")]


@command("caption auto", orders=True)
async def auto(call: Call, dataset: Ref, mode: Mode = CaptionMode.IGNORE, captioner: By = None) -> Reply:
    """Have every picture described, trigger word first.

    It asks first where pictures would leave the house, or where it costs something.
    """
    captionings, name = call.services.captionings, captioner.name if captioner else None
    terms = await captionings.terms(call.actor, dataset, mode=mode, captioner=name)
    if terms.price or not terms.allowed:
        return _asking(dataset, mode, terms)
    job = await captionings.auto(call.actor, dataset, mode=mode, captioner=name, place=call.told, key=call.key)
    return await card(call, job.id)


@command("caption confirm", menu=False, orders=True)
async def confirm(
    call: Call,
    dataset: Ref,
    mode: Mode,
    captioner: Annotated[Captioner, CaptionerRef("Who describes the pictures")],
    allowed: Annotated[str, Text("The third party that may see the pictures")] = "",
) -> Reply:
    """Have every picture described, as it was asked."""
    job = await call.services.captionings.auto(
        call.actor,
        dataset,
        mode=mode,
        captioner=captioner.name,
        allowed=allowed or None,
        place=call.told,
        key=call.key,
    )
    return await card(call, job.id)


@command("caption retry", orders=True)
async def retry(call: Call, job: Annotated[Job, CaptioningRef("Which captioning")]) -> Reply:
    """Have those pictures described that a captioning failed on, and no other."""
    following = await call.services.captionings.retry(call.actor, job.id, place=call.told, key=call.key)
    return await card(call, following.id)


@command("caption providers", role=Role.VIEWER)
async def providers(
    call: Call, dataset: Annotated[Dataset | None, DatasetRef("Where its pictures may be sent")] = None
) -> Reply:
    """Who can describe pictures, where pictures go for that, and what it costs."""
    known = call.services.captionings.captioners.values()
    rows = tuple((one.name, one.title, _facts(one)) for one in known)
    allowed = dataset.providers if dataset and dataset.owner == call.actor.account else ()
    stops = [
        Button(
            label=f"Stop sending to {host}", command="caption forbid", arguments={"dataset": dataset.id, "host": host}
        )
        for host in allowed
        if dataset
    ]
    return Reply(
        title="Who describes pictures" + (f" of «{dataset.name}»" if dataset else ""),
        lines=tuple(f"The pictures of this dataset may be sent to {host}." for host in allowed),
        table=Table(header=("captioner", "what it is", "terms"), rows=rows),
        buttons=tuple(stops),
    )


@command("caption forbid", menu=False)
async def forbid(call: Call, dataset: Ref, host: Annotated[str, Text("The third party")]) -> Reply:
    """Let a third party no longer see the pictures of a dataset."""
    changed = await call.services.captionings.forbid(call.actor, dataset, host)
    return Reply(title=f"The pictures of «{changed.name}» are not sent to {host} any more")


def _asking(dataset: Dataset, mode: CaptionMode, terms: Terms) -> Reply:
    """What would be sent where for how much, and the button that does so."""
    captioner, pictures = terms.captioner, number(terms.count, "picture")
    leaving = (
        f"{captioner.title} would describe them: each leaves this house, in up to 1024 pixels and without its name.",
        f"You allow that for this dataset until you take it back with `caption providers {typed(dataset)}`.",
        "Do so only if everyone depicted agrees.",
    )
    arguments = {"dataset": dataset.id, "mode": mode.value, "captioner": captioner.name}
    consent = {} if terms.allowed or not captioner.host else {"allowed": captioner.host}
    go = Button(
        label="Allow and go on" if consent else "Go on",
        command="caption confirm",
        arguments={**arguments, **consent},
        style=Style.GO,
        then=Then.REPLACE,
    )
    price = f"{terms.price}: {pictures} at {captioner.price}; what is not described is not paid"
    return Reply(
        title=f"Describe {pictures} of «{dataset.name}»?",
        lines=leaving if consent else (),
        fields=(("price", price if terms.price else "nothing"),),
        buttons=(go, Button(label="Cancel", command="train decline", then=Then.REPLACE)),
    )


def _facts(captioner: Captioner) -> str:
    if captioner.missing:
        return f"not set up: an operator has to set {captioner.missing}"
    goes = f"pictures are sent to {captioner.host}" if captioner.host else "pictures stay here"
    adult = "" if captioner.adult else ", none for adults"
    price = f"{captioner.price} a picture" if captioner.price else "free"
    return f"{goes}{adult}; {price}"
