"""Buttons and selects that outlive a restart: each kind is known by its id, which says all that there is to know."""

import re
from typing import Any, Self

import discord

from bots.discord.pressing import answer_chosen, form_opened, pressed

Interaction = discord.Interaction[Any]
Item = discord.ui.Item[Any]


class _Known(discord.ui.DynamicItem[Item], template=r"(?!)"):
    """An item of a message, and what its id says."""

    def __init__(self, item: Item, said: re.Match[str]) -> None:
        super().__init__(item)
        self.said = said

    @classmethod
    async def from_custom_id(cls, _: Interaction, item: Item, match: re.Match[str], /) -> Self:
        """The item that was pressed."""
        return cls(item, match)


class Press(_Known, template=r"a:(?P<token>[\w-]+)"):
    """A button that runs its command."""

    async def callback(self, interaction: Interaction) -> None:
        """Run it."""
        await interaction.client.attend(pressed(interaction, self.said["token"]))


class Form(_Known, template=r"f:(?P<token>[\w-]+):(?P<path>[^:]+):(?P<names>[^:]+)"):
    """A button whose command needs more: a form asks for it."""

    async def callback(self, interaction: Interaction) -> None:
        """Show the form."""
        await interaction.client.attend(form_opened(interaction, **self.said.groupdict()))


class Choice(_Known, template=r"c:(?P<token>[\w-]+):(?P<what>\w+)"):
    """A select or a button under a question."""

    async def callback(self, interaction: Interaction) -> None:
        """Answer the question."""
        values = self.item.values if isinstance(self.item, discord.ui.Select) else ()
        await interaction.client.attend(answer_chosen(interaction, **self.said.groupdict(), values=values))


ITEMS = (Press, Form, Choice)
