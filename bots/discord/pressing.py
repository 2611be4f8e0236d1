"""What people do under a message and in a form: buttons, selects, and forms that come back.

Each kind of button is known by its id, which says all that there is to know, so that it outlives a restart.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

import discord

from bots.chat.asking import Asking, Step
from bots.chat.definition import Definition
from bots.chat.parameter import Call
from bots.chat.reply import Reply
from bots.discord.answering import Interaction, acknowledged, alone, answered, called, deferred, fill, follow, hidden
from bots.discord.collecting import collected, gone_on, ran
from bots.discord.host import Answer, keyed
from bots.discord.questions import CANCEL, DONE, FEWER, MORE, SELECT, Filled, filled, form
from core.domain.action import Action, Then
from core.domain.draft import Draft
from core.domain.errors import ActionGone, FormGone

Item = discord.ui.Item[Any]

PATIENCE, TRIES = 0.2, 50  # seconds between looks for a draft: a form can be back before its row is written


async def pressed(interaction: Interaction, token: str, values: Mapping[str, Filled] | None = None) -> None:
    """A button was pressed; `values` came back by the form that it opened."""
    host, action = interaction.client, None
    if not await deferred(interaction):
        return

    async def answer(call: Call) -> Answer:
        nonlocal action
        action = await host.services.conversations.pressed(call.actor, token)
        definition = host.dispatcher.definition(action.command)
        again = call if values else keyed(call, token)
        return await ran(host, again, definition, {**action.arguments, **(values or {})})

    given = await answered(interaction, answer)
    await _shown(interaction, given, action)


async def _shown(interaction: Interaction, given: Answer, action: Action | None) -> None:
    refused = isinstance(given, Reply) and given.code is not None
    if action and action.then is Then.REPLACE and not refused:
        await fill(interaction, given, private=alone(interaction))
    else:
        apart = isinstance(given, Reply) and (refused or given.personal)
        definition = interaction.client.dispatcher.commands.get(action.command) if action and not apart else None
        await follow(interaction, given, ephemeral=hidden(interaction, definition))


async def form_opened(interaction: Interaction, token: str, path: str, names: str) -> None:
    """A button was pressed whose command needs more than it says: the form has to be the first answer."""
    definition = interaction.client.dispatcher.commands.get(path)
    known = [name for name in names.split(",") if definition and name in definition.parameters]
    if definition and known:
        await acknowledged(interaction.response.send_modal(form(f"p:{token}", definition, known)))
    else:
        await pressed(interaction, token)  # the command has changed since: running it says how


async def files_asked(interaction: Interaction, definition: Definition, given: Mapping[str, str]) -> None:
    """Show a form for a command's files. It has to be the first answer, so its draft is written afterwards."""
    host, name = interaction.client, definition.files or ""
    token = host.services.conversations.token()
    if await acknowledged(interaction.response.send_modal(form(f"d:{token}", definition, [name]))):
        call = await called(interaction)
        await host.services.drafts.open(call.actor, call.place, command=definition.path, given=given, token=token)


async def submitted(interaction: Interaction, data: Mapping[str, Any]) -> None:
    """A form came back."""
    kind, _, token = data["custom_id"].partition(":")
    values = filled(data, interaction.client.session)
    match kind:
        case "p":
            await pressed(interaction, token, values)
        case "d":
            await _handed_in(interaction, token, values)


async def _handed_in(interaction: Interaction, token: str, values: Mapping[str, Filled]) -> None:
    host = interaction.client
    if not await deferred(interaction, ephemeral=hidden(interaction), thinking=True):
        return
    files = [file for value in values.values() if not isinstance(value, str) for file in value]

    async def answer(call: Call) -> Answer:
        draft = await _formed(call, token)
        return await gone_on(host, call, await collected(host, call, draft, files), whole=True)

    await fill(interaction, await answered(interaction, answer), private=True)


async def answer_chosen(interaction: Interaction, token: str, stamp: str, what: str, *, values: Sequence[str]) -> None:
    """Something under a question was pressed; an old question is asked again, as it is now."""
    host = interaction.client
    if not await deferred(interaction):
        return

    async def answer(call: Call) -> Answer:
        draft = await host.services.drafts.find(call.actor, token)
        if what == CANCEL:
            await host.services.drafts.close(draft)
            return Reply(title="Cancelled", lines=("Nothing was added.",))
        known = what == DONE or stamp == draft.stamp
        step = await (_moved(host.asking, call, draft, what, values) if known else host.asking.onward(call, draft))
        return await gone_on(host, call, step, whole=_whole(interaction))

    given = await answered(interaction, answer)
    if isinstance(given, Reply) and given.code:
        await follow(interaction, given, ephemeral=hidden(interaction))
    else:
        await fill(interaction, given, private=alone(interaction))


async def _moved(asking: Asking, call: Call, draft: Draft, what: str, values: Sequence[str]) -> Step:
    if what == FEWER:
        return await asking.fewer(call, draft)
    if what == SELECT:
        return await (asking.more(call, draft) if values[0] == MORE else asking.chosen(call, draft, int(values[0])))
    return await asking.done(call, draft)


def _whole(interaction: Interaction) -> bool:
    """Whether no further message can add files: what one person alone sees came by a form or a menu."""
    return bool(interaction.message and interaction.message.flags.ephemeral)


async def _formed(call: Call, token: str) -> Draft:
    """The draft behind a form.

    Raises:
        FormGone: It is over.
    """
    for _ in range(TRIES):
        try:
            return await call.services.drafts.find(call.actor, token)
        except ActionGone:
            await asyncio.sleep(PATIENCE)
    raise FormGone


class _Known(discord.ui.DynamicItem[Item], template=r"(?!)"):
    """An item of a message, and what its id says."""

    def __init__(self, item: Item, said: re.Match[str]) -> None:
        super().__init__(item)
        self.said = said

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], item: Item, match: re.Match[str], /) -> Self:
        """The item that was pressed."""
        return cls(item, match)


class Press(_Known, template=r"a:(?P<token>[\w-]+)"):
    """A button that runs its command."""

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Run it."""
        await interaction.client.attend(pressed(interaction, self.said["token"]))


class Form(_Known, template=r"f:(?P<token>[\w-]+):(?P<path>[^:]+):(?P<names>[^:]+)"):
    """A button whose command needs more: a form asks for it."""

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the form."""
        await interaction.client.attend(form_opened(interaction, **self.said.groupdict()))


class Choice(_Known, template=r"c:(?P<token>[\w-]+):(?P<stamp>\w+):(?P<what>\w+)"):
    """A select or a button under a question."""

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Answer the question."""
        values = self.item.values if isinstance(self.item, discord.ui.Select) else ()
        await interaction.client.attend(answer_chosen(interaction, **self.said.groupdict(), values=values))


ITEMS = (Press, Form, Choice)
