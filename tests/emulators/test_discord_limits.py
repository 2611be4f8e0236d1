"""What is too long, too many or malformed for Discord is refused by the emulator."""

from typing import Any

import pytest

from tests.emulators.discord.checks import check_message, check_modal
from tests.emulators.discord.commands import check_commands
from tests.emulators.discord.refusals import Refusal


def button(**changed: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": "go"} | changed


def row(*inside: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(inside)}


def select(count: int = 1, **changed: Any) -> dict[str, Any]:
    options = [{"label": f"{number}", "value": f"{number}"} for number in range(count)]
    return {"type": 3, "custom_id": "s", "options": options} | changed


def embed(**changed: Any) -> dict[str, Any]:
    return {"embeds": [{"title": "t"} | changed]}


def rows(*inside: dict[str, Any]) -> dict[str, Any]:
    return {"components": list(inside)}


NOT_A_MESSAGE = {
    "content": {"content": "x" * 2001},
    "nonce": {"nonce": "n" * 26},
    "mentions": {"allowed_mentions": {"parse": ["users"], "users": ["1"]}},
    "embeds": {"embeds": [{"title": "t"}] * 11},
    "an empty embed": {"embeds": [{"color": 1}]},
    "title": embed(title="t" * 257),
    "description": embed(description="d" * 4097),
    "fields": embed(fields=[{"name": "n", "value": "v"}] * 26),
    "field name": embed(fields=[{"name": "n" * 257, "value": "v"}]),
    "field value": embed(fields=[{"name": "n", "value": "v" * 1025}]),
    "an empty field": embed(fields=[{"name": "n", "value": ""}]),
    "footer": embed(footer={"text": "f" * 2049}),
    "all embeds": {"embeds": [{"description": "d" * 3001}] * 2},
    "a picture that is not there": embed(image={"url": "attachment://not.png"}),
    "rows": rows(*[row(button(custom_id=f"{number}")) for number in range(6)]),
    "buttons": rows(row(*[button(custom_id=f"{number}") for number in range(6)])),
    "an empty row": rows(row()),
    "no row": rows(button()),
    "same ids": rows(row(button(), button())),
    "id": rows(row(button(custom_id="x" * 101))),
    "label": rows(row(button(label="x" * 81))),
    "no label": rows(row(button(label=""))),
    "style": rows(row(button(style=9))),
    "a link with an id": rows(row(button(style=5, url="https://a.example"))),
    "a button with a URL": rows(row(button(url="https://a.example"))),
    "a strange link": rows(row({"type": 2, "style": 5, "label": "x", "url": "file:///a"})),
    "two selects": rows(row(select(), select(custom_id="s2"))),
    "options": rows(row(select(26))),
    "no options": rows(row(select(0))),
    "option label": rows(row(select(options=[{"label": "x" * 101, "value": "v"}]))),
    "option value": rows(row(select(options=[{"label": "x", "value": "v" * 101}]))),
    "same values": rows(row(select(options=[{"label": "x", "value": "v"}] * 2))),
    "more than there are": rows(row(select(max_values=2))),
}


@pytest.mark.parametrize("body", NOT_A_MESSAGE.values(), ids=NOT_A_MESSAGE.keys())
def test_not_a_message(body: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        check_message(body, names=[])
    assert refusal.value.code == 50035


def test_the_largest_message() -> None:
    fields = [{"name": "n", "value": "v"}] * 25
    full = rows(*[row(*[button(custom_id=f"{five}{number}") for number in range(5)]) for five in range(5)])
    largest = {"content": "x" * 2000, **embed(description="d" * 4096, fields=fields), **full}
    check_message(largest, names=[])
    with pytest.raises(Refusal):
        check_message(largest | {"content": "x" * 2001}, names=[])


def form(*parts: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"title": "t", "custom_id": "d", "components": list(parts or (asked(),))} | changed


def asked(custom_id: str = "f", **changed: Any) -> dict[str, Any]:
    upload = {"type": 19, "custom_id": custom_id, "min_values": None, "max_values": 10} | changed
    return {"type": 18, "label": "l", "component": upload}


NOT_A_MODAL = {
    "title": form(title="t" * 46),
    "no title": form(title=""),
    "id": form(custom_id="d" * 101),
    "parts": form(*[asked(f"{number}") for number in range(6)]),
    "nothing": form(components=[]),
    "files": form(asked(max_values=11)),
    "label": form({**asked(), "label": "l" * 46}),
    "same ids": form(asked(), asked()),
    "a button": form(row(button())),
    "text": form({**asked(), "component": {"type": 4, "custom_id": "n", "style": 1, "max_length": 4001}}),
}


@pytest.mark.parametrize("modal", NOT_A_MODAL.values(), ids=NOT_A_MODAL.keys())
def test_not_a_modal(modal: dict[str, Any]) -> None:
    check_modal(form())
    with pytest.raises(Refusal) as refusal:
        check_modal(modal)
    assert refusal.value.code == 50035


def command(*options: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"name": "c", "description": "d", "options": list(options)} | changed


def option(name: str = "o", **changed: Any) -> dict[str, Any]:
    return {"type": 3, "name": name, "description": "d"} | changed


def deep(kind: int, inside: dict[str, Any]) -> dict[str, Any]:
    return option(type=kind, options=[inside])


LONG = [{"name": f"{number}", "value": "v" * 90} for number in range(25)]
NOT_COMMANDS = {
    "capitals": [command(name="New")],
    "spaces": [command(name="dataset new")],
    "name": [command(name="n" * 33)],
    "no description": [command(description="")],
    "description": [command(description="d" * 101)],
    "options": [command(*[option(f"{number}") for number in range(26)])],
    "required last": [command(option("a"), option("b", required=True))],
    "same options": [command(option(), option())],
    "choices": [command(option(choices=[{"name": f"{number}", "value": "v"} for number in range(26)]))],
    "choice name": [command(option(choices=[{"name": "n" * 101, "value": "v"}]))],
    "choice value": [command(option(choices=[{"name": "n", "value": "v" * 101}]))],
    "choices and completion": [command(option(choices=[{"name": "n", "value": "v"}], autocomplete=True))],
    "too deep": [command(deep(2, deep(2, option(type=1))))],
    "sub-commands among options": [command(option("a", type=1), option("b"))],
    "same names": [command(), command()],
    "too many": [command(name=f"c{number}") for number in range(101)],
    "too many menus": [{"type": 3, "name": f"{number}"} for number in range(16)],
    "a described menu": [{"type": 3, "name": "menu", "description": "d"}],
    "too large": [command(*[option(f"{number}", choices=LONG) for number in range(4)])],
}


@pytest.mark.parametrize("commands", NOT_COMMANDS.values(), ids=NOT_COMMANDS.keys())
def test_not_commands(commands: list[dict[str, Any]]) -> None:
    check_commands([command(deep(2, option(type=1))), {"type": 3, "name": "Add to dataset"}])
    with pytest.raises(Refusal) as refusal:
        check_commands(commands)
    assert refusal.value.code == 50035
