"""Texts as Telegram reads them: HTML becomes plain text with entities, counted in UTF-16 units."""

import html
import re
from typing import Any
from urllib.parse import urlsplit

from tests.emulators.telegram.refusing import Refused

KINDS = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    **dict.fromkeys(("span", "tg-spoiler"), "spoiler"),
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
TOKEN = re.compile(
    r"""<(?P<end>/?)(?P<tag>[a-zA-Z][\w-]*)(?P<facts>(?:\s+[\w-]+(?:="[^"]*"|='[^']*')?)*)\s*>"""
    r"""|(?P<entity>&(?:lt|gt|amp|quot|\#[0-9]+|\#x[0-9a-fA-F]+);)|(?P<plain>[^<>&]+)|(?P<wrong>.)""",
    re.VERBOSE | re.DOTALL,
)
MENTION = re.compile(r"tg://user\?id=(\d+)")
FACT = re.compile(r"""([\w-]+)(?:="([^"]*)"|='([^']*)')?""")
FOUND = re.compile(r"(?P<bot_command>(?<!\S)/\w{1,32}(?:@\w+)?)|(?P<mention>@\w{4,32})|(?P<url>https?://\S+)")
INVISIBLE = dict.fromkeys(
    map(
        ord,
        "\u00a0\u00ad\u180e\u2060\u2061\u2062\u2063\u2064\u3000\ufeff\ufffc" + "".join(map(chr, range(0x2000, 0x2010))),
    )
)

Entity = dict[str, Any]


def units(text: str) -> int:
    """How long Telegram takes a text to be."""
    return len(text.encode("utf-16-le")) // 2


def formatted(source: str, mode: str | None) -> tuple[str, list[Entity]]:
    """The plain text of what a bot writes, without white space around it, and its entities.

    Raises:
        Refused: The markup is not Telegram's.
    """
    text, entities = (source, []) if mode is None else _parsed(source, mode)
    left = units(text) - units(text.lstrip())
    text = text.strip()
    moved = [{**one, "offset": max(0, one["offset"] - left)} for one in entities]
    clipped = [{**one, "length": min(one["length"], units(text) - one["offset"])} for one in moved]
    return text, [one for one in clipped if one["length"] > 0]


def blank(text: str) -> bool:
    """Whether nobody would see anything of a text."""
    return not text.translate(INVISIBLE).strip()


def found(text: str) -> list[Entity]:
    """The entities that Telegram finds in what a person types."""
    return [
        {"type": match.lastgroup, "offset": units(text[: match.start()]), "length": units(match.group())}
        for match in FOUND.finditer(text)
    ]


def linkable(url: str) -> bool:
    """Whether Telegram takes this for the address of a link."""
    parts = urlsplit(url)
    return parts.scheme == "tg" or (parts.scheme in {"http", "https"} and "." in (parts.hostname or ""))


def _parsed(source: str, mode: str) -> tuple[str, list[Entity]]:
    if mode != "HTML":
        raise Refused("unsupported parse_mode")
    text, entities, opened = "", list[Entity](), list[tuple[str, Entity]]()
    for token in TOKEN.finditer(source):
        tag, at = (token["tag"] or "").lower(), len(source[: token.start()].encode())
        if token["wrong"]:
            raise _unparsed(f'Unescaped "{token["wrong"]}" at byte offset {at}')
        if not tag:
            text += html.unescape(token[0])
        elif token["end"]:
            if not opened:
                raise _unparsed(f"Unexpected end tag at byte offset {at}")
            name, entity = opened.pop()
            if name != tag:
                raise _unparsed(f'Unmatched end tag at byte offset {at}, expected "</{name}>", found "</{tag}>"')
            if "type" in entity:
                entities.append({**entity, "length": units(text) - entity["offset"]})
        else:
            opened.append((tag, _opened(tag, token["facts"], at=at, offset=units(text))))
    if opened:
        raise _unparsed(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    return text, sorted(entities, key=lambda one: (one["offset"], -one["length"]))


def _opened(tag: str, facts: str, *, at: int, offset: int) -> Entity:
    """The entity that a tag begins; without a type where Telegram would drop it."""
    kind = KINDS.get(tag)
    if kind is None:
        raise _unparsed(f'Unsupported start tag "{tag}" at byte offset {at}')
    given = {name.lower(): html.unescape(double or single) for name, double, single in FACT.findall(facts)}
    match tag:
        case "span" if given.get("class") != "tg-spoiler":
            raise _unparsed(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
        case "a":
            url = given.get("href", "")
            if mentioned := MENTION.fullmatch(url):
                user = {"id": int(mentioned[1]), "is_bot": False, "first_name": ""}
                return {"type": "text_mention", "offset": offset, "user": user}
            return {"type": kind, "offset": offset, "url": url} if linkable(url) else {"offset": offset}
        case "tg-emoji":
            return {"type": kind, "offset": offset, "custom_emoji_id": given.get("emoji-id", "")}
        case "blockquote" if "expandable" in given:
            return {"type": "expandable_blockquote", "offset": offset}
        case _:
            return {"type": kind, "offset": offset}


def _unparsed(words: str) -> Refused:
    return Refused(f"can't parse entities: {words}")
