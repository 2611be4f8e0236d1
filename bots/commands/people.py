"""Admin commands over people: bans and roles."""

from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, OneOf, Text
from bots.chat.references import UserRef
from bots.chat.reply import Reply
from core.domain.account import Account, Role

User = Annotated[Account, UserRef("Who: a name, a login such as discord:1234, or an id")]


@command("admin ban", role=Role.ADMIN)
async def ban(call: Call, user: User, why: Annotated[str, Text("What they are told", rest=True)]) -> Reply:
    """Let somebody do nothing here any more."""
    banned = await call.services.accounts.ban(call.actor, user, why=why)
    return Reply(title=f"{banned.name} is banned", lines=(why,), fields=(("account", banned.id),))


@command("admin unban", role=Role.ADMIN)
async def unban(call: Call, user: User) -> Reply:
    """Let somebody in again."""
    welcome = await call.services.accounts.unban(call.actor, user)
    return Reply(title=f"{welcome.name} is welcome again", fields=(("account", welcome.id),))


@command("admin role", role=Role.ADMIN)
async def role(call: Call, user: User, role: Annotated[Role, OneOf("What they may do", Role)]) -> Reply:
    """Give somebody a role."""
    changed = await call.services.accounts.role(call.actor, user, role)
    return Reply(title=f"{changed.name} is {changed.role} now", fields=(("account", changed.id),))
