"""The one road from any chat to a command: who may, where, how often; parameters, words for errors, lasting buttons."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bots.chat.definition import Definition
from bots.chat.parameter import PAGE, Call, Given, Page, Raw
from bots.chat.placing import told
from bots.chat.reply import Button, Reply
from core.domain.account import Role
from core.domain.action import Action, Then
from core.domain.errors import BadValue, DomainError, NotFound


@dataclass(frozen=True, kw_only=True)
class Dispatcher:
    """Runs definitions. Adapters give it raw strings and sources; they parse, authorise and catch nothing."""

    commands: Mapping[str, Definition]

    def visible(self, role: Role) -> list[Definition]:
        """The commands that a role finds in its menu."""
        return [known for known in self.commands.values() if known.menu and role.covers(known.role)]

    async def run(self, definition: Definition, call: Call, raw: Mapping[str, Raw]) -> Reply:
        """Run a command. Every error that the domain knows is put into words; anything else is not caught."""
        try:
            await self.admit(definition, call)
            given, wrong = await self._parsed(definition, call, raw)
            if wrong:
                return Reply.refused(*wrong, title="Please check")
            if definition.limit:
                await call.services.conversations.allow(call.actor, definition.path, definition.limit)
            reply = await definition.run(replace(call, at=told(definition, call.actor, call)), **given)
        except DomainError as error:
            return Reply.refused(error)
        return await self.kept(call, reply)

    async def admit(self, definition: Definition, call: Call) -> None:
        """Let pass who may use a command, where it was said.

        Raises:
            Banned, NotAllowed: The actor may not use it.
            NotHere: The admins of this server or group want it elsewhere, or from others.
        """
        call.actor.require_welcome()
        call.actor.require(definition.role)
        await call.services.communities.require(call.actor, call.place, orders=definition.orders)

    async def press(self, token: str, call: Call) -> tuple[Reply, Then]:
        """Run the command behind a button; the token is its idempotency key."""
        try:
            action = await call.services.conversations.pressed(call.actor, token)
            definition = self.definition(action.command)
        except DomainError as error:
            return Reply.refused(error), Then.NEW
        return await self.run(definition, replace(call, key=token), dict(action.arguments)), action.then

    async def question(self, definition: Definition, call: Call, given: Mapping[str, Raw]) -> str | None:
        """The next parameter worth asking for: required and absent, or optional with something to choose between."""
        for name, kind in definition.parameters.items():
            if name in given:
                continue
            if name not in definition.optional:
                return name
            if kind.asked and len((await self.choices(definition, name, call, "", given)).choices) > 1:
                return name
        return None

    async def choices(
        self,
        definition: Definition,
        name: str,
        call: Call,
        text: str,
        given: Given,
        *,
        after: str = "",
        limit: int = PAGE,
    ) -> Page:
        """What a parameter could be; nothing for who may not use the command, or where an earlier answer is wrong."""
        try:
            call.actor.require_welcome()
            call.actor.require(definition.role)
            return await definition.parameters[name].choices(call, text, given, after=after, limit=limit)
        except DomainError:
            return Page()

    def definition(self, path: str) -> Definition:
        """The command of exactly this path.

        Raises:
            NotFound: There is none.
        """
        if path not in self.commands:
            raise NotFound(noun="command", name=path, hint="See `help`.")
        return self.commands[path]

    async def kept(self, call: Call, reply: Reply) -> Reply:
        """The reply with a token for every button, each remembered; cards that are shown outside a command need it."""
        named = [button.but(token=call.services.conversations.token()) for button in reply.buttons]
        await call.services.conversations.keep([_action(button, call) for button in named])
        return reply.but(buttons=tuple(named))

    async def _parsed(
        self, definition: Definition, call: Call, raw: Mapping[str, Raw]
    ) -> tuple[dict[str, Any], list[DomainError]]:
        given: dict[str, Any] = {}
        wrong: list[DomainError] = []
        for name, kind in definition.parameters.items():
            try:
                if name in raw:
                    given[name] = await kind.parse(call, raw[name], given)
                elif name not in definition.optional:
                    why = f"{name} is missing. Usage: `{definition.usage}`"
                    wrong.append(BadValue(what="command", value=definition.path, why=why))
            except DomainError as error:
                wrong.append(error)
        unknown = [name for name in raw if name not in definition.parameters]
        wrong += [BadValue(what="word", value=name, why=f"usage: `{definition.usage}`") for name in unknown]
        return given, wrong


def _action(button: Button, call: Call) -> Action:
    return Action(
        id=button.token,
        account=call.actor.account,
        label=button.label,
        command=button.command,
        arguments=button.arguments,
        style=button.style,
        then=button.then,
        expires_at=call.services.conversations.expiry(),
    )
