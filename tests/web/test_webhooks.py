"""Webhooks by the API and on their pages: added, changed, tested and sent again by their owner, unseen by others."""

import re
from typing import Any

import pytest

from core.domain.account import Actor
from core.domain.event import EventType
from core.domain.webhook import MOST, Answer, Change, Post, PostState
from loraguild.composition import House
from tests.builders.entities import a_post
from tests.builders.scenes import somebody
from tests.builders.visits import Client, bearing, entered

API, URL = "/api/v1/webhooks", "https://hooks.example/in"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


async def asking(
    client: Client, method: str, path: str, headers: dict[str, str], json: Any = None
) -> tuple[int, dict[str, Any]]:
    async with client.request(method, path, json=json, headers=headers) as response:
        return response.status, await response.json() if response.status != 204 else {}


async def given_up(house: House, actor: Actor, webhook: str) -> Post:
    post = a_post(webhook=webhook, account=actor.account, state=PostState.GIVEN_UP, error="it answered 500")
    await house.store.posts.add(post)
    return post


async def test_the_life_of_a_webhook(house: House, client: Client, ann: Actor) -> None:
    mine = await bearing(house, ann)
    created, made = await asking(
        client, "POST", API, mine, {"url": URL, "types": ["job.failed", "job.succeeded"], "note": "CI"}
    )
    path = f"{API}/{made['id']}"
    _, shown = await asking(client, "GET", path, mine)
    _, listed = await asking(client, "GET", API, mine)
    _, edited = await asking(client, "PATCH", path, mine, {"types": [], "enabled": False})
    refused, off = await asking(client, "POST", f"{path}/test", mine)
    await asking(client, "PATCH", path, mine, {"enabled": True})
    accepted, post = await asking(client, "POST", f"{path}/test", mine)
    rotated, fresh = await asking(client, "POST", f"{path}/secret", mine)
    _, posts = await asking(client, "GET", f"{path}/posts", mine)
    deleted, _ = await asking(client, "DELETE", path, mine)
    gone, _ = await asking(client, "GET", path, mine)

    assert (created, refused, accepted, rotated, deleted, gone) == (201, 422, 202, 200, 204, 404)
    assert SECRET.fullmatch(made.pop("secret"))
    assert SECRET.fullmatch(fresh["secret"])
    assert made == shown == listed["items"][0]
    assert shown["types"] == ["job.succeeded", "job.failed"]
    assert edited == shown | {"types": [], "enabled": False, "disabled": "you have turned it off"}
    assert off["code"] == "nothing_to_do"
    assert (post["type"], post["state"], post["attempts"]) == ("webhook.test", "pending", 0)
    assert posts["items"] == [post]


async def test_a_post_that_was_given_up_is_sent_again(house: House, client: Client, ann: Actor) -> None:
    mine = await bearing(house, ann)
    made = await house.services.webhooks.create(ann, url=URL, key="k")
    post = await given_up(house, ann, made.webhook.id)
    path = f"{API}/{made.webhook.id}/posts"

    _, before = await asking(client, "GET", path, mine)
    status, again = await asking(client, "POST", f"{path}/{post.id}/resend", mine)
    twice, problem = await asking(client, "POST", f"{path}/{post.id}/resend", mine)

    assert (before["items"][0]["state"], before["items"][0]["next_at"]) == ("given_up", None)
    assert (status, again["state"], twice, problem["code"]) == (202, "pending", 422, "nothing_to_do")


@pytest.mark.parametrize("url", ["http://hooks.example/", "https://10.0.0.1/", "https://localhost/", "x"])
async def test_a_bad_address_is_refused_in_words(house: House, client: Client, ann: Actor, url: str) -> None:
    status, problem = await asking(client, "POST", API, await bearing(house, ann), {"url": url})

    assert (status, problem["code"]) == (400, "bad_value")


async def test_an_edit_of_what_has_changed_meanwhile_is_refused(house: House, client: Client, ann: Actor) -> None:
    mine = await bearing(house, ann)
    path = f"{API}/{(await house.services.webhooks.create(ann, url=URL, key='k')).webhook.id}"
    tag = (await client.get(path, headers=mine)).headers["ETag"]

    first, _ = await asking(client, "PATCH", path, mine | {"If-Match": tag}, {"note": "one"})
    second, problem = await asking(client, "PATCH", path, mine | {"If-Match": tag}, {"note": "two"})

    assert (first, second, problem["code"]) == (200, 412, "not_as_seen")


