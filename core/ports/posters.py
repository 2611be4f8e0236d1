"""Posters: how a message gets to a receiver on the web."""

from collections.abc import Mapping
from typing import Protocol

from core.domain.webhook import Answer


class Poster(Protocol):
    """Sends."""

    async def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        """Send a message and return what came of it; a receiver that cannot be reached is an answer too."""
        ...
