"""Signing in with Discord: OAuth 2.0's authorization code (RFC 6749) with PKCE (RFC 7636), bound to one browser.

The browser keeps what it set out with in a signed cookie, so that nobody can send it home with somebody else's code.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode, urlsplit

import aiohttp
from pydantic import BaseModel, Field, ValidationError

from core.domain.connection import challenge
from core.domain.errors import BadLink, SignInDown, SignInFailed
from core.domain.signature import signed, verified
from core.domain.value import Value

NAME = "Discord"
PURPOSE = "login discord"
DENIED = "access_denied"
VALID_FOR = timedelta(minutes=10)
PATIENCE = aiohttp.ClientTimeout(total=10)


class Journey(Value):
    """What a browser set out with: what comes back must name `state`; `verifier` answers the challenge that went."""

    state: str
    verifier: str
    onward: str
    until: datetime

    def signed(self, keys: Mapping[str, bytes]) -> str:
        """As a cookie."""
        return signed(self.model_dump_json(), purpose=PURPOSE, keys=keys)


class Grant(BaseModel):
    """What a code is exchanged for."""

    access_token: str


class Profile(BaseModel):
    """Somebody on Discord."""

    id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
    username: str
    global_name: str | None = None

    @property
    def name(self) -> str:
        """What they are called there."""
        return self.global_name or self.username


@dataclass(frozen=True, kw_only=True)
class Discord:
    """The application that its operator has made there."""

    client: str
    secret: str = field(repr=False)
    api: str = "https://discord.com/api/v10"

    def page(self, journey: Journey, *, redirect: str) -> str:
        """Where somebody says yes."""
        parts = urlsplit(self.api)
        asked = {
            "response_type": "code",
            "client_id": self.client,
            "scope": "identify",
            "redirect_uri": redirect,
            "state": journey.state,
            "code_challenge": challenge(journey.verifier),
            "code_challenge_method": "S256",
        }
        return f"{parts.scheme}://{parts.netloc}/oauth2/authorize?{urlencode(asked)}"

    async def profile(self, code: str, *, verifier: str, redirect: str) -> Profile:
        """Who a code is from; it is used up.

        Raises:
            SignInFailed: Discord does not know the code (any more), or not the application.
            SignInDown: Discord does not answer, or not in words that we know.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        try:
            async with aiohttp.ClientSession(self.api.rstrip("/") + "/", timeout=PATIENCE) as http:
                basic = {"Authorization": aiohttp.encode_basic_auth(self.client, self.secret)}
                async with http.post("oauth2/token", data=form, headers=basic, allow_redirects=False) as answer:
                    grant = Grant.model_validate_json(await _said(answer))
                bearer = {"Authorization": f"Bearer {grant.access_token}"}
                async with http.get("users/@me", headers=bearer, allow_redirects=False) as answer:
                    return Profile.model_validate_json(await _said(answer))
        except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
            raise SignInDown(platform=NAME) from error


def returned(cookie: str, given: Mapping[str, str], *, keys: Mapping[str, bytes], now: datetime) -> tuple[Journey, str]:
    """What a browser set out with, and the code that it brings.

    Raises:
        SignInFailed: Its owner has said no, or it set out elsewhere, or too long ago.
    """
    try:
        journey = Journey.model_validate_json(verified(cookie, purpose=PURPOSE, keys=keys))
    except BadLink as error:
        raise SignInFailed(platform=NAME, why="you set out in another browser, or too long ago") from error
    if not hmac.compare_digest(journey.state.encode(), given.get("state", "").encode()) or journey.until <= now:
        raise SignInFailed(platform=NAME, why="you set out in another browser, or too long ago")
    if "code" not in given:
        raise SignInFailed(platform=NAME, why="you said no" if given.get("error") == DENIED else "it would not")
    return journey, given["code"]


async def _said(answer: aiohttp.ClientResponse) -> bytes:
    """The body of a good answer.

    Raises:
        SignInFailed: Discord does not know the code, or not the application.
        aiohttp.ClientResponseError: The answer is not good.
    """
    if answer.status == HTTPStatus.BAD_REQUEST:
        raise SignInFailed(platform=NAME, why="it does not know this sign-in (any more)")
    if answer.status == HTTPStatus.UNAUTHORIZED:
        raise SignInFailed(platform=NAME, why="an operator has to look at DISCORD_CLIENT_SECRET")
    if answer.status != HTTPStatus.OK:
        raise aiohttp.ClientResponseError(answer.request_info, answer.history, status=answer.status)
    return await answer.read()
