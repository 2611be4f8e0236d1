"""The pages' frame: templates filled with facts, everything escaped."""

from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web.wording import FILTERS

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


@dataclass(frozen=True)
class Pages:
    """Everything that is shown as a page. `address` is where people reach it, which a proxy may have put on a path."""

    address: str

    @property
    def root(self) -> str:
        """The path that all pages lie under."""
        return urlsplit(self.address).path

    def shown(self, template: str, *, status: int = HTTPStatus.OK, **facts: object) -> web.Response:
        """A page of these facts; of what came in letters that are none, question marks are shown."""
        body = self.text(template, **facts).encode(errors="replace")
        return web.Response(body=body, status=status, content_type="text/html", charset="utf-8")

    def text(self, template: str, **facts: object) -> str:
        """The markup of these facts."""
        return _templates(self.root).get_template(template).render(facts)


PAGES = web.AppKey("pages", Pages)


@cache
def _templates(root: str) -> Environment:
    """All templates, for pages that lie under a path; each is compiled once in a process."""
    templates = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    templates.globals["root"] = root
    templates.filters.update(FILTERS)
    return templates


def wants_page(request: web.BaseRequest) -> bool:
    """Whether a person looks with a browser, and no program."""
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")
