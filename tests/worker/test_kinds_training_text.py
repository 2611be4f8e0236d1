"""Training a language model as a job with the real studio: from conversations that are stored to a model that is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bots.cards.training import WRITES
from config.settings import Settings
from core.domain.account import Actor
from core.domain.conversation import Part
from core.domain.dataset import Dataset, Kind
from core.domain.errors import DatasetUnfit, OfferingClosed
from core.domain.job import JobState
from core.kinds.training import Result
from loraguild.composition import House, opened
from tests.builders.attempts import attempted
from tests.builders.chats import labels, press, say
from tests.builders.llamas import a_text_base, some_conversations
from tests.builders.scenes import a_quote_for, imagined, prove_the_ledger, somebody, stored
from worker.child import Child

pytestmark = pytest.mark.asyncio(loop_scope="module")

OFFERING = """
title = "Tiny talk"
description = "A few steps of a random model."
recipe = "llm_lora"
takes = "conversations"
least_items = 10
samples = ["What is {trigger}?"]
seconds_per_step = 0.05
seconds_around = 1.0
[base]
id = "tiny-talk"
title = "Tiny talk"
family = "tiny-talk"
architecture = "causal_lm"
location = "nowhere"
[presets.fast]
steps = 200
passes = 2
epochs = 2
batch = 2
length = 32
lr = 0.01
answer = 5
[bounds]
steps = [10, 2000]
[price]
base = 10
per_thousand_steps = 50
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("talk")
    (folder / "offerings").mkdir()
    (folder / "offerings" / "talk.toml").write_text(OFFERING)
    bases = {"tiny-talk": str(a_text_base(folder / "base"))}
    settings = Settings(data_folder=folder / "data", offerings_folder=folder / "offerings", base_models=bases)
    async with opened(settings) as house:
        yield house


async def a_dataset(house: House, actor: Actor, *, name: str = "hues", count: int = 12) -> Dataset:
    """Bundle so many conversations in two parts, ready to be trained on."""
    dataset = await house.services.datasets.create(actor, name=name, trigger=name)
    said = some_conversations(count)
    for position, some in enumerate((said[:5], said[5:])):
        content = "".join(one.model_dump_json() + "\n" for one in some).encode()
        artifact = await stored(house, f"hues-{position}.jsonl", content)
        part = Part(
            id=f"{dataset.id}-{position}", dataset=dataset.id, position=position, artifact=artifact, count=len(some)
        )
        await house.store.parts.add(part)
    now = dataset.created_at
    ready = (
        dataset.received(Kind.CONVERSATIONS, count=count, bytes=3, now=now)
        .validating(now=now)
        .checked((), dataset.statistics, now=now)
    )
    await house.store.datasets.save(ready)
    return ready


async def test_conversations_become_a_model_that_writes(house: House, tmp_path: Path) -> None:
    ann = await somebody(house, "ann")
    await a_dataset(house, ann)
    before = (await house.services.wallets.view(ann)).total
    quoted = await say(house, ann, "train order", dataset="hues", offering="talk")
    assert quoted.title == "20 points: Tiny talk, fast"
    card, _ = await press(house, ann, quoted, "Confirm")
    assert card.job
    job = await house.store.jobs.get(card.job)

    async with Child("worker.pipelines.studio:Studio") as studio:
        done = await attempted(house, job, studio=studio, folder=tmp_path)

    assert done.state is JobState.SUCCEEDED, done.failure
    result, run = Result.model_validate(done.result), await house.store.runs.get(job.id)
    model = await house.store.models.of_run(job.id)
    assert model is not None
    assert model.talks
    assert result.evaluation_after < result.evaluation_before
    assert (result.artifact.name, result.artifact.media_type) == ("hues.zip", "application/zip")
    assert [sample.media_type for epoch in run.epochs for sample in epoch.samples] == ["text/markdown"] * 2
    assert [epoch.artifact.name for epoch in run.epochs] == ["hues-01.zip", "hues-02.zip"]
    sheet = b"".join([chunk async for chunk in house.blobs.open(result.grid.sha256)]).decode()
    assert sheet.startswith("> What is hues?\n\n**before**\n\n")
    assert result.step is not None
    assert result.step < 200  # everything was seen twice
    assert (await house.services.wallets.view(ann)).total == before - 10 - 1  # the steps that were done, rounded up
    await prove_the_ledger(house.store)

    shown = await say(house, ann, "train view", job=job.id)
    assert WRITES in shown.lines
    assert result.notes[0] in shown.lines
    assert shown.pictures == ()
    assert [file.name for file in shown.files] == ["hues.zip", "hues-before-after.md"]
    assert "Try it" not in labels(shown)
    with pytest.raises(OfferingClosed, match="its models make no pictures"):
        await imagined(house, ann, "hues on a table")


async def test_pictures_are_no_conversations_and_a_few_are_not_enough(house: House) -> None:
    bob = await somebody(house, "bob")
    with pytest.raises(DatasetUnfit, match="10 to 1000 conversations"):
        await a_quote_for(house, bob, await a_dataset(house, bob, name="hues-few", count=9), offering="talk")
    with pytest.raises(DatasetUnfit, match="pictures"):
        await a_quote_for(house, bob, await a_dataset(house, bob), offering="demo-tiny")


async def test_the_offering_that_ships_can_be_quoted(house: House) -> None:
    cyd = await somebody(house, "cyd")
    quoted = await a_quote_for(house, cyd, await a_dataset(house, cyd), offering="llm")
    assert (quoted.quote.hyperparameters["passes"], quoted.quote.price) == (1, sum(quoted.quote.parts.values()))
