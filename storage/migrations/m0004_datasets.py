"""Make the collections of characters, conversations, exports and reports; put captions into their sets."""

from storage.repositories.entities import Database

COLLECTIONS = ("characters", "connections", "exports", "parts", "reports", "scenes")
SET = "main"


async def up(database: Database) -> None:
    """Create what is missing, and change what is still in its old shape."""
    known = set(await database.list_collection_names())
    for name in COLLECTIONS:
        if name not in known:
            await database.create_collection(name)
    await database["captions"].update_many({"set": {"$exists": False}}, {"$set": {"set": SET}})
    async for item in database["items"].find({"captions": {"$exists": False}}):
        old = item.get("caption")
        captions = {SET: old | {"set": SET}} if old else {}
        change = {"$set": {"captions": captions}, "$unset": {"caption": ""}}
        await database["items"].update_one({"_id": item["_id"]}, change)
    mended = {"findings.fix": {"$exists": True}}
    await database["datasets"].update_many(mended, {"$unset": {"findings.$[].fix": ""}})
    filled = {"kind": {"$exists": False}, "count": {"$gt": 0}}
    await database["datasets"].update_many(filled, {"$set": {"kind": "images"}})
    described = {"kind": "captioning", "result.scenes": {"$exists": True}}
    await database["jobs"].update_many(described, {"$set": {"result": {"described": 0}}})
