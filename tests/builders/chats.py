"""A chat without a platform: what somebody says goes straight to the dispatcher."""

from collections.abc import Sequence

from bots.chat.definition import Definition
from bots.chat.dispatcher import Dispatcher
from bots.chat.parameter import Call, Raw
from bots.chat.reply import Button, Reply
from bots.commands import discovered
from core.domain.account import Actor
from core.domain.action import Then
from loraguild.composition import House
from tests.builders.entities import HOME


def a_dispatcher(*definitions: Definition) -> Dispatcher:
    """Make a dispatcher of these commands, or of all that ship."""
    return Dispatcher(commands={one.path: one for one in definitions} or discovered())


def a_call(house: House, actor: Actor, *, key: str | None = None) -> Call:
    services = house.services
    return Call(actor=actor, place=HOME, services=services, key=key or services.conversations.token())


async def say(house: House, actor: Actor, path: str, **raw: Raw) -> Reply:
    """Run one command with parameters as they are typed."""
    dispatcher = a_dispatcher()
    return await dispatcher.run(dispatcher.definition(path), a_call(house, actor), raw)


async def press(house: House, actor: Actor, reply: Reply, label: str) -> tuple[Reply, Then]:
    """Press a button of a reply, in a front end that was started anew."""
    return await a_dispatcher().press(button(reply, label).token, a_call(house, actor))


def button(reply: Reply, label: str) -> Button:
    return next(one for one in reply.buttons if one.label == label)


def labels(reply: Reply) -> Sequence[str]:
    return [one.label for one in reply.buttons]
