"""A request to the Bot API: its fields are strings as they come over the wire, and are read as what they should be."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.emulators.telegram.refusing import Refused
from tests.emulators.telegram.world import File


@dataclass(frozen=True, kw_only=True)
class Request:
    """A call of a method."""

    method: str
    fields: Mapping[str, str]
    uploads: Mapping[str, File]

    def has(self, name: str) -> bool:
        """Whether a field was given."""
        return name in self.fields

    def text(self, name: str) -> str:
        """A field as text; empty when it was not given."""
        return self.fields.get(name, "")

    def number(self, name: str, default: int | None = None) -> int:
        """A field as a whole number.

        Raises:
            Refused: It is missing, or none.
        """
        try:
            return int(self.fields[name]) if name in self.fields or default is None else default
        except (KeyError, ValueError):
            raise Refused(f"{name} is wrong or empty") from None

    def flag(self, name: str) -> bool:
        """Whether a field says yes."""
        return self.text(name).lower() in {"true", "1"}

    def structured(self, name: str) -> Any:
        """A field of JSON; None when it was not given.

        Raises:
            Refused: It is no JSON.
        """
        try:
            return json.loads(self.fields[name]) if name in self.fields else None
        except ValueError:
            raise Refused(f"can't parse {name} JSON object") from None

    @property
    def chat(self) -> int:
        """The chat that it is about.

        Raises:
            Refused: None was named by its number.
        """
        if not self.text("chat_id"):
            raise Refused("chat_id is empty")
        try:
            return int(self.text("chat_id"))
        except ValueError:
            raise Refused("chat not found") from None


async def read(request: web.Request) -> Request:
    """Read a request in any of the forms that Telegram takes: query, form, multipart or JSON.

    Raises:
        Refused: It is too large.
    """
    fields, uploads = dict(request.query), dict[str, File]()
    try:
        if request.content_type == "application/json" and request.can_read_body:
            fields |= {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in (await request.json()).items()
            }
        elif request.method == "POST":
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    content = value.file.read()
                    uploads[name] = File(name=value.filename, content=content, media_type=value.content_type)
                else:
                    fields[name] = str(value)
    except web.HTTPRequestEntityTooLarge:
        raise Refused(code=413) from None
    return Request(method=request.match_info["method"], fields=fields, uploads=uploads)
