from core.domain.dataset import Kind
from core.domain.finding import Finding, Severity
from core.ports.store import Store
from storage.migrations import m0004_datasets
from storage.repositories.entities import Database
from tests.builders.entities import a_dataset


async def test_findings_of_an_earlier_release_lose_the_commands_that_would_have_mended_them(
    store: Store, database: Database
) -> None:
    findings = tuple(Finding(code=code, severity=Severity.WARNING, words="…") for code in ("small", "uncaptioned"))
    dataset = a_dataset(kind=Kind.IMAGES, count=1, findings=findings)
    await store.datasets.add(dataset)
    await database["datasets"].update_one({"_id": dataset.id}, {"$set": {"findings.1.fix": "caption auto d1"}})

    await m0004_datasets.up(database)

    assert await store.datasets.get(dataset.id) == dataset
