"""What fits into a message and a modal, as Discord's documentation says: pure checks that refuse what does not fit."""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum

from tests.emulators.discord.refusals import Refusal, invalid
from tests.emulators.discord.wire import Json


class Kind(IntEnum):
    """The components that a bot may need; selects of people, roles and channels are 5 to 8."""

    ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    TEXT = 10
    LABEL = 18
    FILE_UPLOAD = 19


MIB = 2**20
LARGEST_FILE = 10 * MIB
MOST_FILES = 10
SELECTS = {3, 5, 6, 7, 8}
LINK = 5
EMBED_TEXTS = {"title": 256, "description": 4096}
EMBED_TOTAL = 6000


def length(field: str, value: object, *, most: int, least: int = 0) -> int:
    """Refuse a text that is no text, too short or too long; return its length in UTF-16 units, the largest count."""
    units = len(value.encode("utf-16-le")) // 2 if isinstance(value, str) else -1
    if not least <= units <= most:
        raise invalid(field, f"Must be between {least} and {most} in length.")
    return units


def between(field: str, value: object, *, least: int, most: int) -> int:
    """Refuse a number out of its bounds; return it."""
    if not isinstance(value, int) or not least <= value <= most:
        raise invalid(field, f"Must be between {least} and {most}.")
    return value


def limit(one: Json, name: str, *, default: int = 1) -> int:
    """A limit that a component sets, or leaves to Discord."""
    found = one.get(name)
    return default if found is None else int(found)


def check_files(files: Sequence[tuple[str, bytes]]) -> None:
    """Refuse too many files and too large ones."""
    if len(files) > MOST_FILES:
        raise invalid("attachments", f"Must be {MOST_FILES} or fewer in length.")
    if any(len(content) > LARGEST_FILE for _, content in files):
        raise Refusal(413, 40005, "Request entity too large")


def check_message(body: Mapping[str, object], *, names: Sequence[str]) -> None:
    """Refuse a message, whose attachments will have these names, that does not fit."""
    length("content", body.get("content") or "", most=2000)
    length("nonce", body.get("nonce") or "", most=25)
    between("attachments", len(names), least=0, most=MOST_FILES)
    check_mentions(_object(body.get("allowed_mentions")))
    check_embeds(_objects(body.get("embeds")), names=names)
    check_components(_objects(body.get("components")))


def check_mentions(allowed: Json) -> None:
    """Refuse allowed mentions that contradict themselves."""
    for kind in ("users", "roles"):
        if kind in allowed.get("parse", ()) and allowed.get(kind):
            raise invalid("allowed_mentions", f"parse:['{kind}'] and {kind}:[ids...] are mutually exclusive.")
        if len(allowed.get(kind) or ()) > 100:
            raise invalid(f"allowed_mentions.{kind}", "Must be 100 or fewer in length.")


def check_embeds(embeds: Sequence[Json], *, names: Sequence[str]) -> None:
    """Refuse embeds that do not fit, are empty or show a file that is not there."""
    between("embeds", len(embeds), least=0, most=10)
    total = sum(_embed(f"embeds.{number}", embed, names) for number, embed in enumerate(embeds))
    if total > EMBED_TOTAL:
        raise invalid("embeds", f"Embed size exceeds maximum size of {EMBED_TOTAL}")


def _embed(field: str, embed: Json, names: Sequence[str]) -> int:
    fields, images = embed.get("fields") or [], [embed[one] for one in ("image", "thumbnail") if embed.get(one)]
    between(f"{field}.fields", len(fields), least=0, most=25)
    texts = [(f"{field}.{name}", embed.get(name) or "", most, 0) for name, most in EMBED_TEXTS.items()]
    for number, one in enumerate(fields):
        texts.append((f"{field}.fields.{number}.name", one.get("name"), 256, 1))
        texts.append((f"{field}.fields.{number}.value", one.get("value"), 1024, 1))
    texts.append((f"{field}.footer.text", (embed.get("footer") or {}).get("text") or "", 2048, 0))
    texts.append((f"{field}.author.name", (embed.get("author") or {}).get("name") or "", 256, 0))
    total = sum(length(name, value, most=most, least=least) for name, value, most, least in texts)
    if not total and not images:
        raise invalid(field, "Embed is empty.")
    for image in images:
        scheme, _, rest = str(image.get("url")).partition("://")
        if scheme not in {"http", "https"} and not (scheme == "attachment" and rest in names):
            raise invalid(f"{field}.image.url", "Not a well formed URL, or a file that the message does not have.")
    return total


def check_components(rows: Sequence[Json]) -> None:
    """Refuse buttons and selects that do not fit into five rows, or share an id."""
    between("components", len(rows), least=0, most=5)
    for number, row in enumerate(rows):
        field, inside = f"components.{number}", row.get("components") or []
        if row.get("type") != Kind.ROW:
            raise invalid(f"{field}.type", "Only action rows stand in a message.")
        selects = [one for one in inside if one.get("type") in SELECTS]
        between(f"{field}.components", len(inside), least=1, most=1 if selects else 5)
        for place, one in enumerate(inside):
            _component(f"{field}.components.{place}", one)
    _unique(one["custom_id"] for row in rows for one in row["components"] if "custom_id" in one)


