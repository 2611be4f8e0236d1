"""The definitions as app commands: the menu, what it offers while somebody types, and what becomes of a command.

The library keeps every name and description as a translatable string; a translator that is set is asked for each.
"""

import inspect
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from typing import Any

import discord
from discord import app_commands

from bots.chat.definition import Definition
from bots.chat.parameter import PAGE, Call, Files, Listed, Raw
from bots.chat.reply import Reply
from bots.discord.answering import Interaction, acknowledged, answered, called, deferred, fill, hidden, said_at, whisper
from bots.discord.collecting import INTAKE, attached, collected, gone_on, ran
from bots.discord.escaping import plain
from bots.discord.filing import Attached
from bots.discord.host import Answer, Host
from bots.discord.pressing import files_asked
from bots.discord.rendering import embedded
from core.domain.errors import DomainError, MenuChanged, NothingToDo

DESCRIPTION, LABEL = 100, 100  # Discord's limits
ATTACHMENTS = (1, 2, 3)  # options for files; who has more gives none, and is shown a form for ten
ADD_TO_DATASET = "Add to dataset"


class Tree(app_commands.CommandTree[Host]):
    """All commands of the menu, for servers and for private chats with the bot."""

    def __init__(self, host: Host) -> None:
        super().__init__(
            host,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        menu = [one for one in host.dispatcher.commands.values() if one.menu]
        for word in dict.fromkeys(one.path.split()[0] for one in menu):
            self.add_command(_top(word, [one for one in menu if one.path.split()[0] == word]))
        self.add_command(app_commands.ContextMenu(name=ADD_TO_DATASET, callback=_add_to_dataset))

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Say what the library could not bring to a command: a menu of yesterday, or what nobody expected."""
        if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
            reply = Reply.refused(MenuChanged())
        else:
            cause = getattr(error, "original", None) or error.__cause__ or error  # what the library wrapped
            reply = interaction.client.broken(cause)
        if not interaction.response.is_done():
            embed = embedded(reply, {})
            await acknowledged(interaction.response.send_message(embed=embed, ephemeral=hidden(interaction)))


def _top(word: str, definitions: list[Definition]) -> app_commands.Group | app_commands.Command[Any, ..., None]:
    """The entry of a first word: a command, or a group that is described by what is in it."""
    if definitions[0].path == word:
        return _command(definitions[0])
    names = ", ".join(one.path.removeprefix(f"{word} ") for one in definitions)
    group = app_commands.Group(name=word, description=plain(names, limit=DESCRIPTION))
    for definition in definitions:
        group.add_command(_command(definition))
    return group


def _command(definition: Definition) -> app_commands.Command[Any, ..., None]:
    async def callback(interaction: Interaction, /, **options: Any) -> None:
        given = {name: value for name, value in options.items() if isinstance(value, str)}
        files = [value for value in options.values() if isinstance(value, discord.Attachment)]
        host = interaction.client
        await host.attend(commanded(interaction, definition, given, attached(host, files)))

    options = list(_options(definition))
    callback.__signature__ = inspect.Signature([_option("interaction", Interaction), *options])  # type: ignore[attr-defined] # the library reads options from it
    helps = {name: kind.help for name, kind in definition.parameters.items()}
    words = {one.name: helps.get(one.name) or helps[definition.files or ""] for one in options}
    described = app_commands.describe(**{name: plain(text, limit=DESCRIPTION) for name, text in words.items()})
    command: app_commands.Command[Any, ..., None] = app_commands.Command(
        name=definition.path.split()[-1],
        description=plain(definition.help, limit=DESCRIPTION),
        callback=described(callback),
    )
    for name, kind in definition.parameters.items():
        if isinstance(kind, Listed):
            command.autocomplete(name)(_completer(definition, name))
    return command


def _options(definition: Definition) -> Iterator[inspect.Parameter]:
    """The options as a signature: text for everything but files, which are a few optional attachments."""
    for name, kind in definition.parameters.items():
        if isinstance(kind, Files):
            yield from (_option(f"{name}_{number}", discord.Attachment | None, None) for number in ATTACHMENTS)
        elif name in definition.optional:
            yield _option(name, str | None, None)
        else:
            yield _option(name, str)


def _option(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation, default=default)


def _completer(definition: Definition, name: str) -> Callable[[Interaction, str], Coroutine[Any, Any, list[Any]]]:
    async def complete(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        await interaction.client.attend(completed(interaction, definition, name, current))
        return []  # answered already

    return complete


async def _add_to_dataset(interaction: Interaction, message: discord.Message) -> None:
    await interaction.client.attend(menu_chosen(interaction, message))


async def commanded(
    interaction: Interaction, definition: Definition, given: Mapping[str, str], files: tuple[Attached, ...]
) -> None:
    """A slash command was sent."""
    host = interaction.client
    if definition.files in definition.needed and not files:
        await files_asked(interaction, definition, given)
        return
    ephemeral = hidden(interaction, definition)
    if not await deferred(interaction, ephemeral=ephemeral, thinking=True):
        return
    raw: dict[str, Raw] = {**given, **({definition.files: files} if definition.files and files else {})}

    async def answer(call: Call) -> Answer:
        return await ran(host, call, definition, raw)

    private = ephemeral or said_at(interaction).private
    told = await answered(interaction, answer)
    if isinstance(told, Reply) and told.personal and not private:
        await whisper(interaction, told)
    else:
        await fill(interaction, told, private=private)


async def completed(interaction: Interaction, definition: Definition, name: str, text: str) -> None:
    """Something is being typed: say what it could be, and nothing where that cannot be known."""
    told = {option: value for option, value in interaction.namespace if isinstance(value, str) and value}
    given = {option: value for option, value in told.items() if option != name}
    choices: list[app_commands.Choice[str]] = []
    with suppress(DomainError):
        call = await called(interaction)
        page = await interaction.client.dispatcher.choices(definition, name, call, text, given, limit=PAGE)
        choices += [app_commands.Choice(name=plain(one.label, limit=LABEL), value=one.value) for one in page.choices]
    with suppress(discord.HTTPException):  # another replica was faster, or more has been typed meanwhile
        await interaction.response.autocomplete(choices)


async def menu_chosen(interaction: Interaction, message: discord.Message) -> None:
    """«Add to dataset» was chosen on a message: take its files in, and ask which dataset."""
    host = interaction.client
    if not await deferred(interaction, ephemeral=True, thinking=True):
        return

    async def answer(call: Call) -> Answer:
        if not message.attachments:
            raise NothingToDo(why="This message has no files.")
        begun = await host.asking.begin(host.dispatcher.definition(INTAKE), call, {})
        step = await collected(host, call, begun.draft, attached(host, message.attachments))
        return await gone_on(host, call, step, whole=True)

    await fill(interaction, await answered(interaction, answer), private=True)
