"""Somebody who has something of everything, all of it private but what is shared with one reader."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.domain.export import Format
from core.domain.model import Model
from core.domain.token import Scope
from core.kinds.export import Result as Exported
from loraguild.composition import House
from tests.builders.entities import HOME
from tests.builders.payouts import asked
from tests.builders.scenes import (
    a_quote_for,
    a_ready_dataset,
    an_order,
    finished,
    given,
    imagined,
    somebody,
    stored,
)

PRIVATE = "s3cret"  # stands in every name and text that is nobody else's business
SHARED = "t0gether"  # stands in the names of what one reader may see, too


@dataclass(frozen=True, kw_only=True)
class Belongings:
    """What `owner` has, and `reader` may look at a part of; `names` are ids by the word for what they are of."""

    owner: Actor
    reader: Actor
    dataset: Dataset
    model: Model
    names: Mapping[str, str]
    shared: Mapping[str, str]


async def belongings(house: House) -> Belongings:
    """Let ann make and order something of everything; what can be shared, she also has shared with ben."""
    services, ann, ben = house.services, await somebody(house), await somebody(house, "ben")
    await given(house, ann, 10_000)
    reader = await house.store.accounts.get(ben.account)
    character = (await services.characters.create(ann, name=f"{PRIVATE} person", trigger=f"{PRIVATE}x")).character
    dataset = await a_ready_dataset(house, ann, name=f"{PRIVATE}-set")
    open_set = await services.sharings.share(ann, (await a_ready_dataset(house, ann, name=SHARED)).id, reader)
    trained = await finished(house, await an_order(house, ann, open_set))
    model = await services.models.of_run(ann, trained.id)
    made = await finished(house, await imagined(house, ann, f"{SHARED} {PRIVATE} words"))
    open_model = await services.models.share(ann, model.id, reader)
    secret_run = await finished(house, await an_order(house, ann, dataset))
    secret_model = await services.models.of_run(ann, secret_run.id)
    waiting = await an_order(house, ann, dataset)
    gone = await services.datasets.create(ann, name=f"{PRIVATE}-gone", trigger=f"{PRIVATE}y")
    await services.datasets.delete(ann, gone)
    quote = (await a_quote_for(house, ann, dataset)).quote
    upload = await services.uploads.open(ann, dataset, place=HOME)
    [begun] = await house.store.uploads.open_for(dataset.id, now=services.uploads.clock.now())
    token = (await services.tokens.issue(ann, name=f"{PRIVATE} program", scopes=[Scope.READ], days=1)).token
    session = (await services.sessions.open(ann, device=f"{PRIVATE} device")).session
    webhook = (await services.webhooks.create(ann, key="1", url=f"https://example.org/{PRIVATE}")).webhook
    export = await services.exports.order(ann, dataset, wished=Format.ZIP, place=HOME, key="export")
    await finished(house, export, Exported(artifact=await stored(house, f"{PRIVATE}.zip"), count=3))
    payout = await asked(house, ann, to=f"{PRIVATE} address")
    captions, *_ = reversed((await services.captions.open_set(ann, dataset, name=f"{PRIVATE}-words")).sets)
    post = await services.webhooks.test(ann, webhook.id)
    [item, *_] = await house.store.items.of(dataset.id)
    [open_item, *_] = await house.store.items.of(open_set.id)
    return Belongings(
        owner=ann,
        reader=ben,
        dataset=dataset,
        model=secret_model,
        names={
            "character": character.id,
            "dataset": dataset.id,
            "item": item.id,
            "job": waiting.id,
            "training": waiting.id,
            "run": secret_run.id,
            "model": secret_model.id,
            "generation": made.id,
            "quote": quote.id,
            "upload": begun.id,
            "link": upload,
            "token": token.handle,
            "session": session.handle,
            "webhook": webhook.id,
            "deleted": gone.id,
            "export": export.id,
            "fix": "drop-duplicates",
            "post": post.id,
            "set": captions,
            "payout": payout.id,
            "image": item.id,
        },
        shared={"dataset": open_set.id, "item": open_item.id, "image": open_item.id, "model": open_model.id},
    )
