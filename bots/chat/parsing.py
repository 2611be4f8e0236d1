"""A typed line becomes a command with its raw arguments, and a button becomes a line that can be typed. Pure."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bots.chat.definition import Definition
from bots.chat.parameter import Files, Overrides
from core.domain.errors import BadValue, NotFound

SHOWN = 40  # characters of a line that an error repeats
# An apostrophe inside a word («alice's») opens no quote; what is escaped or quoted is passed over.
APOSTROPHE = re.compile(r"""(?<=\w)'(?=\w)|(\\.|"(?:\\.|[^"\\])*"|'[^']*')""", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A command with raw text by parameter name, and the paths that were given for its files."""

    definition: Definition
    words: Mapping[str, str]
    paths: tuple[str, ...] = ()


def parsed(line: str, commands: Mapping[str, Definition]) -> Typed:
    """The command of a line: the longest path that it starts with, then its arguments.

    `name=value` gives a parameter by name, other words fill the parameters in order; other `name=value` words are
    settings where the command takes any.

    Raises:
        BadValue: A quote is not closed, or there are too many words.
        NotFound: No command is called so.
    """
    return found(split(line), commands)


def found(words: Sequence[str], commands: Mapping[str, Definition]) -> Typed:
    """The same for a line that is split already.

    Raises:
        BadValue: There are too many words.
        NotFound: No command is called so.
    """
    start = [word.casefold() for word in words]
    start[:1] = [word.removeprefix("/") for word in start[:1]]
    for length in range(_longest(commands), 0, -1):
        path = " ".join(start[:length])
        if path in commands:
            return _filled(commands[path], list(words[length:]))
    raise NotFound(noun="command", name=" ".join(words)[:SHOWN], hint=_hint(start, commands))


def split(line: str) -> list[str]:
    """The words of a line, as a shell splits it.

    Raises:
        BadValue: A quote is not closed, or the line is no text.
    """
    try:
        line.encode()
        return shlex.split(APOSTROPHE.sub(lambda match: match[1] or r"\'", line))
    except UnicodeEncodeError as error:
        shown = line.encode(errors="replace").decode()[:SHOWN]
        raise BadValue(what="line", value=shown, why="it has bytes that are no UTF-8 text") from error
    except ValueError as error:
        why = 'a quote is not closed; put words that belong together in "double quotes"'
        raise BadValue(what="line", value=line[:SHOWN], why=why) from error


def typable(definition: Definition, arguments: Mapping[str, str]) -> str:
    """A line that gives exactly these arguments to the command when it is typed."""
    words, in_order = [], True
    for name, kind in definition.parameters.items():
        if name in arguments:
            value = arguments[name]
            plain = in_order and "=" not in value and not isinstance(kind, Overrides | Files)
            words.append(value if plain else f"{name}={value}")
            in_order = in_order and not kind.rest
        else:
            in_order = False
    return " ".join([definition.path, *map(shlex.quote, words)])


def _filled(definition: Definition, words: list[str]) -> Typed:
    text = {name for name, kind in definition.parameters.items() if not isinstance(kind, Files)}
    given: dict[str, str] = {}
    plain: list[str] = []
    settings: list[str] = []
    for word in words:
        name, sign, value = word.partition("=")
        if sign and name in text:
            given[name] = value
        elif sign and name and definition.overrides:
            settings.append(word)
        else:
            plain.append(word)
    if settings and definition.overrides:
        given[definition.overrides] = " ".join([*filter(None, [given.get(definition.overrides)]), *settings])
    return _ordered(definition, given, plain)


def _ordered(definition: Definition, given: dict[str, str], plain: list[str]) -> Typed:
    paths: tuple[str, ...] = ()
    for name, kind in definition.parameters.items():
        if name in given or not plain or isinstance(kind, Overrides):
            continue
        if isinstance(kind, Files):
            paths, plain = tuple(plain), []
        elif kind.rest:
            given[name], plain = " ".join(plain), []
        else:
            given[name], plain = plain[0], plain[1:]
    if plain:
        raise BadValue(
            what="argument", value=plain[0], why=f"nothing is left to give it to; usage: `{definition.usage}`"
        )
    return Typed(definition=definition, words=given, paths=paths)


def _longest(commands: Mapping[str, Definition]) -> int:
    return max(path.count(" ") + 1 for path in commands)


def _hint(start: Sequence[str], commands: Mapping[str, Definition]) -> str:
    offered = sorted(path for path, definition in commands.items() if definition.menu)
    if group := [path for path in offered if [path.split()[0]] == start]:
        return f"There are: {', '.join(f'`{path}`' for path in group)}."
    lines = [" ".join(start[:length]) for length in range(_longest(commands), 0, -1)]
    near = next((match for line in lines for match in get_close_matches(line, offered, n=1)), None)
    return f"Did you mean `{near}`? See `help`." if near else "See `help`."
