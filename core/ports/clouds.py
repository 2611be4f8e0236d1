"""Clouds: where people keep their own files, reached with a token that they gave us."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from pydantic import Field

from core.domain.value import Value

Progressed = Callable[[int], Awaitable[None]]


class Grant(Value):
    """What somebody gave us: a token that lasts, and whose account it is, for people."""

    token: str = Field(repr=False)
    name: str


class Cloud(Protocol):
    """One provider. Every call may raise CloudUnavailable, and CloudNotSetUp where the operator has to look."""

    def page(self, *, state: str, challenge: str, redirect: str) -> str:
        """Where its owner lets us in; from there they are sent to `redirect` with the state and a code."""
        ...

    async def exchange(self, code: str, *, verifier: str, redirect: str) -> Grant:
        """Turn a code into a token.

        Raises:
            ConnectingOver: The code was used, or its time is over.
        """
        ...

    async def upload(self, token: str, file: Path, *, path: str, progressed: Progressed) -> str:
        """Put a file into the folder that is ours, instead of what is at this path, and return where people find it.

        `progressed` is told how many bytes are there.

        Raises:
            CloudRevoked: The token is no longer good.
            CloudFull: Its owner has no room for it.
        """
        ...

    async def revoke(self, token: str) -> None:
        """Give a token back.

        Raises:
            CloudRevoked: It was no longer good.
        """
        ...
