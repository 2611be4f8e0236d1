"""Pages of the sandbox: `@page("GET", "/datasets")` over an async function that returns a page or leads on.

What somebody typed is never lost: a form that was refused is shown again, with the reason and everything in it.
"""

import hashlib
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from http import HTTPStatus
from textwrap import shorten
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote, unquote, urlsplit

from aiohttp import web

from core.domain.account import Actor, Place, Role
from core.domain.artifact import Artifact
from core.domain.errors import BadValue, DomainError, EditedMeanwhile, NotSignedIn
from core.domain.replay import replay_id
from core.ports.blobs import Blobs
from core.services import Services
from web.bodies import form
from web.csrf import token_for
from web.pages import PAGES
from web.problems import Problem, of
from web.visiting import BLOBS, SERVICES, Visitor, finished, required

SAID = "said"  # the cookie of the words that the next page shows
DIGITS = 12  # of a number that somebody types
KEY = "key"  # the field that makes a form count once
WAS = "was-"  # fields of a form that tell what it was made of
TOLD = 200  # characters of what it is instead by now
PAGE_NUMBER = re.compile(r"[0-9]{1,6}")
E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Look:
    """A visit to a page: who, what of, what was typed, and the problem that the page is shown again for."""

    request: web.Request
    visitor: Visitor
    services: Services
    blobs: Blobs
    typed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    problem: Problem | None = None

    @property
    def actor(self) -> Actor:
        """Who looks."""
        return self.visitor.actor

    @property
    def place(self) -> Place:
        """Where they are told later what they order here."""
        return self.visitor.place

    @property
    def query(self) -> Mapping[str, str]:
        """What stands behind the question mark."""
        return self.request.query

    @cached_property
    def form(self) -> str:
        """What makes a form count once: the key of the one that was sent, or of the one that is shown."""
        return self.field(KEY) or self.services.conversations.token()

    @property
    def key(self) -> str:
        """The same as services are told it: its sender's alone, whatever others put into their forms."""
        return replay_id(self.actor.account, self.form)

    @property
    def partial(self) -> bool:
        """Whether only a part of the page is wanted, by htmx."""
        return self.request.headers.get("HX-Request-Type") == "partial"

    def page_number(self) -> int:
        """Which page of a list is looked at: the first unless another is named."""
        named = self.query.get("page", "")
        return max(1, int(named)) if PAGE_NUMBER.fullmatch(named) else 1

    def picture(self, artifact: Artifact) -> str:
        """Where this page finds a picture that whoever looks may see."""
        return urlsplit(self.services.downloads.picture(artifact)).path

    def download(self, artifact: Artifact) -> str:
        """Where this page finds a file for whoever may have it, for a week."""
        return urlsplit(self.services.downloads.link(artifact)).path

    def offering(self, name: str) -> str:
        """How an offering is called; one that the configuration no longer has, by its bare name."""
        found = self.services.trainings.offerings.get(name)
        return found.title if found else name

    def path(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    def field(self, name: str, default: str = "") -> str:
        """What was typed into a field, or chosen."""
        return next(iter(self.typed.get(name, ())), default).strip()

    def number(self, name: str) -> int | None:
        """A whole number from a form, or from behind the question mark; None where there is nothing.

        Raises:
            BadValue: It is none.
        """
        text = self.field(name) or self.query.get(name, "").strip()
        if text and not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
            raise BadValue(what=name, value=text, why="it takes a whole number")
        return int(text) if text else None

    def fields(self, name: str) -> Sequence[str]:
        """All that was chosen under one name."""
        return self.typed.get(name, ())

    def made_of(self, facts: Mapping[str, str]) -> Mapping[str, str]:
        """Fields that tell what a form is made of: these facts, or still those of before where it was refused."""
        kept = {} if self.problem and self.problem.code == EditedMeanwhile.code else self.typed
        return {WAS + name: next(iter(kept.get(WAS + name, ())), _short(text)) for name, text in facts.items()}

    def expecting(self, facts: Callable[[T], Mapping[str, str]]) -> Callable[[T], None]:
        """What lets a service go on only where things are as the form was made of.

        Raises:
            EditedMeanwhile: They are not, at that moment.
        """

        def require_same(found: T) -> None:
            now, was = facts(found), [name.removeprefix(WAS) for name in self.typed if name.startswith(WAS)]
            changed = [name for name in was if self.field(WAS + name) != _short(now.get(name, ""))]
            if changed:
                raise EditedMeanwhile(changes=", ".join(_told(name, now.get(name, "")) for name in changed))

        return require_same

    def shown(self, template: str, **facts: object) -> web.Response:
        """A page of these facts."""
        status = self.problem.status if self.problem else HTTPStatus.OK
        said = unquote(self.request.cookies.get(SAID, ""))
        response = self.request.app[PAGES].shown(
            template, status=status, look=self, csrf=token_for(self.request, self.visitor.session), said=said, **facts
        )
        if said:
            response.del_cookie(SAID)
        return response

    def leads(self, path: str, *, said: str = "") -> NoReturn:
        """Go on at another page (303), where these words are shown once."""
        words = {"Set-Cookie": f"{SAID}={quote(said)}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax"} if said else {}
        raise web.HTTPSeeOther(self.request.app[PAGES].root + path, headers=words)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page, or one form's end; `refused` shows the form again when it was."""

    method: str
    path: str
    run: Callable[[Look], Coroutine[Any, Any, web.StreamResponse]]
    role: Role
    refused: "Page | None"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Find out who looks, and show or do it."""
        visitor = await required(request, role=self.role)
        if visitor.session is None:  # a token is issued for a part of the API, and opens no page
            raise NotSignedIn
        house = request.config_dict
        look = Look(
            request=request,
            visitor=visitor,
            services=house[SERVICES],
            blobs=house[BLOBS],
            typed=await typed(request) if self.method == "POST" else {},
        )
        if self.method != "POST":
            return await self.run(look)
        try:
            return await finished(request, self.run(look))
        except DomainError as error:
            if self.refused is None:
                raise
            return await self.refused.run(replace(look, problem=of(error)))


def page(
    method: str, path: str, *, role: Role | None = None, refused: Page | None = None
) -> Callable[[Callable[[Look], Coroutine[Any, Any, web.StreamResponse]]], Page]:
    """Make a page of an async function of a look. Looking takes the role of a viewer, sending a form that of a user."""

    def defined(function: Callable[[Look], Coroutine[Any, Any, web.StreamResponse]]) -> Page:
        needed = role or (Role.VIEWER if method == "GET" else Role.USER)
        return Page(method=method, path=path, run=function, role=needed, refused=refused)

    return defined


def one_of(kind: type[E], text: str, *, what: str) -> E:
    """The member of an enumeration that was chosen.

    Raises:
        BadValue: There is none of this name.
    """
    try:
        return kind(text)
    except ValueError:
        why = f"it is one of {', '.join(one.value for one in kind)}"
        raise BadValue(what=what, value=text[:40], why=why) from None


def _told(name: str, text: str) -> str:
    return f"{name} is now «{shorten(text, TOLD, placeholder=' …')}»" if text else f"{name} is empty now"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def typed(request: web.Request) -> Mapping[str, Sequence[str]]:
    """The fields of a form, in order; files are none of them."""
    sent = await form(request)
    return {name: [one for one in sent.getall(name) if isinstance(one, str)] for name in sent}
