"""Communities: what admins of a Discord server or Telegram group chose, and what may be done in a place."""

from dataclasses import dataclass

from core.domain.account import Actor, Place, Platform, Role
from core.domain.audit import Audit
from core.domain.community import Community, Setting, community_id, inside, of_place
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


@dataclass(frozen=True, kw_only=True)
class Communities:
    """The settings of servers and groups."""

    store: Store
    clock: Clock
    ids: Ids

    async def of(self, place: Place) -> Community:
        """The community that a place lies in, as its admins set it; a private place is one of its own, by default."""
        name = of_place(place)
        found = await self.store.communities.find(name) if name else None
        return found or Community(id=name or community_id(place.platform, place.chat))

    async def rated(self, place: Place) -> Place:
        """The place with what the admins of a Telegram group say by now of pictures for adults.

        Discord marks its channels itself, and nobody but their owner reads a private chat.
        """
        if place.platform is not Platform.TELEGRAM or place.community is None:
            return place
        return place.but(adult=(await self.of(place)).nsfw)

    async def choose(self, actor: Actor, place: Place, setting: Setting, text: str) -> Community:
        """Change one setting of the community that a place lies in; it is audited.

        Raises:
            NotAllowed: The actor is no admin.
            NotHere: The place is private.
            BadValue: The text is no value of this setting.
        """
        actor.require(Role.ADMIN)
        name = inside(place)
        Community(id=name).chosen(setting, text)
        audit_id, now = self.ids.new(), self.clock.now()

        async def work(tx: Repositories) -> Community:
            chosen = (await tx.communities.find(name) or Community(id=name)).chosen(setting, text)
            audit = Audit(
                id=audit_id,
                actor=actor.account,
                act="admin.setting",
                subject=name,
                details={setting.value: chosen.value(setting)},
                at=now,
            )
            await tx.communities.save(chosen)
            await tx.audits.add(audit)
            return chosen

        return await self.store.transact(work)

    async def require(self, actor: Actor, place: Place, *, orders: bool) -> None:
        """Let pass what may be said in a place.

        Raises:
            NotHere: The bot does not answer in this channel, or the actor may not order here.
        """
        if place.community:
            (await self.of(place)).require(actor, place, orders=orders)
