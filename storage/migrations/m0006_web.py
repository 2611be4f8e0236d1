"""Make the collections of the web: sign-ins, sessions, tokens, answers to replay, webhooks and what they are sent."""

from storage.repositories.entities import Database

COLLECTIONS = ("posts", "replays", "sessions", "signins", "tokens", "webhooks")


async def up(database: Database) -> None:
    """Create what is missing."""
    known = set(await database.list_collection_names())
    for name in COLLECTIONS:
        if name not in known:
            await database.create_collection(name)
