"""Connections: one's own cloud folder, for exports."""

from bots.chat.definition import command
from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply
from core.domain.account import Role

WHERE = "Exports go into a folder of their own there; nothing else in it can be seen. Nobody asks for your password."


@command("connect dropbox")
async def dropbox(call: Call) -> Reply:
    """Let exports go into your own Dropbox: a private link to where you allow it."""
    link = await call.services.connections.begin(call.actor)
    return Reply(
        title="Connect your Dropbox",
        lines=(WHERE, "The link is yours alone, and good for 10 minutes. Then: `dataset export NAME to=dropbox`."),
        link=link,
    )


@command("connect forget", role=Role.VIEWER)
async def forget(call: Call) -> Reply:
    """Disconnect your Dropbox; what lies there stays."""
    told = await call.services.connections.forget(call.actor)
    untold = () if told else ("Dropbox could not be told: remove the app at dropbox.com/account too.",)
    return Reply(
        title="Your Dropbox is not connected any more",
        lines=("No key to it is kept here. What was exported stays there.", *untold),
        buttons=(Button(label="Connect", command="connect dropbox"),),
    )
