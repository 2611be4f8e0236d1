"""Tokens for programs: issued by a person who is signed in, shown once, listed, taken back."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, ClassVar

from pydantic import Field

from core.domain.account import Role
from core.domain.errors import BadValue, NotFound, SessionNeeded, TooManyTokens
from core.domain.token import LONGEST, NAME_LENGTH, Scope, Token
from web.api.route import Body, Listed, Out, route
from web.visiting import Asked


class TokenOut(Out):
    """A token: `prefix` is how its secret begins; one that was revoked or has expired opens nothing."""

    id: str
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime
    revoked_at: datetime | None


class IssuedOut(TokenOut):
    """A token that was just issued; its secret is said this once."""

    fleeting: ClassVar[frozenset[str]] = frozenset({"secret"})
    secret: str


class TokenIn(Body):
    """What a token is for, what it may do, and for how many days."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=len(Scope))]
    days: Annotated[int, Field(ge=1, le=LONGEST)] = 90


@route("GET", "/tokens")
async def list_(asked: Asked) -> Listed[TokenOut]:
    """List your tokens, the latest first, with those that are over since lately."""
    return Listed[TokenOut](items=tuple(token_out(one) for one in await asked.services.tokens.list(asked.actor)))


@route("POST", "/tokens", status=HTTPStatus.CREATED, errors=(BadValue, SessionNeeded, TooManyTokens))
async def issue(asked: Asked, body: TokenIn) -> IssuedOut:
    """Issue a token; a token cannot ask for another, whatever its scopes.

    Send it once: what is answered holds a secret, so it is kept nowhere, and sending it again issues another token.
    """
    if asked.visitor.session is None:
        raise SessionNeeded
    issued = await asked.services.tokens.issue(asked.actor, name=body.name, scopes=body.scopes, days=body.days)
    return IssuedOut(**dict(token_out(issued.token)), secret=issued.secret)


@route("DELETE", "/tokens/{token}", status=HTTPStatus.NO_CONTENT, role=Role.VIEWER, errors=(NotFound,))
async def revoke(asked: Asked, token: str) -> None:
    """Revoke a token: it opens nothing any more."""
    await asked.services.tokens.revoke(asked.actor, token)


def token_out(token: Token) -> TokenOut:
    """A token as programs see it."""
    fields = {name: getattr(token, name) for name in TokenOut.model_fields if name != "id"}
    return TokenOut(id=token.handle, **fields)
