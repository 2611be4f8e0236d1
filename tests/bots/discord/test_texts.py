"""Whatever people write in any parameter of any command: the answer is in words, and fits into a message."""

import pytest

from bots.chat.dispatcher import Dispatcher
from bots.chat.parameter import Call, Files
from bots.commands import discovered
from bots.discord.rendering import buttons, embedded
from core.domain.account import Place, Platform, Role
from loraguild.composition import House
from tests.bots.discord.scene import a_dataset, actor_of
from tests.emulators.discord import GUILD, Discord
from tests.emulators.discord.checks import check_message

COMMANDS = discovered()
LONG = "@everyone <@8> **b** ||s|| [l](http://x.y) # h\n- x\n" + "\U0001f600" * 4900
TEXTS = {"long": LONG, "blank": " ", "null": "\0", "digits": "9" * 5000}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_every_command_takes_any_text(house: House, discord: Discord, text: str) -> None:
    ann, dispatcher = discord.person(7, "ann"), Dispatcher(commands=COMMANDS)
    dataset = await a_dataset(house, ann)
    actor = (await actor_of(house, ann)).but(role=Role.ADMIN)
    place = Place(platform=Platform.DISCORD, chat=discord.general.id, private=False, community=GUILD)
    good = {"dataset": dataset.id, "user": actor.account, "amount": "1", "name": "channels"}
    for path, definition in COMMANDS.items():
        call = Call(actor=actor, place=place, services=house.services, key=path)
        names = [name for name, kind in definition.parameters.items() if not isinstance(kind, Files)]
        for name in names:
            given = {other: good[other] for other in names if other in good} | {name: text}
            await dispatcher.choices(definition, name, call, text, given)
            reply = await dispatcher.run(definition, call, given)
            embed, view = embedded(reply, COMMANDS), buttons(reply, COMMANDS)
            assert embed.title
            check_message({"embeds": [embed.to_dict()], "components": view.to_components() if view else []}, names=())
