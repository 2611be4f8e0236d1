"""Announcing: an answer about a job that goes on is brief, since the job's card follows."""

from bots.chat.definition import Definition
from bots.chat.parameter import Call
from bots.chat.placing import told
from bots.chat.reply import Reply


async def announced(definition: Definition, call: Call, reply: Reply) -> Reply:
    """What a chat answers at once: the reply, or only its words where a card that is kept up to date follows them.

    The card is opened where this command tells what it orders, unless the command has opened it already.
    """
    if reply.job is None or reply.code:
        return reply
    place = told(definition, call.actor, call)
    if not await call.services.deliveries.mirror(call.actor, reply.job, place):
        return reply
    where = "here" if place == call.place else "in our private chat"
    return Reply(title=reply.title, lines=(*reply.lines, f"Its card follows {where}."), job=reply.job)
