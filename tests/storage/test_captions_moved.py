"""Items and captions as they were before there were caption sets: read all the same after the migration."""

from typing import Any

from core.domain.dataset import Kind
from core.domain.job import JobState
from core.kinds import captioning
from core.ports.store import Store
from storage.documents import document
from storage.migrations import m0004_datasets
from storage.repositories.entities import Database
from tests.builders.entities import a_caption, a_dataset, a_job, an_item

NEW_IN_CAPTIONS = {"set", "job", "restored", "tokens", "review", "note", "reviewer"}
NEW_IN_ITEMS = {"captions", "metadata", "withdrawn_at"}


def without(names: set[str], row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


async def test_every_caption_comes_into_the_set_that_every_dataset_has(database: Database, store: Store) -> None:
    caption = a_caption("zorp, red")
    captioned, bare = an_item(0).captioned(caption), an_item(1)
    old_caption = without(NEW_IN_CAPTIONS, caption.model_dump())
    await database["captions"].insert_one(without(NEW_IN_CAPTIONS, document(caption)))
    for item, old in ((captioned, old_caption), (bare, None)):
        await database["items"].insert_one(without(NEW_IN_ITEMS, document(item)) | {"caption": old})
    dataset, empty = a_dataset(count=2), a_dataset(id="d2", folded="empty")
    for one in (dataset, empty):
        await database["datasets"].insert_one(without({"kind"}, document(one)))

    await m0004_datasets.up(database)
    await m0004_datasets.up(database)

    assert await store.items.of("d1") == [captioned, bare]
    assert await store.captions.of(caption.item) == [caption]
    assert [(await store.datasets.get(one)).kind for one in ("d1", "d2")] == [Kind.IMAGES, None]


async def test_what_captionings_had_said_is_no_longer_kept(database: Database, store: Store) -> None:
    job = a_job(kind="captioning", state=JobState.SUCCEEDED, result={"scenes": {"i1": "red"}, "shared": []})
    await database["jobs"].insert_one(document(job))

    await m0004_datasets.up(database)

    assert captioning.Result.model_validate((await store.jobs.get(job.id)).result).described == 0
