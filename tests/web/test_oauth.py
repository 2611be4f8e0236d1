"""Signing in with Discord, against its side on loopback: once, by whoever set out, and with words for all else."""

import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientResponse, ClientSession
from aiohttp.test_utils import TestClient, TestServer

from core.domain.account import Platform
from core.domain.errors import SignInFailed
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.scenes import somebody
from tests.emulators.discord_oauth import CLIENT, SECRET, DiscordOAuth
from tests.web.conftest import Client
from web.app import application
from web.logins import Logins
from web.logins.discord import VALID_FOR, Discord

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
BACK = "/login/discord/back"


@pytest.fixture
async def discord(house: House) -> DiscordOAuth:
    return DiscordOAuth(redirect=f"{house.settings.address}{BACK}")


@pytest.fixture
async def api(discord: DiscordOAuth) -> AsyncIterator[str]:
    async with discord.serving() as address:
        yield address


@pytest.fixture
async def client(house: House, api: str) -> AsyncIterator[Client]:
    async with browser(house, Discord(client=CLIENT, secret=SECRET, api=api)) as client:
        yield client


def browser(house: House, discord: Discord | None) -> Client:
    app = application(services=house.services, blobs=house.blobs, logins=Logins(discord=discord))
    return TestClient(TestServer(app))


async def sent_back(client: Client, *, onward: str = "/") -> str:
    """Set out, let the person decide, and return where Discord sends the browser."""
    out = await client.get("/login/discord", params={"next": onward}, allow_redirects=False)
    assert out.status == 303
    async with ClientSession() as http, http.get(out.headers["Location"], allow_redirects=False) as decided:
        back = urlsplit(decided.headers["Location"])
        return f"{back.path}?{back.query}"


async def arrived(client: Client, path: str) -> ClientResponse:
    return await client.get(path, headers=HTML, allow_redirects=False)


async def who(house: House, answer: ClientResponse) -> str:
    """Whose account the answer's cookie leads into."""
    _, actor, _ = await house.services.sessions.seen(answer.cookies["session"].value)
    return actor.name


async def test_somebody_signs_in_and_is_who_they_are_in_the_chat(house: House, client: Client) -> None:
    known = await house.services.accounts.welcome(Platform.DISCORD, "42", name="Hilda")
    out = await client.get("/login/discord", allow_redirects=False)
    cookie = out.cookies["journey"]
    answer = await arrived(client, await sent_back(client, onward="/datasets?page=2"))
    kept = answer.cookies["session"]

    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", "600")
    assert (answer.status, answer.headers["Location"]) == (303, "/datasets?page=2")
    assert (kept["httponly"], kept["samesite"], kept["path"]) == (True, "Lax", "/")
    assert (await house.services.sessions.seen(kept.value))[1] == known
    assert answer.cookies["journey"].value == ""


async def test_somebody_new_is_welcome(house: House, client: Client, discord: DiscordOAuth) -> None:
    discord.person = {"id": "7", "username": "bob", "global_name": None}
    answer = await arrived(client, await sent_back(client))

    assert await who(house, answer) == "bob"
    assert (await house.services.sessions.seen(answer.cookies["session"].value))[2].chat == "7"


async def test_what_is_asked_for_is_little_and_proven_later(client: Client) -> None:
    out = await client.get("/login/discord", allow_redirects=False)
    asked = parse_qs(urlsplit(out.headers["Location"]).query)

    assert asked["scope"] == ["identify"]
    assert asked["code_challenge_method"] == ["S256"]
    assert set(asked) == {
        *("response_type", "client_id", "scope", "redirect_uri", "state", "code_challenge", "code_challenge_method")
    }


async def test_who_says_no_is_not_signed_in(client: Client, discord: DiscordOAuth) -> None:
    discord.willing = False
    answer = await arrived(client, await sent_back(client))

    assert (answer.status, "session" in answer.cookies) == (422, False)
    assert "Discord did not let you in here: you said no." in await answer.text()


async def test_a_code_works_once(client: Client) -> None:
    path = await sent_back(client)
    kept = {cookie.key: cookie.value for cookie in client.session.cookie_jar}
    first = await arrived(client, path)
    client.session.cookie_jar.update_cookies(kept)
    again = await arrived(client, path)

    assert (first.status, again.status, "session" in again.cookies) == (303, 422, False)
    assert "does not know this sign-in" in await again.text()


