"""Make the collections of the queue's fairness and of what jobs have cost."""

from storage.documents import Document
from storage.repositories.entities import Database

COLLECTIONS = ("costs", "flows", "pools")
OPEN = {"state": {"$in": ["queued", "running"]}, "pool": {"$exists": False}}
AGEING = 0.01  # virtual seconds in a second: what virtual time was before anybody claimed anything in it
LAST = ["state", "eligible", "kind", "rank"]  # the index that claims were made from


async def up(database: Database) -> None:
    """Create what is missing."""
    known = set(await database.list_collection_names())
    for name in COLLECTIONS:
        if name not in known:
            await database.create_collection(name)
    async for job in database["jobs"].find(OPEN):
        await _pooled(database, job)
    for name, index in (await database["jobs"].index_information()).items():
        if [key for key, _ in index["key"]] == LAST:
            await database["jobs"].drop_index(name)
    async for run in database["runs"].find({"ended_at": {"$exists": False}}, {"created_at": 1}):
        facts = {"ended_at": run["created_at"], "chosen_at": None, "swept_at": None}
        await database["runs"].update_one({"_id": run["_id"]}, {"$set": facts})


async def _pooled(database: Database, job: Document) -> None:
    """Give a job that waits or runs its pool, and a place by the moment it was asked for."""
    labels, start = sorted(job["labels"]), AGEING * job["created_at"].timestamp()
    pool = "|".join((job["kind"], "", ",".join(labels), "0"))
    facts = {"kind": job["kind"], "offering": None, "labels": labels, "memory": 0, "clock": 0.0, "reached": start}
    await database["pools"].update_one({"_id": pool}, {"$setOnInsert": facts}, upsert=True)
    place = {"pool": pool, "asleep": job["not_before"] > job["created_at"], "start": start, "rank": start}
    await database["jobs"].update_one({"_id": job["_id"]}, {"$set": place})
