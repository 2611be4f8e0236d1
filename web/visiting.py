"""Who asks: a person with a session, or a program with a token; and what an edge is given with each request."""

import asyncio
from collections.abc import Collection, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from core.domain.account import Actor, Place, Role
from core.domain.errors import NotSignedIn, TokenTooNarrow
from core.domain.replay import replay_id
from core.domain.session import Session
from core.domain.token import Scope, Token
from core.ports.blobs import Blobs
from core.services import Services

SERVICES = web.AppKey("services", Services)
UNDERWAY = web.AppKey("underway", set[asyncio.Future[Any]])
BLOBS = web.AppKey("blobs", Blobs)
BEARER = "Bearer "
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody who is known by their `proof`. `place` is where they are told what they order."""

    actor: Actor
    place: Place
    proof: Session | Token

    @property
    def session(self) -> Session | None:
        """The session of their browser; a program has none."""
        return self.proof if isinstance(self.proof, Session) else None

    @property
    def scopes(self) -> Collection[Scope]:
        """What they may do: with a session everything."""
        return self.proof.scopes if isinstance(self.proof, Token) else frozenset(Scope)

    def require(self, *, scope: Scope, role: Role) -> None:
        """Let pass who may do this.

        Raises:
            Banned: The account may do nothing here.
            TokenTooNarrow: The token was not issued for it.
            NotAllowed: It takes a higher role.
        """
        self.actor.require_welcome()
        if scope not in self.scopes:
            raise TokenTooNarrow(scope=scope)
        self.actor.require(role)


VISITOR: web.RequestKey[Visitor | None] = web.RequestKey("visitor")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request of somebody, and the house. `key` makes what it asks for happen once."""

    request: web.Request
    visitor: Visitor
    services: Services
    blobs: Blobs
    key: str

    @property
    def actor(self) -> Actor:
        """Who asks."""
        return self.visitor.actor

    @property
    def place(self) -> Place:
        """Where they are told later."""
        return self.visitor.place


def asked(request: web.Request, visitor: Visitor, *, key: str) -> Asked:
    """A request of somebody, with a key that is theirs alone."""
    app = request.config_dict
    whole = replay_id(visitor.actor.account, key)
    return Asked(request=request, visitor=visitor, services=app[SERVICES], blobs=app[BLOBS], key=whole)


async def finished(request: web.Request, work: Coroutine[Any, Any, T]) -> T:
    """Do something to the end, also when whoever asked for it leaves."""
    task, underway = asyncio.ensure_future(work), request.config_dict[UNDERWAY]
    underway.add(task)
    task.add_done_callback(underway.discard)
    return await asyncio.shield(task)


async def required(request: web.Request, *, scope: Scope = Scope.READ, role: Role = Role.VIEWER) -> Visitor:
    """Who asks, if they may.

    Raises:
        NotSignedIn: Nobody knows who it is.
        Banned, TokenTooNarrow, NotAllowed: They may not.
    """
    found = await visitor(request)
    if found is None:
        raise NotSignedIn
    found.require(scope=scope, role=role)
    return found


async def visitor(request: web.Request) -> Visitor | None:
    """Who asks, if anybody knows; found out once a request.

    Raises:
        NotSignedIn: A token came along, and is none (any more).
    """
    if VISITOR not in request:
        request[VISITOR] = await _met(request)
    return request[VISITOR]


def bearer(request: web.BaseRequest) -> str | None:
    """The token that a program shows."""
    shown = request.headers.get("Authorization", "")
    return shown.removeprefix(BEARER).strip() if shown.startswith(BEARER) else None


def cookie(address: str) -> str:
    """The name of the session's cookie: bound to this very host where the line is safe (RFC 6265bis, section 4.1.3)."""
    parts = urlsplit(address)
    return "__Host-session" if parts.scheme == "https" and not parts.path else "session"


async def _met(request: web.Request) -> Visitor | None:
    services = request.config_dict[SERVICES]
    if (secret := bearer(request)) is not None:
        token, actor, place = await services.tokens.seen(secret)
        return Visitor(actor=actor, place=place, proof=token)
    secret = request.cookies.get(cookie(services.uploads.address))
    if not secret:
        return None
    try:
        session, actor, place = await services.sessions.seen(secret)
    except NotSignedIn:
        return None
    return Visitor(actor=actor, place=place, proof=session)
