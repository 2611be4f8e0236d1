"""Routes of the API: `@route("GET", "/datasets/{dataset}")` over an async function with annotated parameters."""

import hashlib
import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.domain.account import Role
from core.domain.errors import DomainError, KeyMissing, Malformed, NotAsSeen
from core.domain.replay import KEY_LENGTH, Answer
from core.domain.token import Scope
from core.domain.value import Value
from web.bodies import whole
from web.visiting import SERVICES, Asked, asked, finished, required

PREFIX = "/api/v1"
KEY = "Idempotency-Key"
MOST = 100  # things on a page
M = TypeVar("M", bound=BaseModel)


class Query(Value):
    """What stands behind the question mark."""


class Paging(Query):
    """Which part of a list: what `next` of the last page says, and how many at most."""

    after: Annotated[str, Field(max_length=200, description="`next` of the page before")] = ""
    limit: Annotated[int, Field(ge=1, le=MOST, description="How many at most")] = 25


class Body(BaseModel):
    """What a request brings, as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Out(BaseModel):
    """What is answered, as JSON. Fields that are `fleeting`, such as signed links, are no part of its version."""

    model_config = ConfigDict(frozen=True)
    fleeting: ClassVar[frozenset[str]] = frozenset()

    @property
    def tag(self) -> str:
        """Its version (RFC 9110, section 8.8.3): other things have other tags."""
        text = self.model_dump_json(exclude=set(self.fleeting))
        return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


O = TypeVar("O", bound=Out)  # noqa: E741 - as in Out


class Listed(Out, Generic[O]):
    """A page of things; `next` is where the following one begins, if there is one."""

    items: tuple[O, ...]
    next: str | None = None

    @classmethod
    def of(cls, found: Sequence[O], *, limit: int, name: Callable[[O], str]) -> Self:
        """A page out of one thing more than fits, which tells whether there is another page."""
        page = tuple(found[:limit])
        return cls(items=page, next=name(page[-1]) if len(found) > limit else None)


@dataclass(frozen=True, kw_only=True)
class Route:
    """One route, for the server and for the document.

    `location` is where what was made is found, `media` what a raw answer is, `takes` what a raw request is.
    """

    method: str
    path: str
    summary: str
    details: str
    tag: str
    run: Callable[..., Awaitable[object]]
    query: type[Query] | None
    body: type[Body] | None
    returns: Any
    status: HTTPStatus
    scope: Scope
    role: Role
    idempotent: bool
    location: str | None
    media: str | None
    takes: str | None
    errors: tuple[type[DomainError], ...]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path."""
        return tuple(re.findall(r"{(\w+)}", self.path))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Parse, run and answer."""
        visitor = await required(request, scope=self.scope, role=self.role)
        given = await self._given(request)
        if self.idempotent:
            ask = asked(request, visitor, key=_key(request))
            return await finished(request, self._once(ask, given))  # also when nobody waits for it any more
        ask = asked(request, visitor, key=request.config_dict[SERVICES].conversations.token())
        return self._answered(ask, await self.run(ask, **given))

    async def _given(self, request: web.Request) -> dict[str, Any]:
        given: dict[str, Any] = dict(request.match_info)
        if self.query:
            given["query"] = _parsed(self.query, _single(request), where="query")
        elif request.query:
            raise _malformed([((next(iter(request.query)),), "there is no such parameter")], where="query")
        if self.body:
            given["body"] = await _body(self.body, request)
        return given

    async def _once(self, ask: Asked, given: Mapping[str, Any]) -> web.StreamResponse:
        """Run a request with its key, or answer it as it was the first time."""
        replays, key = ask.services.replays, _key(ask.request)
        replay = await replays.begin(ask.actor, key, asked=await _digest(ask.request))
        if replay.answer:
            return _replayed(replay.answer)
        try:
            response = self._answered(ask, await self.run(ask, **given))
        except (DomainError, web.HTTPException):  # nothing was done; after anything else nobody can tell
            await replays.dropped(replay)
            raise
        answer = Answer(status=response.status, location=response.headers.get("Location"), body=_text(response))
        await replays.answered(replay, answer)
        return response

    def _answered(self, ask: Asked, result: object) -> web.StreamResponse:
        if isinstance(result, web.StreamResponse):
            return result
        if not isinstance(result, Out):
            return web.Response(status=HTTPStatus.NO_CONTENT)
        headers = {} if isinstance(result, Listed) else {"ETag": result.tag}
        if self.method == "GET" and headers.get("ETag") in _tags(ask.request, "If-None-Match"):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        if self.location:
            names = {**ask.request.match_info, **dict(result)}
            where = self.location.format(**{name: quote(str(value), safe="") for name, value in names.items()})
            headers["Location"] = ask.services.uploads.address + PREFIX + where
        return web.Response(
            text=result.model_dump_json(), status=self.status, headers=headers, content_type="application/json"
        )


def route(
    method: str,
    path: str,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    scope: Scope | None = None,
    role: Role | None = None,
    idempotent: bool = False,
    location: str | None = None,
    media: str | None = None,
    takes: str | None = None,
    errors: tuple[type[DomainError], ...] = (),
) -> Callable[[Callable[..., Awaitable[object]]], Route]:
    """Make a route of an async function `(asked, …)`; its docstring is the summary, its annotations the schemas.

    Parameters called `query` and `body` are a `Query` and a `Body`; all others stand in the path. Reading takes the
    scope `read` and the role of a viewer, anything else `write` and that of a user, unless it says otherwise.
    """
    reads = method == "GET"

    def defined(function: Callable[..., Awaitable[object]]) -> Route:
        summary, _, details = inspect.cleandoc(function.__doc__ or "").partition("\n")
        hints = typing.get_type_hints(function, include_extras=True)
        return Route(
            method=method,
            path=path,
            summary=summary,
            details=details.partition("Raises:")[0].strip(),
            tag=function.__module__.rpartition(".")[2],
            run=function,
            query=hints.get("query"),
            body=hints.get("body"),
            returns=hints.get("return"),
            status=status,
            scope=scope or (Scope.READ if reads else Scope.WRITE),
            role=role or (Role.VIEWER if reads else Role.USER),
            idempotent=idempotent,
            location=location,
            media=media,
            takes=takes,
            errors=errors,
        )

    return defined


def require_match(ask: Asked, current: Out) -> None:
    """Let an edit pass that was made of what is there now, or that does not say what it was made of.

    Raises:
        NotAsSeen: It was made of something else (RFC 9110, section 13.1.1).
    """
    tags = _tags(ask.request, "If-Match")
    if tags and "*" not in tags and current.tag not in tags:
        raise NotAsSeen


def _tags(request: web.Request, header: str) -> frozenset[str]:
    parts = [part.strip() for part in request.headers.get(header, "").split(",")]
    return frozenset(part.removeprefix("W/") for part in parts if part)


def _key(request: web.Request) -> str:
    key = request.headers.get(KEY, "").strip('"')
    if not 0 < len(key) <= KEY_LENGTH or not key.isprintable():
        raise KeyMissing(most=KEY_LENGTH)
    return key


async def _digest(request: web.Request) -> str:
    """What a request says, in short."""
    body = await whole(request)
    return hashlib.sha256(f"{request.method} {request.raw_path}\n".encode() + body).hexdigest()


def _replayed(answer: Answer) -> web.Response:
    headers = {"Idempotency-Replayed": "true"} | ({"Location": answer.location} if answer.location else {})
    if not answer.body:
        return web.Response(status=answer.status, headers=headers)
    return web.Response(text=answer.body, status=answer.status, headers=headers, content_type="application/json")


def _text(response: web.StreamResponse) -> str:
    return (response.text or "") if isinstance(response, web.Response) else ""


def _single(request: web.Request) -> dict[str, str]:
    twice = [name for name in request.query if len(request.query.getall(name)) > 1]
    if twice:
        raise _malformed([((twice[0],), "it stands there twice")], where="query")
    return dict(request.query)


async def _body(kind: type[M], request: web.Request) -> M:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send JSON: `Content-Type: application/json`.")
    return _parsed(kind, await whole(request), where="body")


def _parsed(kind: type[M], given: Mapping[str, str] | bytes, *, where: str) -> M:
    try:
        return kind.model_validate_json(given) if isinstance(given, bytes) else kind.model_validate(given)
    except ValidationError as error:
        faults = [(one["loc"], one["msg"]) for one in error.errors(include_url=False, include_context=False)]
        raise _malformed(faults, where=where) from error


def _malformed(faults: Sequence[tuple[Sequence[object], str]], *, where: str) -> Malformed:
    told = tuple((".".join([where, *map(str, place)]), why.removesuffix(".")) for place, why in faults)
    return Malformed(where=told[0][0], why=told[0][1], faults=told)
