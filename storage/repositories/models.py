"""Models: by owner, by trigger word and name, and those for everyone."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from core.domain.model import Model, Visibility
from core.domain.rating import Rating
from core.ports.store import PAGE
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session, pattern

LIVE = {"deleted_at": None}
PUBLIC = {"visibility": Visibility.PUBLIC}  # so is no deleted one
EARLIEST = (("family", 1), ("published_at", 1), ("_id", 1))


class Models(Entities[Model]):
    """Trained models; those that are deleted only by id."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Model, name="models")

    async def owned(self, owner: str, *, limit: int = PAGE) -> list[Model]:
        """The owner's models, newest first."""
        return await self._all({"owner": owner} | LIVE, sort=[("created_at", -1)], limit=limit)

    async def called(self, words: Collection[str], slugs: Collection[str], *, account: str) -> list[Model]:
        """Models with one of these trigger words, slugs (old ones too) or ids that the account may use.

        Of those that it may use only because they are for everyone, a trigger word brings the earliest of each base
        family: the others never mean anything in a prompt, and there may be thousands.
        """
        triggered, theirs = {"trigger": {"$in": list(words)}} | LIVE, [{"owner": account}, {"shared": account}]
        found = [await self._all(triggered | own) for own in theirs] + [await self._keepers(words)]
        if slugs:
            usable = {"$or": [*theirs, {"visibility": {"$ne": Visibility.PRIVATE}}]} | LIVE
            found += [await self._all({key: {"$in": list(slugs)}} | usable) for key in ("_id", "names")]
        every = {model.id: model for models in found for model in models}
        return [model for model in every.values() if model.usable_by(account)]

    async def named(self, owner: str, slug: str) -> Model | None:
        """The owner's model that has, or had, this slug; also a deleted one: its name stays taken."""
        return await self._one({"owner": owner, "names": slug})

    async def of_run(self, run: str) -> Model | None:
        """The model that a run has made."""
        return await self._one({"run": run})

    async def shared_with(self, account: str, *, limit: int = PAGE) -> list[Model]:
        """Other people's models that are shared with an account, newest first."""
        return await self._all({"shared": account} | LIVE, sort=[("created_at", -1)], limit=limit)

    async def public(
        self,
        *,
        text: str = "",
        base: str | None = None,
        tag: str | None = None,
        ratings: Collection[Rating] = tuple(Rating),
        after: datetime | None = None,
        limit: int = PAGE,
    ) -> list[Model]:
        """Models for everyone, the latest published first, from before a moment on."""
        query: dict[str, Any] = {"rating": {"$in": list(ratings)}} | PUBLIC | LIVE
        query |= {"base": base} if base else {}
        query |= {"tags": tag} if tag else {}
        query |= {"published_at": {"$lt": after}} if after else {}
        query |= {"$or": [{"slug": found}, {"trigger": found}]} if (found := _containing(text)) else {}
        return await self._all(query, sort=[("published_at", -1)], limit=limit)

    async def registered(self, trigger: str) -> Model | None:
        """The model for everyone that keeps a trigger word: the earliest published."""
        keepers = await self._keepers([trigger])
        return min(keepers, key=lambda one: one.registered, default=None)

    async def downloaded(self, model: str) -> None:
        """Count one more download."""
        with translated():
            await self._rows.update_one({"_id": model}, {"$inc": {"downloads": 1}}, session=self._session)

    async def _keepers(self, words: Collection[str]) -> list[Model]:
        """Of the models for everyone, the earliest published of each trigger word and base family.

        It skips from family to family, and reads one model of each, however many there are.
        """
        found = []
        with translated():
            known = await self._rows.distinct(
                "trigger", {"trigger": {"$in": list(words)}} | PUBLIC, session=self._session
            )
        for word in known:
            query, family = {"trigger": word} | PUBLIC, ""
            while first := await self._all(query | {"family": {"$gt": family}}, sort=EARLIEST, limit=1):
                found += first
                family = first[0].family
        return found


def _containing(text: str) -> dict[str, str] | None:
    return {"$regex": pattern(text)} if text else None
