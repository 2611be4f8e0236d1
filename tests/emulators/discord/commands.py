"""Application commands: what Discord takes when a bot registers them, and what a person's client makes of them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.emulators.discord.checks import between, length
from tests.emulators.discord.refusals import ImpossibleError, invalid
from tests.emulators.discord.wire import Json

CHAT, MESSAGE = 1, 3
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ATTACHMENT = 1, 2, 3, 4, 5, 6, 7, 11
NUMBER = 10
NAME = re.compile(r"[-_'\w]{1,32}")
TYPES: Mapping[int, type | tuple[type, ...]] = {STRING: str, INTEGER: int, BOOLEAN: bool, NUMBER: (int, float)}
MOST: Mapping[int, int] = {CHAT: 100, MESSAGE: 15}


def check_commands(commands: Sequence[Json]) -> None:
    """Refuse commands that do not fit."""
    for kind, most in MOST.items():
        between("commands", sum(one.get("type", CHAT) == kind for one in commands), least=0, most=most)
    _distinct("commands", ((one.get("type", CHAT), one["name"]) for one in commands))
    for number, command in enumerate(commands):
        if command.get("type", CHAT) == CHAT:
            _described(str(number), command)
            _options(str(number), command.get("options") or [], depth=0)
            between(f"{number}.size", _size(command), least=0, most=8000)
        else:
            length(f"{number}.name", command.get("name"), least=1, most=32)
            length(f"{number}.description", command.get("description") or "", most=0)


def _described(field: str, one: Json) -> None:
    name = one.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name) or name != name.lower():
        raise invalid(f"{field}.name", "String value did not match validation regex.")
    length(f"{field}.description", one.get("description"), least=1, most=100)


def _options(field: str, options: Sequence[Json], *, depth: int) -> None:
    between(f"{field}.options", len(options), least=0, most=25)
    _distinct(f"{field}.options", (one.get("name") for one in options))
    nested = [one.get("type") in {SUBCOMMAND, GROUP} for one in options]
    if any(nested) and not all(nested):
        raise invalid(f"{field}.options", "Sub-command and sub-command group option types are mutually exclusive.")
    required = [bool(one.get("required")) for one in options]
    if required != sorted(required, reverse=True):
        raise invalid(f"{field}.options", "Required options must be placed before non-required options.")
    for number, option in enumerate(options):
        name = f"{field}.options.{number}"
        _described(name, option)
        kind = between(f"{name}.type", option.get("type"), least=1, most=11)
        if kind <= GROUP:
            if depth + kind > GROUP:
                raise invalid(f"{name}.type", "Groups are nested too deep.")
            _options(name, option.get("options") or [], depth=depth + 1 if kind == GROUP else GROUP)
        else:
            _choices(name, option)


def _choices(field: str, option: Json) -> None:
    choices = option.get("choices") or []
    between(f"{field}.choices", len(choices), least=0, most=25)
    if choices and option.get("autocomplete"):
        raise invalid(f"{field}.autocomplete", "Choices and autocomplete exclude one another.")
    check_choices(choices, field=field)
    _distinct(f"{field}.choices", (one["name"] for one in choices))


def check_choices(choices: Sequence[Json], *, field: str = "data") -> None:
    """Refuse choices that do not fit."""
    between(f"{field}.choices", len(choices), least=0, most=25)
    for number, choice in enumerate(choices):
        length(f"{field}.choices.{number}.name", choice.get("name"), least=1, most=100)
        if not isinstance(choice.get("value"), int | float):
            length(f"{field}.choices.{number}.value", choice.get("value"), least=1, most=100)


def _distinct(field: str, names: Iterable[object]) -> None:
    seen = list(names)
    if len(set(seen)) < len(seen):
        raise invalid(field, "Names must be unique.")


def _size(one: Json) -> int:
    choices = one.get("choices") or []
    own = len(one["name"]) + len(one.get("description") or "") + sum(len(str(choice["value"])) for choice in choices)
    return own + sum(_size(option) for option in one.get("options") or [])


def leaf(command: Json, path: Sequence[str]) -> Json:
    """The sub-command that is meant by the words after a command's name.

    Raises:
        ImpossibleError: There is none.
    """
    for word in path:
        found = [one for one in command.get("options") or [] if one["name"] == word and one["type"] <= GROUP]
        if not found:
            raise ImpossibleError(f"«{command['name']}» has no «{word}»")
        command = found[0]
    if any(one["type"] <= GROUP for one in command.get("options") or []):
        raise ImpossibleError(f"«{command['name']}» alone cannot be sent")
    return command


def nested(path: Sequence[str], command: Json, options: Sequence[Json]) -> list[Json]:
    """Options of an interaction, inside the sub-commands that lead to them."""
    if not path:
        return list(options)
    inner = next(one for one in command["options"] if one["name"] == path[0])
    return [{"name": path[0], "type": inner["type"], "options": nested(path[1:], inner, options)}]


def check_complete(command: Json, given: Mapping[str, Any]) -> None:
    """Refuse to send a command with options missing or unknown, as a client does.

    Raises:
        ImpossibleError: It cannot be sent.
    """
    options = {one["name"]: one for one in command.get("options") or []}
    if strange := given.keys() - options.keys():
        raise ImpossibleError(f"«{command['name']}» has no option {sorted(strange)}")
    if missing := {name for name, one in options.items() if one.get("required")} - given.keys():
        raise ImpossibleError(f"«{command['name']}» requires {sorted(missing)}")


def check_value(option: Json, value: object) -> None:
    """Refuse to type what an option does not take.

    Raises:
        ImpossibleError: A client does not let it through.
    """
    name, kind = option["name"], option["type"]
    fits = isinstance(value, TYPES.get(kind, object)) and (kind == BOOLEAN or not isinstance(value, bool))
    choices = [choice["value"] for choice in option.get("choices") or []]
    if not fits or (choices and value not in choices):
        raise ImpossibleError(f"«{name}» does not take {value!r}")
    if isinstance(value, str) and kind == STRING:
        least, most = option.get("min_length") or 1, option.get("max_length") or 6000
        if not least <= len(value) <= most:
            raise ImpossibleError(f"«{name}» takes {least} to {most} characters")
    if isinstance(value, int | float) and kind in {INTEGER, NUMBER}:
        low, high = option.get("min_value", -(2**53)), option.get("max_value", 2**53)
        if not low <= value <= high:
            raise ImpossibleError(f"«{name}» takes {low} to {high}")
