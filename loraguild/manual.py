"""The manual of the chat commands, written from their definitions."""

from collections.abc import Iterable, Iterator

from bots.chat.definition import Definition
from core.domain.account import Role


def markdown(definitions: Iterable[Definition]) -> str:
    """All commands that people type, as one Markdown page."""
    rules = "The same in every chat. Words in `[…]` may be left out; every parameter may be given as `name=value`."
    offered = sorted((known for known in definitions if known.menu), key=lambda known: known.path)
    return "\n".join(["# Commands", "", rules, *(line for known in offered for line in _section(known))])


def _section(known: Definition) -> Iterator[str]:
    needs = f" (for {known.role}s)" if not Role.USER.covers(known.role) else ""
    yield from ("", f"## `{known.usage}`", "", known.help + needs)
    if known.details:
        yield from ("", known.details)
    if known.parameters:
        yield ""
    for name, kind in known.parameters.items():
        yield f"- `{name}`{' (may be left out)' if name in known.optional else ''}: {kind.help}."
