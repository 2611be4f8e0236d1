"""Signing in and out: by a code or link from the bot, or by a platform that knows somebody.

A link is only looked at by GET, as chats fetch what they preview; a button uses it up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from core.domain.account import Platform
from core.domain.errors import DomainError, SignInGone, SignInOff, TooOften
from core.services import Services
from core.services.sessions import Opened
from web.bodies import form
from web.callers import caller, device
from web.headers import POLICY
from web.logins import Logins, discord, telegram
from web.logins.telegram import ONWARD
from web.pages import PAGES
from web.problems import of
from web.visiting import cookie

JOURNEY = "journey"  # the cookie of a browser that is at Discord
KEPT = 400 * 24 * 3600  # seconds that a cookie is kept, which is the longest there is; the session decides


@dataclass(frozen=True, kw_only=True)
class LoginRoutes:
    """What lies under `/login`, and the way out."""

    services: Services
    logins: Logins

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [
            web.get("/login", self.page),
            web.post("/login", self.typed),
            web.get("/login/discord", self.to_discord),
            web.get("/login/discord/back", self.from_discord),
            web.get("/login/telegram", self.to_telegram),
            web.get("/login/telegram/back", self.look_at_telegram),
            web.post("/login/telegram/back", self.from_telegram),
            web.get("/login/{secret}", self.look),
            web.post("/login/{secret}", self.followed),
            web.post("/logout", self.leave),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """The ways in."""
        return self._ways(request, onward=request.query.get(ONWARD, "/"))

    async def typed(self, request: web.Request) -> web.Response:
        """A code that was typed; a wrong one can be mended."""
        typed = await form(request)
        code, onward = _text(typed, "code"), _text(typed, ONWARD) or "/"
        try:
            opened = await self.services.sessions.redeem(code, device=device(request), remote=caller(request))
        except (SignInGone, TooOften) as error:
            return self._ways(request, onward=onward, code=code, error=error)
        return await self._signed_in(request, opened, onward=onward)

    async def look(self, request: web.Request) -> web.Response:
        """Whose account a link leads into, and the button."""
        name = await self.services.sessions.peek(request.match_info["secret"])
        return request.app[PAGES].shown("login_as.html", name=name, platform=None, fields={})

    async def followed(self, request: web.Request) -> web.Response:
        """Use a link up."""
        secret = request.match_info["secret"]
        opened = await self.services.sessions.redeem(secret, device=device(request), remote=caller(request))
        return await self._signed_in(request, opened)

    async def to_discord(self, request: web.Request) -> web.Response:
        """Off to Discord, with what proves later that it was this browser that set out."""
        platform, sessions = self._discord, self.services.sessions
        now, new = sessions.clock.now(), sessions.ids.token
        journey = discord.Journey(
            state=new() + new(),
            verifier=new() + new() + new() + new(),
            onward=inside(request.query.get(ONWARD, "/")),
            until=now + discord.VALID_FOR,
        )
        response = _to(platform.page(journey, redirect=self._back))
        seconds = int(discord.VALID_FOR.total_seconds())
        self._keep(request, response, JOURNEY, journey.signed(sessions.keys), seconds=seconds)
        return response

    async def from_discord(self, request: web.Request) -> web.Response:
        """Back from Discord."""
        platform, sessions = self._discord, self.services.sessions
        kept, now = request.cookies.get(JOURNEY, ""), sessions.clock.now()
        journey, code = discord.returned(kept, request.query, keys=sessions.keys, now=now)
        profile = await platform.profile(code, verifier=journey.verifier, redirect=self._back)
        actor = await self.services.accounts.welcome(Platform.DISCORD, profile.id, name=profile.name)
        opened = await sessions.open(actor, device=device(request))
        response = await self._signed_in(request, opened, onward=journey.onward)
        self._drop(request, response, JOURNEY)
        return response

    async def to_telegram(self, request: web.Request) -> web.Response:
        """The widget, on the one page that may show it."""
        onward = urlencode({ONWARD: inside(request.query.get(ONWARD, "/"))})
        address = f"{self.services.sessions.address}/login/telegram/back?{onward}"
        page = request.app[PAGES].shown("login_telegram.html", bot=self._telegram.bot, address=address)
        page.headers[POLICY] = telegram.POLICY
        return page

    async def look_at_telegram(self, request: web.Request) -> web.Response:
        """Whom Telegram sends, and the button."""
        given = {name: request.query[name] for name in telegram.TAKEN if name in request.query}
        vouched = self._telegram.vouched(given, now=self.services.sessions.clock.now())
        return request.app[PAGES].shown("login_as.html", name=vouched.name, platform=telegram.NAME, fields=given)

    async def from_telegram(self, request: web.Request) -> web.Response:
        """Use Telegram's word up."""
        typed = await form(request)
        given = {name: text for name in telegram.TAKEN if (text := _text(typed, name))}
        vouched = self._telegram.vouched(given, now=self.services.sessions.clock.now())
        actor = await self.services.accounts.welcome(Platform.TELEGRAM, vouched.id, name=vouched.name)
        opened = await self.services.sessions.open(actor, device=device(request), proof=vouched.proof)
        return await self._signed_in(request, opened, onward=given.get(ONWARD, "/"))

    async def leave(self, request: web.Request) -> web.Response:
        """Sign out, here and on the server."""
        sessions = self.services.sessions
        name = cookie(sessions.address)
        await sessions.close(request.cookies.get(name, ""))
        response = _to(request.app[PAGES].root + "/login")
        self._drop(request, response, name)
        return response

    @property
    def _back(self) -> str:
        return f"{self.services.sessions.address}/login/discord/back"

    @property
    def _discord(self) -> discord.Discord:
        if self.logins.discord is None:
            raise SignInOff(platform=discord.NAME)
        return self.logins.discord

    @property
    def _telegram(self) -> telegram.Telegram:
        if self.logins.telegram is None:
            raise SignInOff(platform=telegram.NAME)
        return self.logins.telegram

    def _ways(
        self, request: web.Request, *, onward: str, code: str = "", error: DomainError | None = None
    ) -> web.Response:
        problem = of(error) if error else None
        page = request.app[PAGES].shown(
            "login.html",
            status=problem.status if problem else HTTPStatus.OK,
            onward=inside(onward),
            query=urlencode({ONWARD: inside(onward)}),
            code=code,
            problem=problem,
            logins=self.logins,
        )
        page.headers.update(problem.headers if problem else {})
        return page

    async def _signed_in(self, request: web.Request, opened: Opened, *, onward: str = "/") -> web.Response:
        """Give the browser its cookie instead of the one it had, and lead it on."""
        sessions = self.services.sessions
        name = cookie(sessions.address)
        if before := request.cookies.get(name):
            await sessions.close(before)
        response = _to(request.app[PAGES].root + inside(onward))
        self._keep(request, response, name, opened.secret, seconds=KEPT)
        return response

    def _keep(self, request: web.Request, response: web.Response, name: str, value: str, *, seconds: int) -> None:
        """Give the browser something to bring along, out of reach of scripts and other sites."""
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path=request.app[PAGES].root or "/",
            secure=urlsplit(self.services.sessions.address).scheme == "https",
            httponly=True,
            samesite="Lax",
        )

    def _drop(self, request: web.Request, response: web.Response, name: str) -> None:
        self._keep(request, response, name, "", seconds=0)


def inside(path: str) -> str:
    """A path of ours to go on at, whatever somebody has written into a link; the first page instead of any other."""
    is_ours = path.startswith("/") and path.isascii() and path.isprintable()
    return path if is_ours and not any(part in path for part in ("//", "\\", " ")) else "/"


def _to(location: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": location})


def _text(typed: Mapping[str, object], name: str) -> str:
    value = typed.get(name)
    return value if isinstance(value, str) else ""
