"""Pages as people without JavaScript use them: what they read, and forms that they fill in and send."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from aiohttp import ClientResponse

from tests.builders.visits import Client

PAGE = {"Accept": "text/html"}
PART = {"Accept": "text/html, text/event-stream", "HX-Request": "true", "HX-Request-Type": "partial"}
Attributes = list[tuple[str, str | None]]


@dataclass
class Form:
    """A form with what stands in its fields, and the words of its buttons."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)


class Sheet(HTMLParser):
    """A page that was read."""

    def __init__(self, path: str, status: int, html: str) -> None:
        super().__init__()
        self.path, self.status, self.html = path, status, html
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.pictures: list[str] = []
        self.words = ""
        self._inside: list[str] = []
        self._select, self._link, self._area = "", "", ""
        self.feed(html)
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        facts = {name: value or "" for name, value in attrs}
        self._inside.append(tag)
        match tag:
            case "form":
                self.forms.append(Form(action=facts.get("action", self.path), method=facts.get("method", "get")))
            case "input" if self.forms and facts.get("name"):
                chosen = facts.get("type") not in {"checkbox", "radio"} or "checked" in facts
                if chosen and facts.get("type") != "file":
                    self.forms[-1].fields.append((facts["name"], facts.get("value", "")))
            case "select":
                self._select = facts["name"]
            case "option" if self._select and "selected" in facts:
                self.forms[-1].fields.append((self._select, facts.get("value", "")))
            case "textarea":
                self._area = facts["name"]
                self.forms[-1].fields.append((self._area, ""))
            case "a":
                self._link = facts.get("href", "")
            case "button" if self.forms:
                self.forms[-1].buttons.append("")
            case "img":
                self.pictures += filter(None, [facts.get("src")])

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass
        self._select = "" if tag == "select" else self._select
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if {"script", "style", "template"} & set(self._inside):
            return
        if self._area:
            name, before = self.forms[-1].fields[-1]
            self.forms[-1].fields[-1] = (name, before + data)
        if "a" in self._inside and self._link:
            self.links[" ".join(data.split())] = self._link
        if "button" in self._inside and self.forms and self.forms[-1].buttons:
            self.forms[-1].buttons[-1] += data
        self.words += data


async def read(client: Client, path: str, *, part: bool = False) -> Sheet:
    """Open a page, or for htmx a part of it."""
    return await _sheet(await client.get(path, headers=PART if part else PAGE))


async def pressed(
    client: Client, sheet: Sheet, button: str, also: Mapping[str, str] = {}, /, *, part: bool = False, **fields: str
) -> Sheet:
    """Fill in the form that has a button with these words, and send it; what it leads to is read."""
    typed = {**also, **fields}
    form = next(form for form in sheet.forms if any(button in words for words in form.buttons))
    sent = [(name, value) for name, value in form.fields if name not in typed] + list(typed.items())
    headers = PART if part else PAGE
    if form.method == "get":
        return await _sheet(await client.get(form.action, params=sent, headers=headers))
    return await _sheet(await client.post(form.action, data=sent, headers=headers))


async def _sheet(response: ClientResponse) -> Sheet:
    return Sheet(response.url.path_qs, response.status, await response.text())
