"""What comes from other sites is refused, and what was typed into a page that was open for too long is not lost."""

import re
from collections.abc import Mapping
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData
from aiohttp.test_utils import make_mocked_request
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.account import Actor
from core.domain.session import LASTS as SESSION_LASTS
from core.domain.session import Session
from core.domain.token import Scope
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.web.conftest import Client
from web.app import application
from web.csrf import HEADER, LASTS, token_for
from web.pages import Pages

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OWN = HTML | {"Sec-Fetch-Site": "same-origin"}
FOREIGN = HTML | {"Sec-Fetch-Site": "cross-site"}
ISSUE = {"name": "a <b> & «script»", "scope": ["read", "spend"], "days": "30"}
PAGES = Pages("http://localhost")
SECRET = re.compile(r"lg_[2-9a-z]{40}")
FIELD = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@pytest.fixture
async def session(house: House, ann: Actor, client: Client) -> Session:
    """Ann, signed in with the client's cookie."""
    opened = await house.services.sessions.open(ann, device="Firefox on Linux")
    client.session.cookie_jar.update_cookies({"session": opened.secret})
    return opened.session


def token(house: House, session: Session) -> str:
    """What a page of this moment would hold."""
    app = application(services=house.services, blobs=house.blobs)
    return token_for(make_mocked_request("GET", "/", app=app), session)


def fields(page: str) -> list[tuple[str, str]]:
    return [(unescape(name), unescape(value)) for name, value in FIELD.findall(page)]


async def sent(client: Client, form: Mapping[str, Any], headers: Mapping[str, str] = OWN) -> tuple[ClientResponse, str]:
    pairs = [(name, one) for name, value in form.items() for one in (value if isinstance(value, list) else [value])]
    answer = await client.post("/account/tokens", data=pairs, headers=headers, allow_redirects=False)
    return answer, await answer.text()


async def issued(house: House, ann: Actor) -> int:
    return len(await house.services.tokens.list(ann))


@pytest.mark.usefixtures("session")
async def test_a_form_of_our_own_page_is_taken(client: Client) -> None:
    page = await (await client.get("/account", headers=HTML)).text()
    given = dict(fields(page))["csrf"]
    answer, shown = await sent(client, ISSUE | {"csrf": given})

    assert (answer.status, bool(SECRET.search(shown))) == (200, True)


@pytest.mark.parametrize("shown", ["", "nonsense", "bm9uc2Vuc2U.0.abc", "ä"])
@pytest.mark.usefixtures("session")
async def test_a_form_without_a_token_is_shown_again_with_everything_in_it(
    house: House, client: Client, ann: Actor, shown: str
) -> None:
    answer, page = await sent(client, ISSUE | ({"csrf": shown} if shown else {}))
    again = fields(page)

    assert (answer.status, await issued(house, ann)) == (403, 0)
    assert again[1:] == [("name", ISSUE["name"]), ("scope", "read"), ("scope", "spend"), ("days", "30")]
    assert 'action="/account/tokens"' in page
    assert "will be sent as" in page
    answer = await client.post("/account/tokens", data=again, headers=OWN)
    assert (answer.status, await issued(house, ann)) == (200, 1)


async def test_a_token_is_good_for_half_a_day_and_for_its_session_alone(
    house: House, client: Client, ann: Actor, session: Session, clock: HandClock
) -> None:
    other = await house.services.sessions.open(ann, device="")
    mine, others = token(house, session), token(house, other.session)
    clock.advance(LASTS - timedelta(seconds=1))
    statuses = [(await sent(client, ISSUE | {"csrf": one}))[0].status for one in (mine, others)]
    clock.advance(timedelta(seconds=1))
    answer, page = await sent(client, ISSUE | {"csrf": mine}, HTML)

    assert statuses == [200, 403]
    assert (answer.status, "Send it again?" in page) == (403, True), "it is ours, so it may be sent again"


