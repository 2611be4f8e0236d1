"""Consent for datasets: how it stands, to attest, to withdraw."""

from collections.abc import Sequence
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Text
from bots.chat.references import DatasetRef, ItemRef, SharedDatasetRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from core.domain.account import Role
from core.domain.action import Style, Then
from core.domain.consent import RIGHTS, WORDS
from core.domain.dataset import Dataset
from core.domain.item import Item
from core.kinds.training import Descendant

Ref = Annotated[Dataset, DatasetRef("Which dataset")]
Words = Annotated[str, Text("The version of the words")]


class PictureRef(ItemRef):
    """One picture, where it is not about the whole dataset; nobody is asked."""

    asked = False


Picture = Annotated[Item | None, PictureRef("One picture, by number or name; else all of it")]


@command("dataset consent", role=Role.VIEWER)
async def consent(
    call: Call, dataset: Annotated[Dataset, SharedDatasetRef("Which dataset")], picture: Picture = None
) -> Reply:
    """Who has attested that a dataset, or one picture of it, may be trained on, and what was made of it."""
    seen = await call.services.consents.view(call.actor, dataset.id, picture)
    given, revoked = seen.dataset.attestation, seen.dataset.revoked_at
    withdrawn = picture.withdrawn_at if picture else revoked
    lines = [f"{seen.attested_by}, {given.at:%d %b %Y}: «{seen.words}»" if given else "Nobody has attested yet."]
    lines += [f"Withdrawn on {revoked:%d %b %Y}: nothing is trained on it."] if revoked else []
    lines += [f"Picture {item.position + 1} ({item.artifact.name}) is withdrawn." for item in seen.withdrawn]
    attest = _button("I attest", "dataset attest", dataset, picture).but(style=Style.GO)
    withdraw = _button("Withdraw", "dataset withdraw", dataset, picture).but(style=Style.DANGER)
    buttons = (*((attest,) if withdrawn or not given else ()), *((withdraw,) if not withdrawn else ()))
    return Reply(
        title=f"Consent for {_named(dataset, picture)}",
        lines=tuple(lines),
        table=_table(seen.descendants),
        buttons=buttons if dataset.owner == call.actor.account else (),
    )


@command("dataset attest", menu=False)
async def attest(call: Call, dataset: Ref, picture: Picture = None) -> Reply:
    """Attest that a dataset may be trained on: shows the words, and waits for your Confirm."""
    confirm = _button("Confirm", "dataset attest-now", dataset, picture, words=RIGHTS)
    title = f"Do you attest this for {_named(dataset, picture)}?"
    return Reply(title=title, lines=(WORDS[RIGHTS],), buttons=(confirm.but(style=Style.GO),))


@command("dataset attest-now", menu=False)
async def attest_now(call: Call, dataset: Ref, words: Words, picture: Picture = None) -> Reply:
    """Attest without asking again."""
    await call.services.consents.attest(call.actor, dataset.id, picture, words=words, key=call.key)
    return Reply(
        title=f"You have attested for {_named(dataset, picture)}",
        lines=(
            "It can be trained on. Models that were withdrawn with it are private until their owners publish them.",
        ),
    )


@command("dataset withdraw", menu=False)
async def withdraw(call: Call, dataset: Ref, picture: Picture = None) -> Reply:
    """Take consent for a dataset, or one picture, back: shows what was made of it, and asks first."""
    seen = await call.services.consents.view(call.actor, dataset.id, picture)
    made = [one.model for one in seen.descendants if one.model]
    confirm = _button("Confirm", "dataset withdraw-now", dataset, picture)
    return Reply(
        title=f"Take the consent for {_named(dataset, picture)} back?",
        lines=(
            f"It was used in {number(len(seen.descendants), 'training')}; {number(len(made), 'model')} came of it.",
            "Nothing is trained on it any more: trainings that go on are cancelled and paid back.",
            "Nobody can use the models, whoever owns them, until consent is given again; their owners are told.",
        ),
        table=_table(seen.descendants),
        buttons=(confirm.but(style=Style.DANGER),),
    )


@command("dataset withdraw-now", menu=False)
async def withdraw_now(call: Call, dataset: Ref, picture: Picture = None) -> Reply:
    """Withdraw without asking again."""
    made = await call.services.consents.withdraw(call.actor, dataset.id, picture, key=call.key)
    stopped = sum(one.model is not None for one in made)
    return Reply(
        title=f"The consent for {_named(dataset, picture)} is withdrawn",
        lines=(f"{number(stopped, 'model')} can be used by nobody now.",),
    )


def _named(dataset: Dataset, picture: Item | None) -> str:
    return f"picture {picture.position + 1} of «{dataset.name}»" if picture else f"«{dataset.name}»"


def _table(descendants: Sequence[Descendant]) -> Table | None:
    rows = tuple(
        (one.run.id, one.model.name if one.model else "–", f"used by others {number(one.uses, 'time')}")
        for one in descendants
    )
    return Table(header=("training", "model", "how often"), rows=rows) if rows else None


def _button(label: str, path: str, dataset: Dataset, picture: Item | None = None, **more: str) -> Button:
    named = {"dataset": dataset.id} | ({"picture": str(picture.position + 1)} if picture else {}) | more
    return Button(label=label, command=path, arguments=named, then=Then.REPLACE)
