"""Publications as jobs: what the published file, its card and its thumbnail say, and that nothing else has changed."""

import base64
import hashlib
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest_asyncio
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load, save

from core.domain.artifact import Artifact
from core.domain.job import LEASE, Job, JobState
from core.domain.model import Licence, Model
from core.domain.run import Epoch
from core.kinds.publication import KIND, Result
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.attempts import a_task, attempted
from tests.builders.scenes import a_trained_model, claimed, somebody, stored
from tests.worker.pictures import a_picture, encoded
from worker.child import Child
from worker.kinds import publication

UNUSED = "tests.worker.studios:Quick"
TENSORS: dict[str, NDArray[Any]] = {
    "a.lora_up.weight": np.arange(1000).astype(np.float32),
    "a.alpha": np.full((), 8.0).astype(np.float16),
}
TRAINED = {"ss_seed": "7", "ss_network_dim": "4", "ss_output_name": "zorp", "ss_tag_frequency": '{"secret": 1}'}


@pytest_asyncio.fixture
async def studio() -> AsyncIterator[Child]:
    async with Child(UNUSED) as child:
        yield child


def an_adapter() -> bytes:
    """Make a file as a training leaves it."""
    return save(TENSORS, TRAINED)


async def content(house: House, artifact: Artifact | None) -> bytes:
    assert artifact
    return b"".join([chunk async for chunk in house.blobs.open(artifact.sha256)])


async def a_model(house: House, *, name: str = "zorp.safetensors", file: bytes) -> Model:
    """Train a model whose file is this."""
    model = await a_trained_model(house, await somebody(house))
    artifact = await stored(house, name, file)
    sample = await stored(house, "sample.png", encoded(a_picture(seed=1)))
    epoch = Epoch(number=1, step=200, loss=0.25, artifact=artifact, samples=(sample,))
    await house.store.runs.save((await house.store.runs.get(model.run)).with_epoch(epoch))
    await house.store.models.save(model.but(artifact=artifact))
    return await house.store.models.get(model.id)


async def waiting(house: House, model: Model) -> Job:
    (job,) = [job for job in await house.store.jobs.about(model.id) if job.kind == KIND]
    return job


async def published(house: House, model: Model, studio: Child, folder: Path) -> Model:
    done = await attempted(house, await waiting(house, model), studio=studio, folder=folder)
    assert done.state is JobState.SUCCEEDED, done.failure
    return await house.store.models.get(model.id)


async def test_a_published_file_says_what_it_is_and_has_the_same_tensors(
    house: House, studio: Child, tmp_path: Path
) -> None:
    model = await a_model(house, file=an_adapter())
    ann = await somebody(house)
    models = house.services.models
    await models.edit(ann, model.id, description="A tin robot.", licence=Licence.CC0, tags=["tin"])
    fresh = await published(house, await models.rename(ann, model.id, "Tin Hero"), studio, tmp_path)
    file = await content(house, fresh.artifact)
    length = int.from_bytes(file[:8], "little")
    said = json.loads(file[8 : 8 + length])["__metadata__"]
    whole = hashlib.sha256(file[8 + length :]).hexdigest()
    bare = save(load(file), {name: text for name, text in said.items() if name.startswith("ss_")})

    assert (fresh.artifact.name, fresh.artifact.size, fresh.weights) == ("tin-hero.safetensors", len(file), whole)
    assert hashlib.sha256(file).hexdigest() == fresh.artifact.sha256
    assert {name: (one.dtype, one.tobytes()) for name, one in load(file).items()} == {
        name: (one.dtype, one.tobytes()) for name, one in TENSORS.items()
    }
    assert said == {
        "ss_seed": "7",
        "ss_network_dim": "4",
        "ss_output_name": "tin-hero",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.title": "tin-hero",
        "modelspec.author": "ann",
        "modelspec.description": "A tin robot.",
        "modelspec.date": fresh.created_at.isoformat(timespec="seconds"),
        "modelspec.license": "cc0-1.0",
        "modelspec.tags": "tin",
        "modelspec.usage_hint": "Use zorp in the prompt.",
        "modelspec.trigger_phrase": "zorp",
        "modelspec.thumbnail": said["modelspec.thumbnail"],
        "modelspec.hash_sha256": f"0x{whole}",
        "sshs_model_hash": whole,
        "sshs_legacy_hash": hashlib.sha256(bare[0x100000:0x110000]).hexdigest()[:8],
    }
    assert base64.b64decode(said["modelspec.thumbnail"].partition(",")[2]) == await content(house, fresh.thumbnail)


