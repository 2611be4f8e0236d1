"""What Telegram answers when it does not do what it was asked."""

from http import HTTPStatus
from typing import Any


class Refused(Exception):  # noqa: N818 - what happened, in the words of the platform
    """A method failed: its status, its words and what goes with them."""

    def __init__(self, words: str = "", *, code: int = 400, **parameters: int) -> None:
        super().__init__(words)
        self.code = code
        phrase = HTTPStatus(code).phrase
        self.body: dict[str, Any] = {
            "ok": False,
            "error_code": code,
            "description": f"{phrase}: {words}" if words else phrase,
        } | ({"parameters": parameters} if parameters else {})
