"""Scenes: what happened before a test begins, played through the real services with the worker's part in our hands."""

import mimetypes
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from core.domain.account import Actor, Platform, Role
from core.domain.artifact import Artifact
from core.domain.caption import Scene
from core.domain.consent import RIGHTS
from core.domain.dataset import Dataset
from core.domain.doctor import examined
from core.domain.fleet import Worker
from core.domain.job import Failure, Job
from core.domain.ledger import balances, captured, held, is_house, sums
from core.domain.model import Model
from core.domain.payout import set_aside
from core.domain.value import Value
from core.kinds import discovered, generation, intake, mending, publication, training, validation
from core.ports.store import Store
from core.services.generations import Ordered, Wish
from core.services.trainings import Quoted
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME, NOON, a_dataset

KINDS = tuple(sorted(discovered()))
BROKEN = Failure(code="broken", words="It broke.")


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that somebody sends."""

    name: str
    content: bytes
    most: int | None = None

    @property
    def size(self) -> int | None:
        return len(self.content)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        yield in_chunks(self.content)


async def in_chunks(*contents: bytes) -> AsyncIterator[bytes]:
    for content in contents:
        yield content


async def somebody(house: House, name: str = "ann") -> Actor:
    """Meet somebody at the console: a user with 100 points, or the admin `root`."""
    return await house.services.accounts.welcome(Platform.CONSOLE, name, name=name)


def moderating(actor: Actor) -> Actor:
    return actor.but(role=Role.MODERATOR)


def adult(actor: Actor) -> Actor:
    return actor.but(adult=True)


async def given(house: House, actor: Actor, amount: int) -> None:
    """Let the admin grant somebody qoints."""
    root = await somebody(house, "root")
    to = await house.store.accounts.get(actor.account)
    key = house.services.conversations.token()
    await house.services.wallets.grant(root, to=to, amount=amount, why="a test", key=key)


async def stored(house: House, name: str, content: bytes | None = None) -> Artifact:
    """Put bytes into the house's blobs; by default the name is the content."""
    blob = await house.blobs.put(in_chunks(content or name.encode()), name=name, limit=2**20)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Artifact(name=name, sha256=blob.id, size=blob.size, media_type=media_type)


async def a_worker(house: House, name: str = "w1", **facts: Any) -> Worker:
    """Let a worker that takes everything sign on."""
    wished: dict[str, Any] = {"id": name, "host": name, "pid": 1, "device": "cpu", "kinds": KINDS}
    return await house.services.jobs.beat(Worker(**(wished | {"started_at": NOON, "seen_at": NOON} | facts)))


async def claimed(house: House, job: Job | None = None, *, worker: str = "w1") -> tuple[Job, str]:
    """Let a worker claim this job, or any that there is; return it with its token. Others it hands back."""
    jobs, others = house.services.jobs, []
    signed_on = await a_worker(house, worker, kinds=(job.kind,) if job else KINDS)
    found = await jobs.claim(signed_on)
    while found and job and found.id != job.id:
        others.append(found)
        found = await jobs.claim(signed_on)
    for other in others:
        await jobs.release(other.id, str(other.token))
    assert found
    assert found.token
    return found, found.token


async def finished(house: House, job: Job, outcome: Value | Failure | None = None) -> Job:
    """Let a worker claim a job and end it, well by default."""
    found, token = await claimed(house, job)
    return await house.services.jobs.finish(job.id, token, outcome or await well_done(house, found))


async def well_done(house: House, job: Job) -> Value:  # noqa: PLR0911 - each kind has its result
    """Do what the worker does: bring a result with real blobs for a claimed job."""
    match job.kind:
        case "intake":
            files = intake.Payload.model_validate(job.payload).files
            pictures = tuple([await a_picture(house, file.name, number) for number, file in enumerate(files)])
            outcomes = tuple(intake.FileOutcome(name=file.name, verdict=intake.Verdict.TAKEN) for file in files)
            return intake.Result(pictures=pictures, outcomes=outcomes, source_format="pictures")
        case "validation":
            dataset = await house.store.datasets.get(job.subject)
            findings, statistics = examined(dataset, await house.store.items.of(dataset.id))
            sheets = (await stored(house, "sheet.png"),)
            return validation.Result(revision=dataset.revision, findings=findings, statistics=statistics, sheets=sheets)
        case "captioning":
            await described(house, job)
            return await house.services.captionings.result(job)
        case "mending":
            return mending.Result()
        case "training":
            return training.Result(
                artifact=await stored(house, f"{job.id}.safetensors"),
                grid=await stored(house, f"{job.id} grid.png"),
                base_hash="b" * 64,
                code_version="1",
                evaluation_before=0.5,
                evaluation_after=0.25,
            )
        case "publication":
            model = await house.store.models.get(job.subject)
            return publication.Result(
                imprint=model.imprint,
                artifact=await stored(house, f"{model.imprint} published.safetensors"),
                weights="c" * 64,
                card=await stored(house, f"{model.imprint} README.md"),
                thumbnail=await stored(house, f"{model.imprint} thumbnail.jpg"),
            )
        case _:
            made = await house.store.generations.get(job.id)
            pictures_made = [await stored(house, f"{job.id} {number}.png") for number in range(made.count)]
            return generation.Result(pictures=tuple(pictures_made))


