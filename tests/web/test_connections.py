"""The page that Dropbox sends people back to: looking changes nothing, the button connects once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from core.domain.account import Actor, Role
from core.kinds.export import Payload, Result
from loraguild.composition import House
from tests.builders.clouds import with_dropbox
from tests.builders.forms import pressed, read
from tests.builders.scenes import a_ready_dataset, finished, stored
from tests.builders.visits import entered
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


async def test_an_export_goes_into_a_dropbox_once_it_is_connected_and_nobody_is_offered_what_is_not_set_up(
    client: Client, own: House, page: Client, ann: Actor, dropbox: Dropbox
) -> None:
    dataset = await a_ready_dataset(own, ann)
    export = f"/datasets/{dataset.id}/export"
    await entered(own, client, ann)
    bare = [await read(client, path) for path in (export, "/account")]
    await entered(own, page, ann)
    leading = await pressed(page, await read(page, export), "Connect your Dropbox")
    await page.post(PATH, data=dropbox.allows(leading.links["Go to Dropbox"]))
    ordered = await pressed(page, await read(page, export), "Make the file", to="dropbox")
    [job] = [one for one in await own.services.jobs.list(ann) if one.kind == "export"]
    missed = Result(artifact=await stored(own, "a.zip"), count=3, missed="Your Dropbox has no room for it.")
    await finished(own, job, missed)
    told, account = await read(page, export), await own.store.accounts.get(ann.account)
    await own.store.accounts.save(account.but(role=Role.VIEWER))
    gone = await pressed(page, await read(page, "/account"), "Disconnect it")
    await own.store.accounts.save(account)
    refused = await pressed(page, told, "Make the file", to="dropbox")

    assert ["Dropbox" in one.words for one in bare] == [False, False]
    assert "Put it into the Dropbox of Ann <Doe> too" in ordered.words
    assert Payload.model_validate(job.payload).provider == "dropbox"
    assert "It is not in your Dropbox. Your Dropbox has no room for it." in told.words
    assert "not connected any more" in gone.words
    assert (refused.status, "You have not connected your Dropbox" in refused.words) == (422, True)
