"""Communities: what admins chose for the servers and groups that the bot was invited to."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from core.domain.account import Role
from core.domain.community import Community, Setting
from core.domain.errors import BadValue, NotAsSeen
from core.domain.rating import Rating
from core.domain.token import Scope
from web.api.route import Body, Listed, Out, require_match, route
from web.visiting import Asked


class CommunityOut(Out):
    """The settings of a server or group, and by trigger word the models that moderators have pinned to it."""

    id: str
    channels: Annotated[tuple[str, ...], Field(description="Where the bot answers; none: everywhere")]
    rating: Annotated[Rating, Field(description="What a new dataset is made for")]
    orders: Annotated[Role, Field(description="The least role that may order")]
    nsfw: Annotated[bool, Field(description="Whether a Telegram group takes pictures for adults")]
    pins: Mapping[str, str]


class CommunityIn(Body):
    """What shall be otherwise."""

    channels: tuple[str, ...] | None = None
    rating: Rating | None = None
    orders: Role | None = None
    nsfw: bool | None = None


@route("GET", "/admin/communities", role=Role.ADMIN, scope=Scope.ADMIN)
async def list_(asked: Asked) -> Listed[CommunityOut]:
    """List the servers and groups in which somebody has chosen anything."""
    found = await asked.services.communities.list(asked.actor)
    return Listed[CommunityOut](items=tuple(map(community_out, found)))


@route("GET", "/admin/communities/{community}", role=Role.ADMIN, scope=Scope.ADMIN)
async def view(asked: Asked, community: str) -> CommunityOut:
    """Show the settings of a server or group, such as `discord:1234`."""
    return community_out(await asked.services.communities.view(asked.actor, community))


@route("PATCH", "/admin/communities/{community}", role=Role.ADMIN, scope=Scope.ADMIN, errors=(BadValue, NotAsSeen))
async def edit(asked: Asked, community: str, body: CommunityIn) -> CommunityOut:
    """Change settings of a server or group, all at once; with `If-Match`, only as they were when you fetched them."""
    given = {name: value for name, value in dict(body).items() if value is not None}
    wished = Community(id=community, **given)
    changed = asked.services.communities.edit(
        asked.actor,
        community,
        {setting: wished.value(setting) for setting in Setting if setting in given},
        expecting=lambda found: require_match(asked, community_out(found)),
    )
    return community_out(await changed)


def community_out(community: Community) -> CommunityOut:
    """A community as admins are shown it."""
    return CommunityOut(**{name: getattr(community, name) for name in CommunityOut.model_fields})
