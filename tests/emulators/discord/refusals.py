"""What Discord says when it refuses: a status, a code of its own and words."""

from collections.abc import Mapping

from aiohttp import web

from tests.emulators.discord.wire import Json, answered


class Refusal(Exception):  # noqa: N818 - as Discord's documentation calls it: a request is refused
    """A request is refused."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        errors: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers
        self.body: Json = {"code": code, "message": message, **({"errors": errors} if errors else {})}

    @property
    def code(self) -> int:
        """Discord's own code."""
        return int(self.body["code"])

    def response(self) -> web.Response:
        """The refusal as it goes over the wire."""
        return answered(self.body, status=self.status, headers=self.headers)


class ImpossibleError(Exception):
    """A person's client does not let them do this."""


def invalid(field: str, message: str) -> Refusal:
    """A form body whose field, such as `embeds.0.title`, does not fit."""
    errors: Json = {"_errors": [{"code": "BASE_TYPE_BAD", "message": message}]}
    for name in reversed(field.split(".")):
        errors = {name: errors}
    return Refusal(400, 50035, "Invalid Form Body", errors=errors)


def unauthorized() -> Refusal:
    """The token is not the bot's."""
    return Refusal(401, 0, "401: Unauthorized")


def unknown(what: str) -> Refusal:
    """There is no such thing, or none that the bot may know of."""
    codes = {"Channel": 10003, "Guild": 10004, "Member": 10007, "Message": 10008, "User": 10013, "Webhook": 10015}
    return Refusal(404, {**codes, "interaction": 10062}[what], f"Unknown {what}")


def limited(after: float, *, everywhere: bool) -> web.Response:
    """A rate limit, with the header that tells it from a ban."""
    body = {"message": "You are being rate limited.", "retry_after": after, "global": everywhere}
    scope = "global" if everywhere else "user"
    headers = {"Via": "1.1 google", "Retry-After": str(after), "X-RateLimit-Scope": scope}
    return answered(body, status=429, headers=headers)
