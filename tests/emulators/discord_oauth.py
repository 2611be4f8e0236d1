"""Discord's side of signing in with it, on loopback: as strict as its documentation says.

https://discord.com/developers/docs/topics/oauth2#authorization-code-grant
"""

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode

from aiohttp import encode_basic_auth, web
from aiohttp.test_utils import TestServer

CLIENT, SECRET = "1234567890", "a-client-secret"
CHALLENGE_LENGTH = 43  # characters of a SHA-256 in base64url


@dataclass(kw_only=True)
class DiscordOAuth:
    """One application, one person who decides, and how well Discord is."""

    redirect: str
    person: dict[str, object] = field(default_factory=lambda: {"id": "42", "username": "hilda", "global_name": "Hilda"})
    willing: bool = True
    broken: str = ""  # "down" or "garbled"
    codes: dict[str, str] = field(default_factory=dict)  # by code: its challenge
    tokens: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Answer, at this API address."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/oauth2/authorize", self.authorize),
                web.post("/api/v10/oauth2/token", self.token),
                web.get("/api/v10/users/@me", self.me),
            ]
        )
        async with TestServer(app) as server:
            yield str(server.make_url("/api/v10"))

    async def authorize(self, request: web.Request) -> web.Response:
        """Ask the person."""
        asked = request.query
        challenge = asked.get("code_challenge", "")
        sound = (
            (asked.get("response_type"), asked.get("client_id"), asked.get("scope")) == ("code", CLIENT, "identify")
            and asked.get("redirect_uri") == self.redirect
            and (asked.get("code_challenge_method"), len(challenge)) == ("S256", CHALLENGE_LENGTH)
        )
        if not sound:
            return web.json_response({"error": "invalid_request"}, status=HTTPStatus.BAD_REQUEST)
        if self.willing:
            code = secrets.token_urlsafe(22)
            self.codes[code] = challenge
            answer = {"code": code}
        else:
            answer = {"error": "access_denied", "error_description": "The resource owner or server denied the request"}
        state = {"state": asked["state"]} if "state" in asked else {}
        raise web.HTTPFound(f"{self.redirect}?{urlencode(answer | state)}")

    async def token(self, request: web.Request) -> web.Response:
        """Exchange a code, once."""
        if self.broken:
            return self._broken()
        if request.headers.get("Authorization") != encode_basic_auth(CLIENT, SECRET):
            return web.json_response({"error": "invalid_client"}, status=HTTPStatus.UNAUTHORIZED)
        form = await request.post()
        challenge = self.codes.pop(str(form.get("code")), None)
        proof = hashlib.sha256(str(form.get("code_verifier")).encode()).digest()
        answered = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        grants = (form.get("grant_type"), form.get("redirect_uri")) == ("authorization_code", self.redirect)
        if not grants or challenge is None or challenge != answered:
            return web.json_response({"error": "invalid_grant"}, status=HTTPStatus.BAD_REQUEST)
        token = secrets.token_urlsafe(22)
        self.tokens.add(token)
        return web.json_response(
            {"access_token": token, "token_type": "Bearer", "expires_in": 604800, "scope": "identify"}
        )

    async def me(self, request: web.Request) -> web.Response:
        """Say who the person is."""
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return web.json_response({"message": "401: Unauthorized", "code": 0}, status=HTTPStatus.UNAUTHORIZED)
        return web.json_response({**self.person, "discriminator": "0", "avatar": None})

    def _broken(self) -> web.Response:
        if self.broken == "garbled":
            return web.Response(text="<html>a proxy's page</html>", content_type="text/html")
        return web.Response(status=HTTPStatus.BAD_GATEWAY)
