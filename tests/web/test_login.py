"""Signing in and out through the pages: by code and by link; and where a browser is led after it."""

import json
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from core.domain.account import Actor
from core.domain.errors import NotSignedIn
from core.domain.session import ATTEMPTS
from core.services.sessions import Invitation
from loraguild.composition import House, assembled
from tests.builders.scenes import somebody
from tests.web.conftest import Client
from web.app import application
from web.login import inside

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"}
WRONG = "2222-2222"


def at_home(house: House, address: str) -> Client:
    """The pages of a house with another public address."""
    settings = house.settings.model_copy(update={"public_url": address})
    clock, ids = house.services.sessions.clock, house.services.sessions.ids
    services = assembled(settings, store=house.store, blobs=house.blobs, clock=clock, ids=ids)
    return TestClient(TestServer(application(services=services, blobs=house.blobs)))


async def sent(
    client: Client, path: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] = HTML
) -> ClientResponse:
    return await client.post(path, data=form or {}, headers=headers, allow_redirects=False)


async def who(house: House, answer: ClientResponse, *, name: str = "session") -> str:
    """Whose account the answer's cookie leads into."""
    _, actor, _ = await house.services.sessions.seen(answer.cookies[name].value)
    return actor.name


def path_of(invitation: Invitation) -> str:
    return urlsplit(invitation.link).path


async def test_a_code_signs_in_and_leads_on(house: House, client: Client, ann: Actor) -> None:
    invitation = await house.services.sessions.invite(ann)
    page = await (await client.get("/login?next=/datasets%3Fpage%3D2", headers=HTML)).text()
    answer = await sent(client, "/login", {"code": f" {invitation.code.lower()} ", "next": "/datasets?page=2"})
    cookie = answer.cookies["session"]

    assert 'name="next" value="/datasets?page=2"' in page
    assert (answer.status, answer.headers["Location"], await who(house, answer)) == (303, "/datasets?page=2", "ann")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "Lax", "/", "")
    assert [one.device for one in await house.services.sessions.list(ann)] == ["Firefox on Linux"]
    assert (await client.get("/account", headers=HTML)).status == 200


async def test_a_wrong_code_stays_in_the_form(client: Client) -> None:
    answers = [await sent(client, "/login", {"code": WRONG, "next": "/jobs"}) for _ in range(ATTEMPTS.times + 1)]
    page = await answers[0].text()

    assert [answer.status for answer in answers] == [422] * ATTEMPTS.times + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert f'value="{WRONG}"' in page
    assert 'name="next" value="/jobs"' in page
    assert "each code and link works once" in page
    assert "session" not in answers[0].cookies


@pytest.mark.parametrize("code", ["", "<script>", "x" * 10_000, "\0"])
async def test_anything_may_be_typed(client: Client, code: str) -> None:
    answer = await sent(client, "/login", {"code": code})

    assert answer.status == 422
    assert "<script>" not in await answer.text()


async def test_a_link_is_used_up_by_its_button_and_by_no_look(house: House, client: Client, ann: Actor) -> None:
    invitation = await house.services.sessions.invite(ann)
    looks = [await client.get(path_of(invitation), headers=HTML) for _ in range(3)]
    page = await looks[-1].text()
    head = await client.head(path_of(invitation))
    answer = await sent(client, path_of(invitation))
    late = [await sent(client, path_of(invitation)), await client.get(path_of(invitation), headers=HTML)]

    assert [look.status for look in (*looks, head)] == [200] * 4
    assert 'Sign in as <span class="name">ann</span>?' in page
    assert (answer.status, answer.headers["Location"], await who(house, answer)) == (303, "/", "ann")
    assert [one.status for one in late] == [422, 422]


async def test_no_code_can_be_tried_as_a_link(house: House, client: Client, ann: Actor) -> None:
    invitation = await house.services.sessions.invite(ann)

    assert (await client.get(f"/login/{invitation.code}", headers=HTML)).status == 422


