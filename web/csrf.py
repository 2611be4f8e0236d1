"""Proof that what a browser sends comes from a page of ours, and what becomes of a form that was open for too long.

No other site can read the token, as it lies in our pages, or make one, as it is signed for one session. A form whose
token is too old is shown again with everything in it; for a script there is a fresh token in the refusal's header.
"""

from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web

from core.domain.errors import BadLink, CrossSite, CsrfExpired
from core.domain.session import Session
from core.domain.signature import signed, verified
from web.bodies import form
from web.pages import PAGES, wants_page
from web.problems import Handler
from web.visiting import SERVICES, bearer, visitor

FIELD, HEADER, PURPOSE = "csrf", "X-CSRF-Token", "csrf"
FRESH: web.RequestKey[str] = web.RequestKey("fresh")
LASTS = timedelta(hours=12)
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
PROVEN = ("/u/", "/d/", "/connect/")  # such a link is a secret itself
OPEN = "/login"  # what nobody has to be signed in for
OURS = {"same-origin", "none"}  # a page of ours, or somebody's own hand; another of the same domain is another site
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}


def token_for(request: web.Request, session: Session | None) -> str:
    """The token for a page that is shown to this session; nothing for a visitor without one, who needs none."""
    if session is None:
        return ""
    sessions = request.config_dict[SERVICES].sessions
    until = int((sessions.clock.now() + LASTS).timestamp())
    return signed(f"{session.handle}:{until}", purpose=PURPOSE, keys=sessions.keys)


@web.middleware
async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let nothing be changed in the name of somebody whose browser was sent here by another site.

    A program's bearer token needs no such proof: no browser sends it by itself. Where the token is not in the header,
    the whole form is read to find it: files that are not small go to an upload link, or need the header.

    Raises:
        CrossSite: Another site has sent it.
        CsrfExpired: The token is missing or too old, and it is no form that could be shown again.
    """
    if request.method not in UNSAFE or request.path.startswith(PROVEN) or bearer(request) is not None:
        return await handler(request)
    if _is_foreign(request):
        raise CrossSite
    if request.path.startswith(OPEN):
        return await handler(request)
    found = await visitor(request)
    session = found.session if found else None
    named, until = _read(request, await _shown(request))
    is_ours = session is not None and named == session.handle
    if is_ours and request.config_dict[SERVICES].sessions.clock.now().timestamp() < until:
        return await handler(request)
    is_form = request.content_type in FORMS and wants_page(request) and "HX-Request" not in request.headers
    if is_form and (is_ours or request.headers.get("Sec-Fetch-Site") == "same-origin"):
        return await _again(request, session, name=found.actor.name if found else None)
    if session is None:
        return await handler(request)  # which knows what is open to everybody
    request[FRESH] = token_for(request, session)
    raise CsrfExpired


async def renewed(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Give a refusal the token that the same request needs to pass."""
    if FRESH in request:
        response.headers[HEADER] = request[FRESH]


def _is_foreign(request: web.Request) -> bool:
    """Whether the browser says that another site sent it (Fetch Metadata; older browsers only name an origin)."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site not in OURS
    try:
        origin = urlsplit(request.headers.get("Origin", "")).netloc
    except ValueError:
        return True
    own = urlsplit(request.config_dict[SERVICES].sessions.address).netloc
    return bool(origin) and origin not in {request.host, own}


async def _shown(request: web.Request) -> str:
    """The token that came along, or nothing."""
    if HEADER in request.headers or request.content_type not in FORMS:
        return request.headers.get(HEADER, "")
    token = (await form(request)).get(FIELD, "")
    return token if isinstance(token, str) else ""


def _read(request: web.Request, token: str) -> tuple[str, int]:
    """Whose session a token is for, and until when; nobody's where it is none of ours."""
    try:
        text = verified(token, purpose=PURPOSE, keys=request.config_dict[SERVICES].sessions.keys)
    except BadLink:
        return "", 0
    name, _, until = text.partition(":")
    return name, int(until)


async def _again(request: web.Request, session: Session | None, *, name: str | None) -> web.Response:
    """Everything that was typed, ready to be sent with a fresh token; no browser lets us put files back."""
    sent = await form(request)
    typed = [(field, value) for field, value in sent.items() if isinstance(value, str) and field != FIELD]
    files = [value.filename for value in sent.values() if isinstance(value, web.FileField) and value.filename]
    pages = request.app[PAGES]
    return pages.shown(
        "expired.html",
        status=HTTPStatus.FORBIDDEN,
        action=pages.root + str(request.rel_url),
        typed=typed,
        files=files,
        csrf=token_for(request, session),
        name=name,
    )