async def described(house: House, job: Job, *, most: int | None = None, failing: Mapping[str, str] = {}) -> None:
    """Say something of the pictures of a claimed captioning; `failing` has words for items that are not described."""
    names = {item.id: item.artifact.name for item in (await house.services.captionings.assignment(job)).items}
    scenes = [
        Scene(id=f"{job.id}:{item}", job=job.id, item=item).but(
            text="" if item in failing else f"a scene of {name}", failure=failing.get(item, "")
        )
        for item, name in names.items()
    ]
    await house.services.captionings.described(job.id, str(job.token), scenes[:most])


async def a_picture(house: House, name: str, number: int = 0) -> intake.Picture:
    """Bring a picture that the doctor likes."""
    return intake.Picture(
        artifact=await stored(house, name),
        original_sha256=f"raw {name}",
        width=512,
        height=512,
        phash=f"{0xFFFF << (number % 4 * 16):016x}",
        sharpness=100.0,
        caption=f"zorp number {number}",
    )


async def uploaded(house: House, actor: Actor, dataset: Dataset, *names: str, key: str | None = None) -> Job:
    """Send files; the job that looks into them is queued."""
    files = [Upload(name=name, content=f"raw {name}".encode()) for name in names]
    wished = key or house.services.conversations.token()
    return await house.services.intakes.add(actor, dataset, files, place=HOME, key=wished)


async def taken_in(house: House, job: Job) -> None:
    """Let a worker look into files, and the doctor at what came out of them."""
    await finished(house, job)
    for look in await house.store.jobs.about(job.subject):
        if look.kind == "validation":
            await finished(house, look)


async def some_datasets(house: House, actor: Actor, *names: str) -> list[Dataset]:
    """Let somebody have datasets with nothing in them."""
    ids, now = house.services.datasets.ids, house.services.datasets.clock.now()
    facts = {"owner": actor.account, "trigger": "zorp", "created_at": now, "updated_at": now}
    made = [a_dataset(id=ids.new(), name=name, folded=name.casefold(), **facts) for name in names]
    await house.store.datasets.add_all(made)
    return made


async def a_ready_dataset(house: House, actor: Actor, *, name: str = "zorp", pictures: int = 3) -> Dataset:
    """Bundle so many pictures under a trigger word of the dataset's name."""
    dataset = await house.services.datasets.create(actor, name=name, trigger=name)
    names = [f"{name} {number}.png" for number in range(pictures)]
    await taken_in(house, await uploaded(house, actor, dataset, *names))
    return (await house.services.datasets.view(actor, dataset.id)).dataset


async def a_quote_for(
    house: House, actor: Actor, dataset: Dataset, *, offering: str = "tiny", **overrides: str
) -> Quoted:
    """Ask for a price: 20 points for 200 steps unless something is overridden."""
    offered = house.services.trainings.offerings[offering]
    return await house.services.trainings.quote(actor, dataset, offered, preset="fast", overrides=overrides)


async def an_order(house: House, actor: Actor, dataset: Dataset, **overrides: str) -> Job:
    """Order a training of 20 points unless something is overridden."""
    quoted = await a_quote_for(house, actor, dataset, **overrides)
    return await house.services.trainings.order(actor, quoted.quote.id, place=HOME, attested=RIGHTS)


async def imagined(house: House, actor: Actor, text: str = "zorp", *, key: str | None = None, **wished: Any) -> Job:
    """Order pictures, at a place for everyone unless told where; a prompt that is unclear fails the test."""
    place = wished.pop("place", HOME)
    wish, wished_key = Wish(text=text, **wished), key or house.services.conversations.token()
    ordered = await house.services.generations.order(actor, wish, place=place, key=wished_key)
    assert isinstance(ordered, Ordered)
    return ordered.job


async def a_trained_model(house: House, actor: Actor, *, name: str = "zorp") -> Model:
    """Train a model whose trigger word is its name."""
    job = await an_order(house, actor, await a_ready_dataset(house, actor, name=name))
    await finished(house, job)
    return next(model for model in await house.store.models.owned(actor.account) if model.run == job.id)


async def everything_in(database: Database, *names: str) -> Mapping[str, list[Any]]:
    """Read the whole database, or these collections: in one question, as fifty take longer than a test."""
    rows: dict[str, list[Any]] = {name: [] for name in names or sorted(await database.list_collection_names())}
    parts = [
        {"$unionWith": {"coll": name, "pipeline": [{"$project": {"of": {"$literal": name}, "row": "$$ROOT"}}]}}
        for name in rows
    ]
    async for found in await database["nothing"].aggregate(parts, batchSize=10_000):
        rows[found["of"]].append(found["row"])
    return {name: sorted(some, key=lambda row: row["_id"]) for name, some in rows.items()}


async def prove_the_ledger(store: Store) -> None:
    """Assert what always holds: sums of zero, balances by replay, nobody below zero, aside only what waits."""
    book = [one async for one in store.ledger.everything()]
    assert not any(sums(entry for one in book for entry in one.entries).values())
    replayed = {name: row for name, row in balances(book).items() if not is_house(name)}
    rows = {row.id: row async for row in store.ledger.balances()}
    assert rows == replayed
    assert all(amount >= 0 for row in rows.values() for amount in row.lots.values())
    for job in {one.job for one in book if one.job}:
        assert min(captured(await store.ledger.about(job)).lots.values()) >= 0
    aside = {name: row.total for name, row in rows.items() if name.startswith(("hold:", "payout:")) and row.total}
    holds = {held(job.id): job.price for job in await store.jobs.queue(limit=0) if job.price}
    payouts = {set_aside(one.id): one.amount async for one in store.payouts.everything() if one.state.open}
    assert aside == holds | payouts