async def test_a_card_and_a_thumbnail_go_with_the_file(house: House, studio: Child, tmp_path: Path) -> None:
    fresh = await published(house, await a_model(house, file=an_adapter()), studio, tmp_path)
    file, card, thumbnail = await house.services.publications.download(await somebody(house), fresh.id)
    text = (await content(house, card)).decode()
    with Image.open(BytesIO(await content(house, thumbnail))) as picture:
        assert (picture.format, max(picture.size) <= 256) == ("JPEG", True)

    assert (file.name, card.name, thumbnail.name) == ("zorp.safetensors", "README.md", "thumbnail.jpg")
    assert f"- sha256: `{file.sha256}`\n- sha256 of the weights alone: `{fresh.weights}`\n" in text
    assert "![a sample](thumbnail.jpg)" in text
    assert "| pictures | 3 |" in text
    assert "secret" not in text


async def test_publishing_again_gives_the_same_bytes(house: House, studio: Child, tmp_path: Path) -> None:
    first = await published(house, await a_model(house, file=an_adapter()), studio, tmp_path)
    ann = await somebody(house)
    await house.services.models.edit(ann, first.id, tags=["tin"])
    other = await published(house, first, studio, tmp_path)
    await house.services.models.edit(ann, first.id, tags=[])
    again = await published(house, first, studio, tmp_path)
    await house.services.publications.choose(ann, first.id, 200)
    chosen = await published(house, first, studio, tmp_path)

    assert other.artifact != first.artifact
    assert (again, chosen) == (first, first.but(step=200))


async def test_a_worker_that_dies_at_the_end_leaves_the_model_as_it_was(
    house: House, studio: Child, tmp_path: Path, clock: HandClock
) -> None:
    model = await a_model(house, file=an_adapter())
    found, _ = await claimed(house, await waiting(house, model))
    lost = await publication.work(a_task(house, found, studio=studio, folder=tmp_path))
    unchanged = await house.store.models.get(model.id)
    clock.advance(LEASE + timedelta(seconds=1))
    await house.services.jobs.expire()
    done = await attempted(house, await waiting(house, model), studio=studio, folder=tmp_path)

    assert unchanged == model
    assert Result.model_validate(done.result) == lost
    assert (await house.store.models.get(model.id)).artifact == lost.artifact


async def test_a_folder_of_peft_stays_as_it_is_and_gets_a_card(house: House, studio: Child, tmp_path: Path) -> None:
    folder = BytesIO()
    with zipfile.ZipFile(folder, "w") as archive:
        archive.writestr("adapter_config.json", "{}")
    model = await a_model(house, name="zorp.zip", file=folder.getvalue())
    fresh = await published(house, model, studio, tmp_path)

    assert (fresh.artifact, fresh.file.name, fresh.weights) == (model.artifact, "zorp.zip", None)
    assert "- file: `zorp.zip`, " in (await content(house, fresh.card)).decode()


async def test_a_file_that_is_none_fails_in_words_and_is_tried_again(
    house: House, studio: Child, tmp_path: Path
) -> None:
    model = await a_model(house, file=b"no safetensors file")
    job = await waiting(house, model)
    done = await attempted(house, job, studio=studio, folder=tmp_path)

    assert (done.state, done.failure and done.failure.code) == (JobState.FAILED, "bad_adapter")
    assert (await waiting(house, model)).id != job.id
    assert await house.store.models.get(model.id) == model
