"""Admin commands over a server or group: what may be done in it."""

from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, OneOf, Text
from bots.chat.reply import Reply, Table
from core.domain.account import Role
from core.domain.community import Setting, inside

MEANING = {
    Setting.CHANNELS: "where the bot answers: the ids of channels, or all",
    Setting.RATING: "what a new dataset is made for: sfw or nsfw",
    Setting.ORDERS: "the least role that may order here: viewer, user, moderator or admin",
    Setting.NSFW: "whether a Telegram group takes pictures for adults: yes or no (Discord marks its channels itself)",
}


@command("admin setting", role=Role.ADMIN)
async def setting(
    call: Call,
    name: Annotated[Setting | None, OneOf("Which setting", Setting)] = None,
    value: Annotated[str, Text("What it shall be", rest=True)] = "",
) -> Reply:
    """What may be done in this server or group: see it, or change it."""
    inside(call.place)
    if name and value:
        community = await call.services.communities.choose(call.actor, call.place, name, value)
        return Reply(title=f"{name} is {community.value(name)} now", lines=(f"It says {MEANING[name]}.",))
    community = await call.services.communities.of(call.place)
    rows = tuple((one.value, community.value(one), MEANING[one]) for one in Setting if name in {None, one})
    return Reply(
        title="Settings",
        lines=("Change one: `admin setting NAME VALUE`.",),
        table=Table(header=("setting", "now", "what it says"), rows=rows),
    )
