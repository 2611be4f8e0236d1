"""What people wrote, as Discord shows it literally: no markup, no mention, and never longer than there is room."""

import re
from collections.abc import Sequence

from discord.utils import escape_mentions

TOKEN = re.compile(
    r"(?P<code>`[^`\n]+`)|(?P<link>https?://[^\s<]+)|(?P<mark>^[ \t]*(?:[-#>]|\d+\.(?=\s))|[\\*_~|`<>\[\]@])|.",
    re.DOTALL | re.MULTILINE,
)
CUT = "…"


def units(text: str) -> int:
    """How long Discord finds a text: it counts UTF-16."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def written(text: str, *, limit: int) -> str:
    """A text in which markup means itself, but `code` stays code and a link a link; cut where it is too long."""
    return _cut([part for match in TOKEN.finditer(escape_mentions(text.strip())) for part in _literal(match)], limit)


def plain(text: str, *, limit: int) -> str:
    """A text for where Discord knows no markup, in one line: labels of buttons, options and forms."""
    return _cut(list(" ".join(text.split())), limit) or CUT


def _literal(match: re.Match[str]) -> Sequence[str]:
    """A token as it has to be written, in the parts between which it may be cut."""
    token = match[0]
    if match["mark"]:
        return (f"{token[:-1]}\\{token[-1]}",)
    return token if match["link"] else (token,)


def _cut(tokens: list[str], limit: int) -> str:
    if sum(map(units, tokens)) <= limit:
        return "".join(tokens)
    room, kept = limit - len(CUT), list[str]()
    for token in tokens:
        room -= units(token)
        if room < 0:
            break
        kept.append(token)
    return "".join(kept).rstrip() + CUT
