"""The captioner behind any API that speaks OpenAI's chat completions and sees pictures: xAI's by default."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import stamina
from PIL import Image

from config.settings import Settings
from worker.adapters.captioners import Captioner, CaptionerFailed, NotDescribed, scene_of

PROMPT = (
    "Describe this picture as a caption for training an image model: pose and expression, clothing, what is around, "
    "light, framing and style. Do not describe face, hair, eyes or skin. "
    "Answer with nothing but short phrases in English, separated by commas, on one line."
)
SIDE = 1024  # pixels: more costs more and says no more
MOST = 2**20  # bytes of an answer
ATTEMPTS = 4
LONGEST_WAIT = 60.0  # seconds that a provider may have us wait before another attempt
TOLD = 200  # characters of a provider's own words


class Later(NotDescribed):
    """What may go better the next time; `wait` is how many seconds the provider asks for, if it says so."""

    def __init__(self, words: str, *, wait: float | None = None) -> None:
        super().__init__(words)
        self.wait = wait


@dataclass(frozen=True, kw_only=True)
class VisionCaptioner:
    """Asks for one description a request; what may go better the next time is asked for again, later and later.

    The `key` is here only to be kept out of words: the session has it in its headers.
    """

    session: aiohttp.ClientSession
    url: str
    model: str
    timeout: float
    concurrency: int
    key: str = field(repr=False)

    @property
    def host(self) -> str:
        """Whom the words name."""
        return urlsplit(self.url).hostname or self.url

    async def check(self) -> None:
        """Have a plain square described: address, key, model and eyes are tried at once.

        Raises:
            CaptionerFailed: It is not.
        """
        try:
            await self._described(encoded(Image.new("RGB", (64, 64), "white")))
        except NotDescribed as error:
            raise CaptionerFailed(str(error)) from error

    async def caption(self, picture: Path) -> str:
        """Send a picture, no larger than it has to be, and return what is said of it.

        Raises:
            NotDescribed: This picture could not be described.
            CaptionerFailed: No other will be, either.
        """
        return await self._described(await asyncio.to_thread(shrunk, picture))

    async def _described(self, picture: bytes) -> str:
        question = asked(self.model, picture)
        async for attempt in stamina.retry_context(
            on=_again, attempts=ATTEMPTS, timeout=None, wait_initial=1.0, wait_max=LONGEST_WAIT
        ):
            with attempt:
                return scene_of(await self._answered(question))
        raise AssertionError  # the last attempt raises by itself

    async def _answered(self, question: Mapping[str, Any]) -> str:
        """One request.

        Raises:
            Later, NotDescribed, CaptionerFailed: It brought no description.
        """
        try:
            async with self.session.post(self.url, json=question, allow_redirects=False) as response:
                body = await _read(response)
        except TimeoutError as error:
            raise Later(f"{self.host} did not answer within {self.timeout:g} s.") from error
        except aiohttp.InvalidURL as error:
            raise CaptionerFailed("VISION_URL is not the address of an API. An operator has to set another.") from error
        except aiohttp.ClientConnectorError as error:
            raise Later(f"{self.host} cannot be reached: {error.strerror or 'no connection'}.") from error
        except aiohttp.ClientError as error:
            raise Later(f"{self.host} broke the connection off.") from error
        if response.status != 200:  # noqa: PLR2004 - HTTP's word for fine
            raise self._refusal(response, body)
        return self._said(body)

    def _refusal(self, response: aiohttp.ClientResponse, body: bytes) -> Exception:
        """What a status means for the picture, and for all others."""
        told, status = self._own_words(body), response.status
        match status:
            case 401 | 403:
                words = f"{self.host} does not accept VISION_KEY (HTTP {status}). An operator has to set another."
                return CaptionerFailed(words)
            case 404:
                words = f"{self.host} has no model «{self.model}» for this (HTTP 404){told}"
                return CaptionerFailed(f"{words} An operator has to look at VISION_URL and VISION_MODEL.")
            case 408 | 429:
                words = f"{self.host} takes no more pictures for now (HTTP {status}){told} Try again later."
                return Later(words, wait=_wait(response))
            case _ if status >= 500:  # noqa: PLR2004 - the class of errors that are the server's
                words = f"{self.host} is out of order (HTTP {status}){told} Try again later."
                return Later(words, wait=_wait(response))
            case _:
                return NotDescribed(f"{self.host} did not take the picture (HTTP {status}){told}")

    def _said(self, body: bytes) -> str:
        """The description in an answer.

        Raises:
            NotDescribed: There is none in it.
        """
        try:
            text = json.loads(body)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise NotDescribed(f"{self.host} answered something else than a description.") from error
        if not isinstance(text, str):
            raise NotDescribed(f"{self.host} said nothing of this picture.")
        return text

    def _own_words(self, body: bytes) -> str:
        """What a provider says of an error, shortened, on one line and without the key."""
        try:
            error = json.loads(body)["error"]
            words = error["message"] if isinstance(error, dict) else error
        except (ValueError, LookupError, TypeError, RecursionError):
            return "."
        if not isinstance(words, str) or not words.strip():
            return "."
        line = " ".join(words.replace(self.key, "…").split())
        return f": «{line if len(line) <= TOLD else line[:TOLD] + '…'}»."


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Captioner]:
    """Give the captioner of the settings.

    Raises:
        CaptionerFailed: This worker has no key.
    """
    key = settings.vision_key.get_secret_value().strip() if settings.vision_key else ""
    if not key:
        raise CaptionerFailed("This worker has no VISION_KEY. An operator has to set it for all workers.")
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {key}"}, timeout=aiohttp.ClientTimeout(total=settings.vision_timeout)
    ) as session:
        yield VisionCaptioner(
            session=session,
            url=f"{settings.vision_url.rstrip('/')}/chat/completions",
            model=settings.vision_model,
            timeout=settings.vision_timeout,
            concurrency=settings.vision_concurrency,
            key=key,
        )


def asked(model: str, picture: bytes) -> dict[str, Any]:
    """Return the question as the API takes it: nothing that only some of its speakers know."""
    address = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
    content = [{"type": "image_url", "image_url": {"url": address}}, {"type": "text", "text": PROMPT}]
    return {"model": model, "messages": [{"role": "user", "content": content}]}


def shrunk(picture: Path) -> bytes:
    """Return a stored picture as a JPEG of at most 1024 pixels a side."""
    with Image.open(picture) as opened_picture:
        opened_picture.thumbnail((SIDE, SIDE))
        return encoded(opened_picture)


def encoded(picture: Image.Image) -> bytes:
    """Return a picture as a JPEG; what shows through is white."""
    clear = picture.convert("RGBA")
    ground = Image.new("RGBA", clear.size, "white")
    stream = io.BytesIO()
    Image.alpha_composite(ground, clear).convert("RGB").save(stream, "JPEG", quality=90)
    return stream.getvalue()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, as far as anybody would read it."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(2**16):
        body += chunk
        if len(body) > MOST:
            response.close()
            break
    return bytes(body)


def _wait(response: aiohttp.ClientResponse) -> float | None:
    """How long the provider asks us to wait, where it says so in seconds."""
    try:
        return max(0.0, float(response.headers.get("Retry-After", "")))
    except ValueError:
        return None


def _again(error: Exception) -> bool | float:
    """Whether to ask again, or after how many seconds; nobody waits for a very late answer."""
    if not isinstance(error, Later):
        return False
    if error.wait is None:
        return True
    return error.wait if error.wait <= LONGEST_WAIT else False