async def test_others_see_nothing_of_it(house: House, client: Client, ann: Actor) -> None:
    made = await house.services.webhooks.create(ann, url=URL, key="k")
    post = await given_up(house, ann, made.webhook.id)
    theirs, path = await bearing(house, await somebody(house, "bob")), f"{API}/{made.webhook.id}"
    asked = [
        ("GET", path, None),
        ("PATCH", path, {"enabled": False}),
        ("DELETE", path, None),
        ("POST", f"{path}/test", None),
        ("POST", f"{path}/secret", None),
        ("GET", f"{path}/posts", None),
        ("POST", f"{path}/posts/{post.id}/resend", None),
    ]

    for method, where, body in asked:
        assert (await asking(client, method, where, theirs, body))[0] == 404
    assert (await asking(client, "GET", API, theirs))[1]["items"] == []


async def sent(client: Client, path: str, fields: dict[str, Any] | None = None, *, of: str = "/webhooks") -> str:
    """Send a form as the page has it, and return the page that it leads to."""
    page = await (await client.get(of)).text()
    hidden = dict(re.findall(r'<input type="hidden" name="(csrf|key)" value="([^"]*)"', page))
    response = await client.post(path, data=hidden | (fields or {}))
    return await response.text()


async def test_on_the_pages_it_is_added_once_and_its_secret_shown_once(
    house: House, client: Client, ann: Actor
) -> None:
    await entered(house, client, ann)
    empty = await (await client.get("/webhooks")).text()
    shown = await sent(client, "/webhooks", {"url": URL, "note": "CI", "types": [EventType.JOB_FAILED]})
    (webhook,) = await house.services.webhooks.list(ann)
    page = await (await client.get(f"/webhooks/{webhook.id}")).text()
    listed = await (await client.get("/webhooks")).text()

    assert "No webhook yet" in empty
    assert SECRET.search(shown)
    assert "not shown again" in shown
    assert not SECRET.search(page + listed)
    assert "CI" in listed
    assert (webhook.url, webhook.types) == (URL, (EventType.JOB_FAILED,))


async def test_what_was_typed_stays_when_it_is_refused(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)

    page = await sent(client, "/webhooks", {"url": "http://10.0.0.1/", "note": "mine", "types": ["job.failed"]})

    assert "https://" in page
    assert 'value="http://10.0.0.1/"' in page
    assert 'value="mine"' in page
    assert re.search(r'value="job.failed" checked', page)


async def test_on_its_page_it_is_tested_changed_turned_off_and_deleted(
    house: House, client: Client, ann: Actor
) -> None:
    await entered(house, client, ann)
    webhooks = house.services.webhooks
    made = await webhooks.create(ann, url=URL, key="k")
    here = f"/webhooks/{made.webhook.id}"

    tested = await sent(client, f"{here}/test", of=here)
    rotated = await sent(client, f"{here}/secret", of=here)
    edited = await sent(client, here, {"url": URL, "note": "my CI"}, of=here)
    off = await sent(client, f"{here}/off", of=here)
    await webhooks.change(ann, made.webhook.id, Change(types=(EventType.JOB_FAILED,)))
    untested = await sent(client, f"{here}/test", of=here)
    on = await sent(client, f"{here}/on", of=here)
    deleted = await sent(client, f"{here}/delete", of=here)

    assert "webhook.test" in tested
    assert "on its way" in tested
    found = SECRET.search(rotated)
    assert found
    assert found.group() != made.secret
    assert "my CI" in edited
    assert "Nothing is sent there: you have turned it off" in off
    assert 'value="job.failed" checked' in untested
    assert "Send a test" in on
    assert "No webhook yet" in deleted
    assert await webhooks.list(ann) == []


async def test_a_page_tells_what_came_of_each_attempt(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)
    webhooks = house.services.webhooks
    made = await webhooks.create(ann, url=URL, key="k")
    post = await given_up(house, ann, made.webhook.id)
    here = f"/webhooks/{made.webhook.id}"

    page = await (await client.get(here)).text()
    again = await sent(client, f"{here}/posts/{post.id}/resend", of=here)

    assert "given up" in page
    assert "it answered 500" in page
    assert "on its way" in again


async def test_a_full_list_has_no_form(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)
    for number in range(MOST):
        await house.services.webhooks.create(ann, url=URL, key=f"{number}")

    assert "Add a webhook" not in await (await client.get("/webhooks")).text()


async def test_failing_webhooks_say_so(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)
    made = await house.services.webhooks.create(ann, url=URL, key="k")
    failing = made.webhook.answered(Answer(status=500), now=made.webhook.created_at)
    await house.store.webhooks.save(failing)

    page = await (await client.get(f"/webhooks/{failing.id}")).text()

    assert "Nothing has arrived there since" in page