async def test_another_site_signs_nobody_in(house: House, client: Client, ann: Actor) -> None:
    invitation = await house.services.sessions.invite(ann)
    foreign = HTML | {"Sec-Fetch-Site": "cross-site"}
    tried = [
        await sent(client, path_of(invitation), headers=foreign),
        await sent(client, "/login", {"code": invitation.code}, foreign),
        await sent(client, "/login", {"code": invitation.code}, HTML | {"Origin": "https://evil.example"}),
    ]

    assert [one.status for one in tried] == [403] * 3
    assert (await sent(client, path_of(invitation))).status == 303, "nothing was used up"


async def test_signing_in_anew_ends_what_the_browser_had_before(house: House, client: Client, ann: Actor) -> None:
    first = await sent(client, path_of(await house.services.sessions.invite(ann)))
    bob = await somebody(house, "bob")
    second = await sent(client, path_of(await house.services.sessions.invite(bob)))

    assert first.cookies["session"].value != second.cookies["session"].value
    assert (await who(house, second), len(await house.services.sessions.list(ann))) == ("bob", 0)


async def test_signing_out_ends_it_on_the_server_too(house: House, client: Client, ann: Actor) -> None:
    signed_in = await sent(client, path_of(await house.services.sessions.invite(ann)))
    page = await (await client.get("/account", headers=HTML)).text()
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    without = await client.post("/logout", allow_redirects=False)
    out = await sent(client, "/logout", {"csrf": csrf})

    assert (without.status, out.status, out.headers["Location"]) == (403, 303, "/login")
    assert (out.cookies["session"].value, out.cookies["session"]["max-age"]) == ("", "0")
    with pytest.raises(NotSignedIn):
        await who(house, signed_in)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://lora.example", "__Host-session"),
        ("https://lora.example/guild", "session"),
        ("http://localhost:8642", "session"),
    ],
)
async def test_a_cookie_is_as_safe_as_the_line(house: House, ann: Actor, address: str, name: str) -> None:
    code = (await house.services.sessions.invite(ann)).code
    async with at_home(house, address) as client:
        answer = await sent(client, "/login", {"code": code, "next": "/jobs"})
    cookie, root = answer.cookies[name], urlsplit(address).path

    assert (cookie["path"], bool(cookie["secure"])) == (root or "/", address.startswith("https"))
    assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Lax", "")
    assert answer.headers["Location"] == f"{root}/jobs"


async def test_behind_a_proxy_everybody_has_their_own_attempts(house: House, ann: Actor) -> None:
    code = (await house.services.sessions.invite(ann)).code
    async with at_home(house, "https://lora.example") as client:
        named = [HTML | {"X-Forwarded-For": f"{spoofed}, 203.0.113.7"} for spoofed in range(ATTEMPTS.times + 1)]
        guesses = [await sent(client, "/login", {"code": WRONG}, headers) for headers in named]
        right = await sent(client, "/login", {"code": code}, HTML | {"X-Forwarded-For": "198.51.100.1"})

    assert [one.status for one in guesses] == [422] * ATTEMPTS.times + [429]
    assert right.status == 303


async def test_without_a_proxy_nobody_says_where_they_come_from(client: Client) -> None:
    named = [HTML | {"X-Forwarded-For": f"203.0.113.{number}"} for number in range(ATTEMPTS.times + 1)]
    guesses = [await sent(client, "/login", {"code": WRONG}, headers) for headers in named]

    assert guesses[-1].status == 429


odd = st.text("/\\@:.?#%ab \t\r\n\0é", max_size=12)


@given(
    odd
    | odd.map(lambda text: f"/{text}")
    | st.sampled_from(["//evil.example", "/\\evil.example", "https://evil.example"])
)
def test_nobody_is_led_to_another_site(text: str) -> None:
    led = urlsplit(urljoin("https://lora.example/login", inside(text).replace("\\", "/")))

    assert (led.scheme, led.netloc) == ("https", "lora.example")
    assert inside(text).isprintable()


@pytest.mark.parametrize("path", ["/", "/datasets?page=2&text=a%20b", "/jobs/abc#end"])
def test_our_own_paths_are_kept(path: str) -> None:
    assert inside(path) == path


