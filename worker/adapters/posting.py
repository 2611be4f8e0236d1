"""The one guarded sender: a message goes to everybody's addresses only, once, and nobody leads it anywhere else."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from yarl import URL

from core.domain.address import IPAddress, is_public
from core.domain.errors import LinkRefused
from core.domain.webhook import Answer
from worker.adapters.reaching import Resolver, looked_up, pinned, reached, worded

SECONDS = 15.0  # for the name, the connection and the answer together


def is_near(address: IPAddress) -> bool:
    """Whether an address is everybody's or this machine's own, for development."""
    return address.is_loopback or is_public(address)


@dataclass(frozen=True, kw_only=True)
class HttpPoster:
    """Sends by HTTP to addresses that are `allowed`; of the answer only its status and Retry-After are read."""

    seconds: float = SECONDS
    resolver: Resolver = looked_up
    allowed: Callable[[IPAddress], bool] = is_public

    async def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        """Send a message and return what came of it; a receiver that cannot be reached is an answer too."""
        try:
            async with asyncio.timeout(self.seconds):
                return await self._posted(URL(url).with_fragment(None), body, headers)
        except TimeoutError:
            return Answer(why=f"it took longer than {self.seconds:.0f} seconds")
        except ValueError:
            return Answer(why="it is no link")
        except LinkRefused as error:
            return Answer(why=error.why)

    async def _posted(self, url: URL, body: bytes, headers: Mapping[str, str]) -> Answer:
        addresses = await reached(url, self.resolver, self.allowed)
        with worded(url):
            async with (
                pinned(addresses) as session,
                session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return Answer(status=answer.status, retry_after=answer.headers.get("Retry-After", ""))
