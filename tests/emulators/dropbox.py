"""Dropbox on loopback, over TLS: the endpoints of an app with a folder of its own, which refuse as they are told."""

import asyncio
import hashlib
import ipaddress
import json
import ssl
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from yarl import URL

from core.domain.connection import challenge

APP_KEY, REFRESH, ACCESS, NAME = "app-key", "the-refresh-token", "sl.the-access-token", "Ann <Doe>"
MOST = 150 * 2**20  # bytes of a request
# The modules that keep an address; all others of the SDK, which take a while to load, stay.
ADDRESSED = ("dropbox", "dropbox.session", "dropbox.dropbox_client", "dropbox.oauth", "worker.adapters.dropbox")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """How one request to a route is answered instead; `after` says whether it is done all the same."""

    status: int
    body: Any = "refused"
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False


@dataclass(kw_only=True)
class Dropbox:
    """The service. `codes` are open authorizations: code → (challenge, redirect); `files` what lies in the folder.

    `meanwhile` happens while somebody waits for a token.
    """

    host: str = ""
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    sessions: dict[str, bytearray] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    refusals: dict[str, deque[Refusal]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[Any]] | None = None
    transports: set[asyncio.Transport] = field(default_factory=set, repr=False)
    revoked: bool = False

    def allows(self, page: str, *, code: str = "the-code") -> Mapping[str, str]:
        """Let somebody press «Allow» on the page; what they are sent back with."""
        asked = dict(URL(page).query)
        assert page.startswith(f"https://{self.host}/oauth2/authorize?")
        assert (asked["client_id"], asked["response_type"], asked["token_access_type"]) == (APP_KEY, "code", "offline")
        assert asked["code_challenge_method"] == "S256"
        self.codes[code] = (asked["code_challenge"], asked["redirect_uri"])
        return {"state": asked["state"], "code": code}

    def refuses(self, route: str, *refusals: Refusal) -> None:
        """Answer the next requests to a route so."""
        self.refusals.setdefault(route, deque()).extend(refusals)

    async def token(self, request: web.Request) -> web.Response:
        """POST /oauth2/token: a code, or a refresh token, becomes an access token."""
        form = await request.post()
        if form["client_id"] != APP_KEY:
            return _json({"error": "invalid_client"}, status=400)
        granted = {"access_token": ACCESS, "expires_in": 14400, "token_type": "bearer"}
        if form["grant_type"] == "refresh_token":
            is_good = form["refresh_token"] == REFRESH and not self.revoked
            return _json(granted if is_good else {"error": "invalid_grant"}, status=200 if is_good else 400)
        if self.meanwhile:
            await self.meanwhile()
        proof, redirect = self.codes.pop(str(form["code"]), ("", ""))
        if proof != challenge(str(form["code_verifier"])) or redirect != form["redirect_uri"]:
            return _json({"error": "invalid_grant"}, status=400)
        return _json({**granted, "refresh_token": REFRESH, "account_id": "dbid:1", "uid": "1"})

    async def account(self, _: web.Request) -> web.Response:
        """Whose it is."""
        name = {
            "given_name": "Ann", "surname": "D", "familiar_name": "Ann", "display_name": NAME, "abbreviated_name": "AD"
        }  # fmt: skip
        return _json(
            {
                "account_id": f"dbid:{'x' * 35}",
                "name": name,
                "email": "ann@example.org",
                "email_verified": True,
                "disabled": False,
                "locale": "en",
                "referral_link": "https://db.tt/x",
                "is_paired": False,
                "account_type": {".tag": "basic"},
                "root_info": {".tag": "user", "root_namespace_id": "1", "home_namespace_id": "1"},
            }
        )

    async def revoke(self, _: web.Request) -> web.Response:
        """Nobody gets in any more."""
        self.revoked = True
        return _json(None)

    async def start(self, request: web.Request) -> web.Response:
        """Begin an upload session."""
        name = f"session-{len(self.sessions)}"
        self.sessions[name] = bytearray(await request.read())
        return _json({"session_id": name})

    async def append(self, request: web.Request) -> web.Response:
        """Take a piece where the last one ended."""
        asked, piece = _argument(request), await request.read()
        session = self.sessions[asked["cursor"]["session_id"]]
        if asked["cursor"]["offset"] != len(session):
            error = {".tag": "incorrect_offset", "correct_offset": len(session)}
            return _json({"error_summary": "incorrect_offset/", "error": error}, status=409)
        assert len(piece) <= MOST
        assert asked["content_hash"] == _content_hash(piece)
        session += piece
        return _json(None)

    async def finish(self, request: web.Request) -> web.Response:
        """Let the file appear."""
        asked = _argument(request)
        content = bytes(self.sessions.pop(asked["cursor"]["session_id"]) + await request.read())
        path, mode = asked["commit"]["path"], asked["commit"]["mode"]
        assert asked["cursor"]["offset"] == len(content)
        assert mode in ("overwrite", {".tag": "overwrite"})
        self.files[path] = content
        return _json(
            {
                "name": path.removeprefix("/"),
                "id": "id:1",
                "client_modified": "2026-03-01T12:00:00Z",
                "server_modified": "2026-03-01T12:00:00Z",
                "rev": "0123456789abcdef",
                "size": len(content),
                "path_lower": path.lower(),
                "path_display": path,
            }
        )

    @web.middleware
    async def strict(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Count, refuse what is to be refused, and let nobody in without a token."""
        route = request.path.removeprefix("/2/").removeprefix("/")
        self.asked.append(route)
        self.transports.add(cast("asyncio.Transport", request.transport))
        waiting = self.refusals.get(route)
        refusal = waiting.popleft() if waiting else None
        if refusal is None or refusal.after:
            authorized = request.headers.get("Authorization") == f"Bearer {ACCESS}" and not self.revoked
            if route != "oauth2/token" and not authorized:
                return _unwelcome("invalid_access_token")
            answer: web.StreamResponse = await handler(request)
        if refusal is None:
            return answer
        if isinstance(refusal.body, str):
            return web.Response(text=refusal.body, status=refusal.status, headers=refusal.headers)
        return _json(refusal.body, status=refusal.status, headers=refusal.headers)


@asynccontextmanager
async def standing_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dropbox]:
    """Let the SDK find this in place of Dropbox; its addresses are read from the environment on its first import."""
    service = Dropbox()
    app = web.Application(middlewares=[service.strict], client_max_size=MOST)
    app.add_routes(
        [
            web.post("/oauth2/token", service.token),
            web.post("/2/users/get_current_account", service.account),
            web.post("/2/auth/token/revoke", service.revoke),
            web.post("/2/files/upload_session/start", service.start),
            web.post("/2/files/upload_session/append_v2", service.append),
            web.post("/2/files/upload_session/finish", service.finish),
        ]
    )
    certificate = _certified(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    service.host = f"{server.host}:{server.port}"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    for name in ("API", "API_CONTENT", "WEB"):
        monkeypatch.setenv(f"DROPBOX_{name}_HOST", service.host)
    _forget_imports()
    try:
        yield service
    finally:
        await server.close()
        for transport in service.transports:
            transport.abort()  # TLS would wait half a minute for a good-bye that the SDK does not say
        await asyncio.sleep(0)
        _forget_imports()


def _forget_imports() -> None:
    for name in ADDRESSED:
        sys.modules.pop(name, None)


def _json(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer as Dropbox gives it: the SDK wants the media type alone, without a character set."""
    return web.Response(body=json.dumps(body).encode(), status=status, headers=headers, content_type="application/json")


def _unwelcome(tag: str) -> web.Response:
    return _json({"error_summary": f"{tag}/", "error": {".tag": tag}}, status=401)


def _argument(request: web.Request) -> Any:
    return json.loads(request.headers["Dropbox-API-Arg"])


def _content_hash(content: bytes) -> str:
    """Dropbox's own: the SHA-256 of the SHA-256s of blocks of 4 MiB."""
    size = 4 * 2**20
    blocks = (content[start : start + size] for start in range(0, len(content), size))
    return hashlib.sha256(b"".join(hashlib.sha256(block).digest() for block in blocks)).hexdigest()


def _certified(folder: Path) -> Path:
    """A key, and a certificate for 127.0.0.1 that vouches for itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "dropbox.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
