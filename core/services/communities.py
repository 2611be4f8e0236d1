"""Communities: what admins of a Discord server or Telegram group chose, and what may be done in a place."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from core.domain.account import Actor, Place, Platform, Role
from core.domain.audit import Audit
from core.domain.community import Community, Setting, community_id, community_named, inside, of_place
from core.domain.errors import BadValue
from core.domain.model import seen
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store

# What somebody decided about a community, with what is audited of it.
Decided = Callable[[Repositories, Community], Awaitable[tuple[Community, Mapping[str, str]]]]


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

    async def list(self, actor: Actor) -> Sequence[Community]:
        """Those in which somebody has chosen anything yet, by name.

        Raises:
            NotAllowed: The actor is no admin.
        """
        actor.require(Role.ADMIN)
        return sorted([one async for one in self.store.communities.everything()], key=lambda one: one.id)

    async def view(self, actor: Actor, community: str) -> Community:
        """One of them by its id, such as discord:1234; by default where nobody has chosen anything.

        Raises:
            NotAllowed: The actor is no admin.
            NotFound: This is no id of a server or group.
        """
        actor.require(Role.ADMIN)
        name = community_named(community)
        return await self.store.communities.find(name) or Community(id=name)

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
        return await self.edit(actor, inside(place), {setting: text})

    async def edit(
        self,
        actor: Actor,
        community: str,
        wished: Mapping[Setting, str],
        *,
        expecting: Callable[[Community], None] | None = None,
    ) -> Community:
        """Change settings of a community at once, or none of them; what became otherwise is audited.

        `expecting` looks at it as it is before the change, and raises where that is not what the change was made of.

        Raises:
            NotAllowed: The actor is no admin.
            NotFound: This is no id of a server or group.
            BadValue: A text is no value of its setting.
        """
        actor.require(Role.ADMIN)

        async def decided(_: Repositories, found: Community) -> tuple[Community, Mapping[str, str]]:
            if expecting:
                expecting(found)
            chosen = reduce(lambda one, setting: one.chosen(setting, wished[setting]), wished, found)
            told = {one.value: chosen.value(one) for one in wished if chosen.value(one) != found.value(one)}
            return chosen, told

        return await self._change(actor, community_named(community), "admin.setting", decided)

    async def pin(self, actor: Actor, place: Place, model: str, *, on: bool = True) -> Community:
        """Let a public model's trigger word call it in the community that a place lies in, or no longer; audited.

        Raises:
            NotAllowed: The actor is no moderator.
            NotHere: The place is private, or the model is for adults and the place is not.
            NotFound: There is no such model for this actor.
            BadValue: The model is not public.
        """
        actor.require(Role.MODERATOR)
        name = inside(place)

        async def decided(tx: Repositories, community: Community) -> tuple[Community, Mapping[str, str]]:
            found = seen(await tx.models.find(model), actor, name=model)
            details = {found.trigger: found.name}
            if not on:
                return community.unpinned(found.trigger, found.id), details
            if not found.listed:
                raise BadValue(what="pin", value=found.name, why="only a public model can be pinned")
            place.require(found.rating)
            return community.pinned(found.trigger, found.id), details

        return await self._change(actor, name, "admin.pin" if on else "admin.unpin", decided)

    async def require(self, actor: Actor, place: Place, *, orders: bool) -> None:
        """Let pass what may be said in a place.

        Raises:
            NotHere: The bot does not answer in this channel, or the actor may not order here.
        """
        if place.community:
            (await self.of(place)).require(actor, place, orders=orders)

    async def _change(self, actor: Actor, name: str, act: str, decided: Decided) -> Community:
        audit = Audit(id=self.ids.new(), actor=actor.account, act=act, subject=name, details={}, at=self.clock.now())

        async def work(tx: Repositories) -> Community:
            community, details = await decided(tx, await tx.communities.find(name) or Community(id=name))
            if details:
                await tx.communities.save(community)
                await tx.audits.add(audit.but(details=details))
            return community

        return await self.store.transact(work)
