"""People's Dropboxes, through Dropbox's own SDK, which blocks: every request runs in a thread, and is made again here.

The app has a folder of its own in each (`/Apps/NAME`) and sees nothing else. Addresses and certificates are the SDK's
settings: DROPBOX_DOMAIN, DROPBOX_API_HOST, DROPBOX_API_CONTENT_HOST, DROPBOX_WEB_HOST, REQUESTS_CA_BUNDLE.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import stamina
from dropbox import Dropbox, create_session
from dropbox.exceptions import ApiError, AuthError, BadInputError, DropboxException, HttpError, RateLimitError
from dropbox.files import CommitInfo, UploadSessionCursor, WriteMode
from dropbox.session import API_HOST, WEB_HOST
from requests import RequestException

from core.domain.errors import CloudFull, CloudNotSetUp, CloudRevoked, CloudUnavailable, ConnectingOver, DomainError
from core.ports.clouds import Grant, Progressed

T = TypeVar("T")

SCOPES = ("account_info.read", "files.content.write")
PIECE = 8 * 2**20  # bytes of a request: a multiple of 4 MiB, as Dropbox wants it
SECONDS = 60.0  # that a request may be silent
ATTEMPTS = 5
LONGEST_WAIT = 300.0  # seconds that Dropbox may have us wait before another attempt


class Later(Exception):  # noqa: N818 - what to do about it
    """What may go better the next time; `wait` is how many seconds Dropbox asks for, if it says so."""

    def __init__(self, words: str, *, wait: float | None = None) -> None:
        super().__init__(words)
        self.wait = wait


@dataclass(frozen=True, kw_only=True)
class DropboxCloud:
    """The port `Cloud` for the app of this key. It has no secret: whoever begins proves it by PKCE (RFC 7636)."""

    app_key: str

    def page(self, *, state: str, challenge: str, redirect: str) -> str:
        """Where its owner lets us in."""
        asked = {
            "client_id": self.app_key,
            "response_type": "code",
            "redirect_uri": redirect,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "token_access_type": "offline",
            "scope": " ".join(SCOPES),
        }
        return f"https://{WEB_HOST}/oauth2/authorize?{urlencode(asked)}"

    async def exchange(self, code: str, *, verifier: str, redirect: str) -> Grant:
        """Turn a code into a token, and ask whose it is.

        Raises:
            ConnectingOver, CloudNotSetUp, CloudUnavailable: As the port says.
        """
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.app_key,
            "code_verifier": verifier,
            "redirect_uri": redirect,
        }
        token = await _patiently(partial(_exchanged, asked))
        with self._opened(token) as dropbox:
            account = await _patiently(dropbox.users_get_current_account)
        return Grant(token=token, name=account.name.display_name)

    async def upload(self, token: str, file: Path, *, path: str, progressed: Progressed) -> str:
        """Send a file piece by piece; only when all of it is there, it appears at its path.

        Raises:
            CloudRevoked, CloudFull, CloudNotSetUp, CloudUnavailable: As the port says.
        """
        with self._opened(token) as dropbox, await asyncio.to_thread(file.open, "rb") as opened:
            started = await _patiently(lambda: dropbox.files_upload_session_start(b""))
            cursor = UploadSessionCursor(session_id=started.session_id, offset=0)
            while piece := await asyncio.to_thread(opened.read, PIECE):
                await _patiently(partial(_append, dropbox, piece, cursor))
                cursor.offset += len(piece)
                await progressed(cursor.offset)
            commit = CommitInfo(path=path, mode=WriteMode.overwrite, mute=False)
            done = await _patiently(lambda: dropbox.files_upload_session_finish(b"", cursor, commit))
        return str(done.path_display)

    async def revoke(self, token: str) -> None:
        """Give a token back.

        Raises:
            CloudRevoked, CloudNotSetUp, CloudUnavailable: As the port says.
        """
        with self._opened(token) as dropbox:
            await _patiently(dropbox.auth_token_revoke)

    def _opened(self, token: str) -> Any:
        return Dropbox(
            oauth2_refresh_token=token,
            app_key=self.app_key,
            max_retries_on_error=0,
            max_retries_on_rate_limit=0,
            timeout=SECONDS,
        )


async def _patiently(request: Callable[[], T]) -> T:
    """Make a request in a thread, again and again where that may help; in the house's words otherwise."""
    try:
        async for attempt in stamina.retry_context(
            on=_again, attempts=ATTEMPTS, timeout=None, wait_initial=1.0, wait_max=LONGEST_WAIT
        ):
            with attempt:
                return await asyncio.to_thread(_translated, request)
    except Later as error:
        raise CloudUnavailable(why=str(error)) from error
    raise AssertionError  # the last attempt raises by itself


def _again(error: Exception) -> bool | float:
    """Whether to ask again, or after how many seconds; nobody waits for a very late answer."""
    if not isinstance(error, Later):
        return False
    if error.wait is None:
        return True
    return error.wait if error.wait <= LONGEST_WAIT else False


def _translated(request: Callable[[], T]) -> T:
    """The one table from the SDK's errors to the house's."""
    try:
        return request()
    except RateLimitError as error:
        raise Later("too many requests", wait=error.backoff) from error
    except AuthError as error:
        raise _unwelcome(error) from error
    except BadInputError as error:
        raise CloudNotSetUp(why="Dropbox does not accept it") from error
    except ApiError as error:
        raise _refusal(error) from error
    except HttpError as error:
        raise Later(f"HTTP {error.status_code}") from error
    except (DropboxException, RequestException) as error:
        raise Later("no connection") from error
    except (AssertionError, KeyError, ValueError) as error:  # what the SDK makes of pages that are not Dropbox's
        raise Later("something else answers in its place") from error


def _unwelcome(error: AuthError) -> DomainError:
    if error.error and error.error.is_missing_scope():
        return CloudNotSetUp(why=f"the app lacks a permission of {', '.join(SCOPES)}")
    return CloudRevoked()


def _refusal(error: ApiError) -> Exception:
    """What a refused upload means: no room, or something that only Dropbox can name."""
    tags = _tags(error.error)
    if "insufficient_space" in tags:
        return CloudFull()
    if "too_many_write_operations" in tags:
        return Later("too many requests")
    return CloudUnavailable(why=": ".join(tags) or "it does not say why")


def _tags(refused: Any) -> list[str]:
    """What one of the SDK's unions is, and what is in it: `path`, `insufficient_space`."""
    tag = getattr(refused, "_tag", None)
    return [tag, *_tags(refused._value)] if tag else []  # noqa: SLF001 - they have no other name for what they are


def _append(dropbox: Any, piece: bytes, cursor: Any) -> None:
    """Send one piece; one that had arrived although its answer was lost is there already."""
    try:
        dropbox.files_upload_session_append_v2(piece, cursor)
    except ApiError as error:
        if not error.error.is_incorrect_offset():
            raise
        if error.error.get_incorrect_offset().correct_offset != cursor.offset + len(piece):
            raise


def _exchanged(asked: dict[str, str]) -> str:
    with create_session() as session:
        answer = session.post(f"https://{API_HOST}/oauth2/token", data=asked, timeout=SECONDS)
    if answer.status_code == HTTPStatus.BAD_REQUEST:
        if answer.json().get("error") == "invalid_grant":
            raise ConnectingOver
        raise CloudNotSetUp(why="Dropbox does not accept it")
    answer.raise_for_status()
    return str(answer.json()["refresh_token"])