def _component(field: str, component: Json) -> None:
    match component.get("type"):
        case Kind.BUTTON:
            _button(field, component)
        case kind if kind in SELECTS:
            _select(field, component)
        case _:
            raise invalid(f"{field}.type", "Not a component of a message.")


def _button(field: str, button: Json) -> None:
    style = between(f"{field}.style", button.get("style"), least=1, most=LINK)
    length(f"{field}.label", button.get("label") or "", most=80, least=0 if button.get("emoji") else 1)
    if (style == LINK) == ("custom_id" in button) or (style == LINK) != ("url" in button):
        raise invalid(field, "A link has a URL and every other button a custom id.")
    if style == LINK:
        length(f"{field}.url", button["url"], least=1, most=512)
        if not button["url"].startswith(("http://", "https://", "discord://")):
            raise invalid(f"{field}.url", "Not a well formed URL.")
    else:
        length(f"{field}.custom_id", button["custom_id"], least=1, most=100)


def _select(field: str, select: Json) -> None:
    length(f"{field}.custom_id", select.get("custom_id"), least=1, most=100)
    length(f"{field}.placeholder", select.get("placeholder") or "", most=150)
    least = between(f"{field}.min_values", limit(select, "min_values"), least=0, most=25)
    most = between(f"{field}.max_values", limit(select, "max_values"), least=max(1, least), most=25)
    if select["type"] != Kind.STRING_SELECT:
        return
    options = select.get("options") or []
    between(f"{field}.options", len(options), least=1, most=25)
    between(f"{field}.max_values", most, least=1, most=len(options))
    for number, option in enumerate(options):
        for name, fewest in {"label": 1, "value": 1, "description": 0}.items():
            text = option.get(name) if fewest else option.get(name) or ""
            length(f"{field}.options.{number}.{name}", text, least=fewest, most=100)
    _unique(option["value"] for option in options)


def check_modal(modal: Json) -> None:
    """Refuse a modal that does not fit."""
    length("data.title", modal.get("title"), least=1, most=45)
    length("data.custom_id", modal.get("custom_id"), least=1, most=100)
    parts = modal.get("components") or []
    between("data.components", len(parts), least=1, most=5)
    for number, part in enumerate(parts):
        _part(f"data.components.{number}", part)
    _unique(one["custom_id"] for one in inputs(modal))


def _part(field: str, part: Json) -> None:
    match part.get("type"):
        case Kind.ROW:
            inside = part.get("components") or []
            if [one.get("type") for one in inside] != [Kind.TEXT_INPUT]:
                raise invalid(field, "An action row of a modal holds one text input.")
            length(f"{field}.label", inside[0].get("label"), least=1, most=45)
            _input(field, inside[0])
        case Kind.LABEL:
            length(f"{field}.label", part.get("label"), least=1, most=45)
            length(f"{field}.description", part.get("description") or "", most=100)
            _input(f"{field}.component", part.get("component") or {})
        case Kind.TEXT:
            length(f"{field}.content", part.get("content"), least=1, most=4000)
        case _:
            raise invalid(f"{field}.type", "Not a component of a modal.")


def _input(field: str, one: Json) -> None:
    length(f"{field}.custom_id", one.get("custom_id"), least=1, most=100)
    match one.get("type"):
        case Kind.TEXT_INPUT:
            between(f"{field}.style", one.get("style"), least=1, most=2)
            length(f"{field}.placeholder", one.get("placeholder") or "", most=100)
            least = between(f"{field}.min_length", one.get("min_length") or 0, least=0, most=4000)
            most = between(f"{field}.max_length", one.get("max_length") or 4000, least=1, most=4000)
            length(f"{field}.value", one.get("value") or "", least=least if one.get("value") else 0, most=most)
        case Kind.FILE_UPLOAD:
            least = between(f"{field}.min_values", limit(one, "min_values"), least=0, most=MOST_FILES)
            between(f"{field}.max_values", limit(one, "max_values"), least=max(1, least), most=MOST_FILES)
        case kind if kind in SELECTS:
            _select(field, one)
        case _:
            raise invalid(f"{field}.type", "Not an input of a modal.")


def inputs(modal: Json) -> Iterator[Json]:
    """What a modal asks for, each with the `label` that stands over it."""
    for part in modal["components"]:
        if part["type"] == Kind.ROW:
            yield part["components"][0]
        elif part["type"] == Kind.LABEL:
            yield {**part["component"], "label": part["label"]}


def _unique(names: Iterator[str]) -> None:
    seen = list(names)
    if len(set(seen)) < len(seen):
        raise invalid("components", "Component custom id cannot be duplicated")


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Sequence[Json]:
    return value if isinstance(value, list) else ()
