"""Where the cards of a command go: a pure decision."""

from bots.chat.definition import Definition, Visibility
from bots.chat.parameter import Call
from core.domain.account import Actor, Place, Where


def told(definition: Definition, actor: Actor, call: Call) -> Place:
    """Here, unless the command is private and was said among others: then in private, or as an orderer wishes."""
    if call.private is None or call.place.private or definition.visibility is Visibility.PUBLIC:
        return call.place
    if definition.orders and actor.notify.where is Where.CHANNEL:
        return call.place
    return call.private
