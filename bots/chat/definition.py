"""Definitions of commands: `@command("dataset new")` over an async function with annotated parameters, nothing more."""

import inspect
import re
import typing
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bots.chat.parameter import Files, Overrides, Parameter
from bots.chat.reply import Reply
from core.domain.account import Role
from core.domain.allowance import Limit

NAME = re.compile(r"[a-z0-9_]+( [a-z0-9_]+)?")  # a command, or a group and a command in it
LONGEST = 32  # characters of a name
IN_MENU = 99  # commands that everybody sees; one more belongs to a chat itself
IN_GROUP = 25  # commands


class Visibility(StrEnum):
    """Who sees the answer: fixed by the definition, since a chat must know before the command runs."""

    PRIVATE = "private"
    PUBLIC = "public"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One command, for every chat.

    `menu` is False where only a button leads to it; `orders` says that it spends; `limit` how often one may use it.
    """

    path: str
    help: str
    details: str
    run: Callable[..., Awaitable[Reply]]
    parameters: Mapping[str, Parameter[Any]]
    optional: frozenset[str]
    role: Role
    visibility: Visibility
    menu: bool
    orders: bool
    limit: Limit | None

    @property
    def files(self) -> str | None:
        """The name of the parameter that takes files."""
        return next((name for name, kind in self.parameters.items() if isinstance(kind, Files)), None)

    @property
    def needed(self) -> tuple[str, ...]:
        """The parameters that cannot be left out."""
        return tuple(name for name in self.parameters if name not in self.optional)

    @property
    def overrides(self) -> str | None:
        """The name of the parameter that takes `name=value` words."""
        return next((name for name, kind in self.parameters.items() if isinstance(kind, Overrides)), None)

    @property
    def usage(self) -> str:
        """How it is typed: `dataset new NAME [trigger=…]`."""
        words = [self.path]
        for name, kind in self.parameters.items():
            word = "name=value…" if isinstance(kind, Overrides) else name.upper() + ("…" if kind.rest else "")
            words.append(f"[{word}]" if name in self.optional else word)
        return " ".join(words)


def command(
    path: str,
    *,
    role: Role = Role.USER,
    visibility: Visibility = Visibility.PRIVATE,
    menu: bool = True,
    orders: bool = False,
    limit: Limit | None = None,
) -> Callable[[Callable[..., Awaitable[Reply]]], Definition]:
    """Make a definition of an async function `(call, …)`; its docstring is the help, its annotations the parameters.

    Raises:
        TypeError: A parameter has no `Annotated[…, Parameter(…)]`, or there is no help.
    """

    def defined(function: Callable[..., Awaitable[Reply]]) -> Definition:
        help_line, _, details = inspect.cleandoc(function.__doc__ or "").partition("\n")
        if not help_line:
            msg = f"command {path} has no docstring"
            raise TypeError(msg)
        hints = typing.get_type_hints(function, include_extras=True)
        signature = list(inspect.signature(function).parameters.values())[1:]
        return Definition(
            path=path,
            help=help_line,
            details=details.strip(),
            run=function,
            parameters={parameter.name: _kind(path, parameter.name, hints) for parameter in signature},
            optional=frozenset(parameter.name for parameter in signature if parameter.default is not parameter.empty),
            role=role,
            visibility=visibility,
            menu=menu,
            orders=orders,
            limit=limit,
        )

    return defined


def checked(definitions: Iterable[Definition]) -> Mapping[str, Definition]:
    """The definitions by path, where all of them fit into the menus of every platform.

    Raises:
        TypeError: Two have one name, a name is not of one or two short words, or there are too many.
    """
    known = list(definitions)
    menu = [one for one in known if one.menu]
    names = Counter(one.path.replace(" ", "_") for one in known)
    for_all = sum(Role.USER.covers(one.role) for one in menu)
    groups = Counter(one.path.split()[0] for one in menu if " " in one.path)
    faults = [
        *(f"command {name} is defined twice" for name, times in names.items() if times > 1),
        *(f"command {one.path} is a group too" for one in menu if one.path in groups),
        *(f"group {name} has {size} commands, {IN_GROUP} fit" for name, size in groups.items() if size > IN_GROUP),
        *(f"«{name}» is no name" for one in menu for name in (one.path, *one.parameters) if not _fits(name)),
        *([f"there are {for_all} commands for everybody, {IN_MENU} fit"] if for_all > IN_MENU else []),
    ]
    if faults:
        raise TypeError("; ".join(faults))
    return {one.path: one for one in known}


def _fits(name: str) -> bool:
    return len(name) <= LONGEST and NAME.fullmatch(name) is not None


def _kind(path: str, name: str, hints: Mapping[str, Any]) -> Parameter[Any]:
    for hint in (hints[name], *typing.get_args(hints[name])):
        for kind in getattr(hint, "__metadata__", ()):
            if isinstance(kind, Parameter):
                return kind
    msg = f"command {path}: parameter {name} is not Annotated with a Parameter"
    raise TypeError(msg)
