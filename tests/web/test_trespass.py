"""What hostile and hasty visitors try: forms that are none, tokens that are none, sibling sites, two edits at once."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

import pytest
from aiohttp.test_utils import TestClient, TestServer

from core.domain.account import Actor, Role
from core.domain.dataset import Access, Dataset
from core.domain.model import Visibility
from core.domain.rating import Rating
from core.domain.token import Scope
from loraguild.composition import House
from tests.builders.api import Api
from tests.builders.forms import pressed, read
from tests.builders.payouts import changed
from tests.builders.scenes import a_ready_dataset, a_trained_model, imagined, somebody
from tests.builders.visits import Client, bearing, entered
from web.app import application
from web.limiting import LIMITER, Limiter

PART = b"--a\r\nContent-Disposition: form-data; name=code\r\nContent-Type: text/plain%s\r\n\r\n%s\r\n--a--\r\n"
UNREADABLE = (
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=a", b"x"),
    ("multipart/form-data; boundary=a", b"--a\r\nrubbish"),
    ("multipart/form-data; boundary=a", PART % (b"; charset=bogus", b"x")),
    ("multipart/form-data; boundary=a", PART % (b"", b"\xff")),
    ("application/x-www-form-urlencoded; charset=bogus", b"code=x"),
    ("application/x-www-form-urlencoded", b"code=\xff"),
)


@pytest.mark.parametrize(("kind", "sent"), UNREADABLE)
async def test_a_form_that_cannot_be_read_is_said_to_be_none(
    client: Client, house: House, link: str, kind: str, sent: bytes
) -> None:
    async def status(path: str) -> int:
        async with client.post(path, data=sent, headers={"Content-Type": kind}) as answer:
            return answer.status

    outside = [await status(path) for path in ("/login", "/connect/dropbox", link, "/datasets")]
    await entered(house, client, await somebody(house))

    assert [*outside, await status("/datasets")] == [HTTPStatus.BAD_REQUEST] * 5


GZIP = b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
TYPED = b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (b"GET /datasets HTTP/1.1\r\nCookie: session=\xff\r\n\r\n", 401),
        (b"GET /login HTTP/1.1\r\nAccept: text/html\r\nCookie: said=\xff\r\n\r\n", 200),
        (b"GET /api/v1/me HTTP/1.1\r\nAuthorization: Bearer \xff\r\n\r\n", 401),
        (b"POST /login HTTP/1.1\r\nOrigin: http://[::bad\r\n\r\n", 403),
        (b"POST /login HTTP/1.1\r\n" + TYPED + GZIP, 400),
        (b"PUT %s/files/a HTTP/1.1\r\nUpload-Length: 100\r\n" + GZIP, 400),
        (b"PUT %s/files/a HTTP/1.1\r\nAccept: text/html\r\nUpload-Checksum: sha256 \xff\r\n\r\n", 400),
    ],
)
async def test_letters_and_packings_that_are_none_are_refused(
    client: Client, link: str, asked: bytes, status: int
) -> None:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(asked.replace(b"%s", link.encode()).replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nHost: x\r\n"))
    answer = await reader.readline()
    writer.close()

    assert int(answer.split()[1]) == status


async def test_who_tries_tokens_that_are_none_has_to_wait(house: House) -> None:
    app = application(services=house.services, blobs=house.blobs)
    app[LIMITER] = Limiter(rate=0.001, burst=8)
    async with TestClient(TestServer(app)) as client:
        guesses = [{"Authorization": f"Bearer lg_{number}"} for number in range(4)]
        statuses = [(await client.get("/api/v1/me", headers=guess)).status for guess in guesses]

    assert statuses == [401, 401, 429, 429]


@pytest.mark.parametrize("path", ["/login", "/logout"])
async def test_another_site_of_the_same_domain_is_another_site(client: Client, path: str) -> None:
    async with client.post(path, data={"code": "x"}, headers={"Sec-Fetch-Site": "same-site"}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (403, "cross_site")


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
async def test_a_token_of_the_staff_without_admin_sees_nothing_of_others(
    client: Client, house: House, dataset: Dataset, role: Role
) -> None:
    await changed(house, await somebody(house, "mia"), role=role)
    mia = await somebody(house, "mia")
    narrow = await Api(client, await bearing(house, mia, [Scope.READ])).get(f"/datasets/{dataset.id}")
    wide = await Api(client, await bearing(house, mia)).get(f"/datasets/{dataset.id}")

    assert (narrow[0], wide[0]) == (404, 200)


async def test_of_two_edits_of_what_both_have_seen_one_is_refused(client: Client, house: House, ann: Actor) -> None:
    model = await a_trained_model(house, ann)
    made = await house.services.webhooks.create(ann, url="https://example.org/a", key="k")
    headers = await bearing(house, ann)

    async def edited(path: str, *bodies: Mapping[str, str]) -> list[int]:
        async with client.get(path, headers=headers) as seen:
            tag = seen.headers["ETag"]
        asked = [client.patch(path, json=body, headers=headers | {"If-Match": tag}) for body in bodies]
        return sorted([answer.status for answer in await asyncio.gather(*asked)])

    models = await edited(f"/api/v1/models/{model.id}", {"description": "one"}, {"description": "two"})
    webhooks = await edited(f"/api/v1/webhooks/{made.webhook.id}", {"note": "one"}, {"note": "two"})

    assert (models, webhooks) == ([200, 412], [200, 412])


async def test_a_model_for_adults_is_shown_to_adults(client: Client, house: House, ann: Actor) -> None:
    model = await a_trained_model(house, ann)
    await house.services.models.publish(ann, model.id, visibility=Visibility.PUBLIC)
    await house.store.models.save((await house.store.models.get(model.id)).but(rating=Rating.NSFW))
    bob, anns = [Api(client, await bearing(house, one)) for one in (await somebody(house, "bob"), ann)]
    paths = (f"/models/{model.id}", f"/models/{model.id}/files")
    told = [await bob.get(path) for path in paths]

    assert [(status, body["code"]) for status, body in told] == [(422, "not_adult")] * 2
    assert [(await anns.get(path))[0] for path in paths] == [200, 200]


async def test_a_picture_whose_consent_was_withdrawn_is_handed_to_nobody_else(
    client: Client, house: House, ann: Actor
) -> None:
    ready = await a_ready_dataset(house, ann)
    await house.services.sharings.open(ann, ready.id, Access.PUBLIC)
    first = (await house.store.items.of(ready.id))[0]
    await house.services.consents.withdraw(ann, ready.id, first, key="k")
    bob, anns = [Api(client, await bearing(house, one)) for one in (await somebody(house, "bob"), ann)]
    _, theirs = await bob.get(f"/datasets/{ready.id}/images")
    _, mine = await anns.get(f"/datasets/{ready.id}/images")

    assert [bool(one["file"]) for one in theirs["items"]] == [False, True, True]
    assert all(one["file"] for one in mine["items"])


async def test_a_key_of_a_form_is_its_senders_alone(client: Client, house: House, ann: Actor) -> None:
    await a_trained_model(house, ann)
    await imagined(house, ann, key="upload-1")
    bob = await somebody(house, "bob")
    await a_trained_model(house, bob)
    await entered(house, client, bob)
    ordered = await pressed(client, await read(client, "/generate?text=zorp"), "Draw", key="upload-1")

    assert ordered.path.startswith("/generate/")
    assert len(await house.services.generations.list(bob)) == 1
