"""The page that Dropbox sends people back to: looking changes nothing, the button connects once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from core.domain.account import Actor
from loraguild.composition import House
from tests.builders.clouds import with_dropbox
from tests.emulators.dropbox import Dropbox, standing_in
from web.app import application

Client = TestClient[web.Request, web.Application]
PATH = "/connect/dropbox"


@pytest.fixture
async def dropbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dropbox]:
    async with standing_in(tmp_path, monkeypatch) as service:
        yield service


@pytest.fixture
def own(house: House) -> House:
    return with_dropbox(house)


@pytest.fixture
async def page(own: House) -> AsyncIterator[Client]:
    async with TestClient(TestServer(application(services=own.services, blobs=own.blobs))) as client:
        yield client


async def test_looking_changes_nothing_and_the_button_connects_once(
    own: House, page: Client, ann: Actor, dropbox: Dropbox, html: dict[str, Any]
) -> None:
    link = await own.services.connections.begin(ann)
    back = dropbox.allows(link)
    looks = [await (await page.get(PATH, params=back, **html)).text() for _ in range(2)]
    before = await own.services.connections.of(ann)
    done = await page.post(PATH, data=back)
    again = await page.post(PATH, data=back)

    assert f"redirect_uri=http%3A%2F%2F127.0.0.1%3A8642{PATH.replace('/', '%2F')}" in link
    assert 'Put exports of <span class="name">ann</span> into this Dropbox?' in looks[0]
    assert looks[0] == looks[1]
    assert (before, dropbox.asked.count("oauth2/token")) == (None, 2)  # the code, and the name's access token
    assert (done.status, "the Dropbox of Ann &lt;Doe&gt;" in await done.text()) == (200, True)
    assert "form-action 'self'" in done.headers["Content-Security-Policy"]
    assert (again.status, (await again.json())["code"]) == (422, "connecting_over")
    assert await own.services.connections.of(ann)


async def test_who_said_no_and_who_made_a_link_up_hear_it_on_a_page(
    own: House, page: Client, ann: Actor, dropbox: Dropbox, html: dict[str, Any]
) -> None:
    state = dropbox.allows(await own.services.connections.begin(ann))["state"]
    denied = await page.get(PATH, params={"state": state, "error": "access_denied"}, **html)
    made_up = await page.get(PATH, params={"state": "a.b.c", "code": "x"}, **html)
    nothing = await page.get(PATH, **html)
    posted = [await page.post(PATH, data=data) for data in ({}, {"state": "a.b.c", "code": "x"})]

    assert (denied.status, "Nothing was connected." in await denied.text()) == (422, True)
    assert [answer.status for answer in (made_up, nothing, *posted)] == [403] * 4
    assert dropbox.asked == []