async def test_discord_itself_takes_a_code_once_and_only_with_its_proof(house: House, api: str, client: Client) -> None:
    codes = [parse_qs(urlsplit(await sent_back(client)).query)["code"][0] for _ in range(2)]
    platform = Discord(client=CLIENT, secret=SECRET, api=api)
    for code in (codes[0], codes[0], "nothing"):
        with pytest.raises(SignInFailed, match="does not know this sign-in"):
            await platform.profile(code, verifier="not the verifier", redirect=f"{house.settings.address}{BACK}")


async def test_nobody_is_sent_home_with_somebody_elses_code(house: House, api: str, client: Client) -> None:
    async with browser(house, Discord(client=CLIENT, secret=SECRET, api=api)) as other:
        path = await sent_back(client)
        without = await arrived(other, path)
        await other.get("/login/discord", allow_redirects=False)
        within = await arrived(other, path)
        bare = await arrived(other, BACK)
        for answer in (without, within, bare):
            assert (answer.status, "session" in answer.cookies) == (422, False)
            assert "another browser" in await answer.text()


async def test_nobody_takes_longer_than_ten_minutes(client: Client, clock: HandClock) -> None:
    path = await sent_back(client)
    clock.advance(VALID_FOR + timedelta(seconds=1))
    answer = await arrived(client, path)

    assert (answer.status, "too long ago" in await answer.text()) == (422, True)


@pytest.mark.parametrize("broken", ["down", "garbled"])
async def test_discord_may_be_down(client: Client, discord: DiscordOAuth, broken: str) -> None:
    discord.broken = broken
    answer = await arrived(client, await sent_back(client))

    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "Discord does not answer now" in await answer.text()


async def test_discord_may_be_nowhere(house: House) -> None:
    with socket.socket() as silent:  # it has the port, and does not listen
        silent.bind(("127.0.0.1", 0))
        api = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with browser(house, Discord(client=CLIENT, secret=SECRET, api=api)) as client:
            out = await client.get("/login/discord", allow_redirects=False)
            state = parse_qs(urlsplit(out.headers["Location"]).query)["state"][0]
            answer = await arrived(client, f"{BACK}?code=any&state={state}")

    assert answer.status == 503


async def test_a_wrong_secret_is_the_operators_to_mend(house: House, api: str) -> None:
    async with browser(house, Discord(client=CLIENT, secret="wrong", api=api)) as client:
        answer = await arrived(client, await sent_back(client))
        words = await answer.text()

    assert (answer.status, "an operator has to look at DISCORD_CLIENT_SECRET" in words) == (422, True)


async def test_a_profile_that_is_none_signs_nobody_in(client: Client, discord: DiscordOAuth) -> None:
    discord.person = {"id": "console:root", "username": "root"}
    answer = await arrived(client, await sent_back(client))

    assert (answer.status, "session" in answer.cookies) == (503, False)


async def test_who_is_banned_is_told_so(house: House, client: Client) -> None:
    root = await somebody(house, "root")
    hilda = await house.services.accounts.welcome(Platform.DISCORD, "42", name="Hilda")
    await house.services.accounts.ban(root, await house.store.accounts.get(hilda.account), why="spam")
    answer = await arrived(client, await sent_back(client))

    assert (answer.status, "session" in answer.cookies, "spam" in await answer.text()) == (403, False, True)


async def test_where_nobody_has_set_it_up_it_is_not_there(house: House) -> None:
    async with browser(house, None) as client:
        answers = [await arrived(client, path) for path in ("/login/discord", BACK, "/login/telegram")]
        page = await (await client.get("/login", headers=HTML)).text()

    assert [answer.status for answer in answers] == [404, 404, 404]
    assert "Sign in with" not in page


async def test_nothing_secret_is_logged(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    path = await sent_back(client)
    answer = await arrived(client, path)
    said = capsys.readouterr()
    secrets = [parse_qs(urlsplit(path).query)[name][0] for name in ("code", "state")] + [
        answer.cookies["session"].value
    ]

    assert "/login/discord/back" in said.out
    assert not any(secret in said.out + said.err for secret in secrets)
