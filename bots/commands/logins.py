"""Signing in to the pages."""

from bots.chat.definition import command
from bots.chat.parameter import Call
from bots.chat.reply import Reply
from core.domain.account import Role


@command("login", role=Role.VIEWER)
async def login(call: Call) -> Reply:
    """Sign in to the pages: a link and a code, for you alone.

    Both work once, for 10 minutes; whoever has one of them is you there.
    """
    invitation = await call.services.sessions.invite(call.actor)
    return Reply(
        title="Sign in to the pages",
        lines=(
            f"Open the link, or type {invitation.code} at {call.services.sessions.address}/login.",
            f"Each works once, for {invitation.minutes} minutes. Give them to nobody: whoever has one is you there.",
        ),
        link=invitation.link,
    )
