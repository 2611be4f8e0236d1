"""Make the collections of royalties and payouts; give models their names, and generations their models.

That an owner has a slug once is now a matter of all the names of a model: the index of the present one goes.
"""

from storage.repositories.entities import Database

COLLECTIONS = ("disputes", "payouts", "remainders", "usages", "vouchers")
EARLIER = {"percent": 0, "cap": 0, "holding_days": 0}  # terms under which nobody earned anything


async def up(database: Database) -> None:
    """Create what is missing, and change what is still in its old shape."""
    known = set(await database.list_collection_names())
    for name in COLLECTIONS:
        if name not in known:
            await database.create_collection(name)
    async for model in database["models"].find({"names": {"$exists": False}}):
        family = "tiny-shapes" if model["base"] == "tiny-sd" else model["family"]
        facts = {"names": [model["slug"]], "family": family}
        await database["models"].update_one({"_id": model["_id"]}, {"$set": facts})
    await database["models"].update_many({"rating": {"$exists": False}}, {"$set": {"rating": "sfw"}})
    for name, index in (await database["models"].index_information()).items():
        if index["key"] == [("owner", 1), ("slug", 1)]:
            await database["models"].drop_index(name)
    async for made in database["generations"].find({"size": {"$exists": True}}):
        await _called(database, made)


async def _called(database: Database, made: dict[str, object]) -> None:
    model = await database["models"].find_one({"_id": made["model"]}) or {}
    adapter = {
        "model": made["model"],
        "owner": made["model_owner"],
        "name": f"{model.get('owner_name')}/{model.get('slug')}",
        "percent": 100,
    }
    facts = {
        "text": made["prompt"],
        "offering": model.get("offering", ""),
        "adapters": [adapter],
        "width": made["size"],
        "height": made["size"],
        "terms": EARLIER,
    }
    gone = {"model": "", "model_owner": "", "size": ""}
    await database["generations"].update_one({"_id": made["_id"]}, {"$set": facts, "$unset": gone})
