"""The pages' frame: templates filled with facts, everything escaped."""

from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


@dataclass(frozen=True)
class Pages:
    """Everything that is shown as a page. `address` is where people reach it, which a proxy may have put on a path."""

    address: str

    def shown(self, template: str, *, status: int = HTTPStatus.OK, **facts: object) -> web.Response:
        """A page of these facts."""
        text = self._templates.get_template(template).render(facts)
        return web.Response(text=text, status=status, content_type="text/html")

    @cached_property
    def _templates(self) -> Environment:
        templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        templates.globals["root"] = urlsplit(self.address).path
        return templates


PAGES = web.AppKey("pages", Pages)


def wants_page(request: web.BaseRequest) -> bool:
    """Whether a person looks with a browser, and no program."""
    return request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("Accept", "")