@pytest.mark.parametrize(
    "headers",
    [
        FOREIGN,
        HTML | {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        FOREIGN | {"HX-Request": "true"},
    ],
)
async def test_what_another_site_sends_is_refused_even_with_a_token(
    house: House, client: Client, ann: Actor, session: Session, headers: Mapping[str, str]
) -> None:
    answer, page = await sent(client, ISSUE | {"csrf": token(house, session)}, headers)

    assert (answer.status, await issued(house, ann)) == (403, 0)
    assert "Another site has sent this" in page
    assert fields(page) == []


@pytest.mark.usefixtures("session")
async def test_a_form_of_nobody_knows_whom_is_not_offered_again(house: House, client: Client, ann: Actor) -> None:
    answer, page = await sent(client, ISSUE, HTML)

    assert (answer.status, fields(page), await issued(house, ann)) == (403, [], 0)
    assert "This page was open for too long" in page


async def test_our_own_address_may_be_named_as_the_origin(house: House, client: Client, session: Session) -> None:
    for origin in (f"http://{client.host}:{client.port}", house.services.sessions.address, "null"):
        answer, _ = await sent(client, ISSUE | {"csrf": token(house, session)}, HTML | {"Origin": origin})
        assert answer.status == 200


@pytest.mark.usefixtures("session")
async def test_a_script_gets_a_fresh_token_with_the_refusal(house: House, client: Client, ann: Actor) -> None:
    wish = {"name": "script", "scopes": ["read"]}
    refused = await client.post("/api/v1/tokens", json=wish)
    told = await refused.json()
    fresh = refused.headers[HEADER]
    done = await client.post("/api/v1/tokens", json=wish, headers={HEADER: fresh})
    htmx = await client.post("/account/sessions/end", headers=OWN | {"HX-Request": "true"})

    assert (refused.status, told["code"], refused.content_type) == (403, "csrf_expired", "application/problem+json")
    assert (done.status, HEADER in done.headers) == (201, False)
    assert (htmx.status, bool(htmx.headers[HEADER])) == (403, True)
    assert await issued(house, ann) == 1


async def test_no_browser_sends_a_programs_token_by_itself(house: House, client: Client, ann: Actor) -> None:
    one = await house.services.tokens.issue(ann, name="x", scopes=[Scope.READ, Scope.WRITE], days=1)
    bearer = {"Authorization": f"Bearer {one.secret}", "Sec-Fetch-Site": "cross-site"}

    assert (await client.delete(f"/api/v1/tokens/{one.token.handle}", headers=bearer)).status == 204


@pytest.mark.usefixtures("session")
async def test_links_that_are_secrets_need_no_token(client: Client, link: str) -> None:
    answer = await client.put(f"{link}/files/a.png", data=b"a", headers={"Upload-Length": "1"})

    assert answer.status in {200, 201, 204}


async def test_who_was_signed_out_loses_nothing(
    house: House, client: Client, ann: Actor, session: Session, clock: HandClock
) -> None:
    old = token(house, session)
    clock.advance(SESSION_LASTS)
    answer, page = await sent(client, ISSUE | {"csrf": old})
    kept = fields(page)
    opened = await house.services.sessions.open(ann, device="")
    client.session.cookie_jar.update_cookies({"session": opened.secret})
    again = await client.post("/account/tokens", data=kept, headers=OWN)
    done = await client.post("/account/tokens", data=fields(await again.text()), headers=OWN)

    assert (answer.status, "You are signed out" in page) == (403, True)
    assert (again.status, done.status, await issued(house, ann)) == (403, 200, 1)


async def test_nobody_can_send_without_a_cookie_what_needs_one(client: Client) -> None:
    answer, page = await sent(client, ISSUE, HTML)
    api = await client.post("/api/v1/tokens", json={"name": "x", "scopes": ["read"]})

    assert (answer.status, answer.headers["Location"], page) == (303, "/login?next=%2F", "")
    assert (api.status, api.headers["WWW-Authenticate"], HEADER in api.headers) == (401, "Bearer", False)


@pytest.mark.usefixtures("session")
async def test_files_are_named_where_they_cannot_be_kept(client: Client) -> None:
    form = FormData(list(ISSUE.items())[:1], quote_fields=False)
    form.add_field("picture", b"bytes", filename="<zorp>.png")
    answer = await client.post("/account/tokens?x=1", data=form, headers=OWN)
    page = await answer.text()

    assert answer.status == 403
    assert "Only files have to be chosen anew, on the page before: &lt;zorp&gt;.png." in page
    assert [name for name, _ in fields(page)] == ["csrf", "name"]
    assert 'action="/account/tokens?x=1"' in page


@settings(deadline=None)  # the first page takes longer than the others
@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_whatever_was_typed_stands_in_the_page_as_it_was(typed: list[tuple[str, str]]) -> None:
    shown = PAGES.shown("expired.html", action="/x", typed=typed, files=[], csrf="t", name="ann")
    page = shown.text or ""

    assert fields(page) == [("csrf", "t"), *typed]
