"""What went wrong, for programs (RFC 9457) and for people: the one place where errors become statuses."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode

import structlog
from aiohttp import web

from core.domain.errors import (
    Conflict,
    DomainError,
    FileTooLarge,
    Forbidden,
    Invalid,
    KeyReused,
    LinkExpired,
    Malformed,
    Missing,
    NotAsSeen,
    NotSignedIn,
    PromptUnclear,
    Refused,
    TooManyStreams,
    TooOften,
    Unavailable,
    UploadClosed,
    UploadFull,
    WrongOffset,
)
from web.pages import PAGES, wants_page

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CATEGORIES: Mapping[type[DomainError], HTTPStatus] = {
    Invalid: HTTPStatus.BAD_REQUEST,
    Missing: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    Refused: HTTPStatus.UNPROCESSABLE_ENTITY,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
CLOSER: Mapping[type[DomainError], HTTPStatus] = {  # where HTTP has a status that says more
    FileTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    LinkExpired: HTTPStatus.GONE,
    NotAsSeen: HTTPStatus.PRECONDITION_FAILED,
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    TooManyStreams: HTTPStatus.TOO_MANY_REQUESTS,
    TooOften: HTTPStatus.TOO_MANY_REQUESTS,
    UploadClosed: HTTPStatus.GONE,
    UploadFull: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
RETRY_AFTER = 5  # seconds
HOP = {"content-type", "content-length"}  # headers of aiohttp's own answer that ours replaces

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A status, a stable code, words, and headers that say more; `faults` are the places that do not fit, and why."""

    status: int
    code: str
    words: str
    faults: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@web.middleware
async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with the words for what went wrong; of what nobody has foreseen, with a reference into the log."""
    try:
        return await handler(request)
    except DomainError as error:
        problem = of(error)
    except web.HTTPException as error:
        problem = _of_http(error)
    except ConnectionError:
        raise  # nobody listens any more
    except Exception as error:  # noqa: BLE001 - the edge of the web: whatever it is, somebody waits for an answer
        problem = _broke(error)
    if request.writer.output_size:
        log.warning("web.broken_off", code=problem.code)
        raise ConnectionResetError  # too late for words: too few bytes say it
    if not wants_page(request):
        return _json(problem)
    return _page(request, problem) if problem.code != NotSignedIn.code else _sign_in(request)


def of(error: DomainError) -> Problem:
    """How HTTP says an error of the domain."""
    headers = {}
    if isinstance(error, WrongOffset):
        headers["Upload-Offset"] = str(error.offset)
    if isinstance(error, Unavailable | TooManyStreams):
        headers["Retry-After"] = str(RETRY_AFTER)
    if isinstance(error, TooOften):
        headers["Retry-After"] = str(error.seconds)
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    faults = error.faults if isinstance(error, Malformed | PromptUnclear) else ()
    return Problem(status=status(type(error)), code=error.code, words=str(error), faults=faults, headers=headers)


def status(kind: type[DomainError]) -> HTTPStatus:
    """The status of a kind of error: its own, or its category's."""
    return CLOSER.get(kind) or next(found for category, found in CATEGORIES.items() if issubclass(kind, category))


def _of_http(error: web.HTTPException) -> Problem:
    words = "There is no such page." if error.status == HTTPStatus.NOT_FOUND else f"{error.reason}."
    headers = {name: value for name, value in error.headers.items() if name.lower() not in HOP}
    return Problem(status=error.status, code=f"http_{error.status}", words=words, headers=headers)


def _broke(error: Exception) -> Problem:
    reference = secrets.token_hex(4)
    log.error("web.broke", reference=reference, exc_info=error)
    words = f"Something broke; reference {reference}. The log says more."
    return Problem(status=HTTPStatus.INTERNAL_SERVER_ERROR, code="broke", words=words)


def _sign_in(request: web.Request) -> web.Response:
    """To the door, and from there to where somebody was going."""
    after = request.path_qs if request.method == "GET" else "/"
    location = f"{request.app[PAGES].root}/login?{urlencode({'next': after})}"
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": location})


def _page(request: web.Request, problem: Problem) -> web.Response:
    response = request.app[PAGES].shown("problem.html", status=problem.status, problem=problem)
    response.headers.update(problem.headers)
    return response


def _json(problem: Problem) -> web.Response:
    title = HTTPStatus(problem.status).phrase
    members = {"type": "about:blank", "title": title, "status": problem.status, "detail": problem.words}
    faults = [{"at": place, "detail": why} for place, why in problem.faults]
    return web.json_response(
        {**members, "code": problem.code, **({"errors": faults} if faults else {})},
        status=problem.status,
        headers=problem.headers,
        content_type="application/problem+json",
    )