async def test_where_one_has_to_be_signed_in_the_door_is_shown(client: Client) -> None:
    page = await client.get("/account", headers=HTML, allow_redirects=False)
    program = await client.get("/api/v1/tokens")

    assert (page.status, page.headers["Location"]) == (303, "/login?next=%2Faccount")
    assert (program.status, program.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert (await program.json())["code"] == "not_signed_in"


async def test_nothing_secret_is_logged(
    house: House, client: Client, ann: Actor, capsys: pytest.CaptureFixture[str]
) -> None:
    invitation = await house.services.sessions.invite(ann)
    await client.get(path_of(invitation), headers=HTML)
    await sent(client, "/login", {"code": WRONG})
    answer = await sent(client, path_of(invitation))
    said = capsys.readouterr()
    secrets = (path_of(invitation), invitation.code, WRONG, answer.cookies["session"].value)

    assert "/login/{secret}" in said.out
    assert not any(secret in said.out + said.err for secret in secrets)


async def test_the_account_page_shows_ends_and_issues(house: House, client: Client, ann: Actor) -> None:
    elsewhere = await house.services.sessions.open(ann, device="Safari on iPhone")
    await sent(client, path_of(await house.services.sessions.invite(ann)))
    page = await (await client.get("/account", headers=HTML)).text()
    csrf = {"csrf": page.partition('name="csrf" value="')[2].partition('"')[0]}
    empty = await sent(client, "/account/tokens", {**csrf, "name": "my <notebook>", "days": "30"})
    issued = await sent(client, "/account/tokens", {**csrf, "name": "my <notebook>", "scope": "read", "days": "30"})
    (token,) = await house.services.tokens.list(ann)
    listed = await (await client.get("/account", headers=HTML)).text()
    revoked = await sent(client, f"/account/tokens/{token.handle}/revoke", csrf)
    ended = await sent(client, f"/account/sessions/{elsewhere.session.handle}/end", csrf)

    assert all(words in page for words in ("Safari on iPhone", "Firefox on Linux", "this one", "Console"))
    assert (empty.status, "choose at least one of" in (again := await empty.text())) == (400, True)
    assert 'value="my &lt;notebook&gt;"' in again
    assert (issued.status, token.prefix in (shown := await issued.text())) == (200, True)
    assert shown.count("lg_") == 2, "as it is, and in an example"
    assert (f"{token.prefix}…" in listed, token.id in listed) == (True, False)
    assert [one.status for one in (revoked, ended)] == [303, 303]
    assert [one.device for one in await house.services.sessions.list(ann)] == ["Firefox on Linux"]
    assert not (await house.services.tokens.list(ann))[0].is_good(house.services.tokens.clock.now())


async def test_programs_see_and_end_them_and_get_no_more_than_they_have(
    house: House, client: Client, ann: Actor
) -> None:
    opened = await house.services.sessions.open(ann, device="Safari on iPhone")
    await sent(client, path_of(await house.services.sessions.invite(ann)))
    csrf = {"X-CSRF-Token": (await client.post("/api/v1/tokens", json={})).headers["X-CSRF-Token"]}
    wish = {"name": "script", "scopes": ["write", "read"], "days": 1}
    issued = await (await client.post("/api/v1/tokens", json=wish, headers=csrf)).json()
    client.session.cookie_jar.clear()
    bearer = {"Authorization": f"Bearer {issued['secret']}"}
    more = await client.post("/api/v1/tokens", json=wish, headers=bearer)
    sessions = (await (await client.get("/api/v1/sessions", headers=bearer)).json())["items"]
    tokens = await (await client.get("/api/v1/tokens", headers=bearer)).json()
    page = await client.get("/account", headers=HTML | bearer, allow_redirects=False)
    gone = await client.delete(f"/api/v1/sessions/{opened.session.handle}", headers=bearer)
    all_gone = await client.delete("/api/v1/sessions", headers=bearer)
    itself = await client.delete(f"/api/v1/tokens/{issued['id']}", headers=bearer)
    after = await client.get("/api/v1/tokens", headers=bearer)

    assert (more.status, (await more.json())["code"]) == (403, "session_needed")
    assert {one["device"]: one["current"] for one in sessions} == {"Firefox on Linux": False, "Safari on iPhone": False}
    assert [one["scopes"] for one in tokens["items"]] == [["read", "write"]]
    assert issued["secret"] not in json.dumps(tokens)
    assert page.status == 303, "a token opens no page"
    assert [one.status for one in (gone, all_gone, itself, after)] == [204, 204, 204, 401]
    assert list(await house.services.sessions.list(ann)) == []
