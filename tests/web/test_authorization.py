"""Who may see and do what: every route of the API and every page, asked by everybody for what is ann's.

What is refused is refused as if it were not there, changes nothing, and says nothing of what is private. A route that
no line of TABLE is about fails the test.
"""

import re
import secrets
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import pytest
from aiohttp import ClientResponse, DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer

from core.domain.account import Actor, Role
from core.domain.signature import signed
from core.domain.token import Scope
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.belongings import PRIVATE, SHARED, Belongings, belongings
from tests.builders.bodies import least
from tests.builders.payouts import changed
from tests.builders.scenes import everything_in, somebody
from tests.web.conftest import Client
from web import api, sandbox
from web.api.route import PREFIX
from web.app import application
from web.csrf import HEADER, LASTS, PURPOSE
from web.documents import described
from web.limiting import LIMITER, Limiter
from web.visiting import cookie

pytestmark = pytest.mark.timeout(600)


class Open(Enum):
    """To whom something is open."""

    ROLE = auto()  # whoever has the role that the route names
    ALL = auto()  # whoever is signed in
    WATCHED = auto()  # its owner; moderators and admins may look, too
    OWNER = auto()  # its owner alone


THINGS = "datasets|generate|generations|jobs|models|payouts|receipts|trainings"  # that moderators watch over
OWN = "captionings|characters|exports|quotes|sessions|tokens|train/quotes|uploads|webhooks|account/(tokens|sessions)"
TABLE = {  # by method and path; the first line that fits counts
    r"\S+ /admin\b.*": Open.ROLE,
    r"\S+ [^{]*": Open.ALL,  # nothing is named: it is about whoever asks
    r"GET /(training-offerings|wallet/months|earnings/months)/{\w+}": Open.ALL,
    r"(PUT|POST) /datasets/{dataset}/(images|captions)/{\w+}(/caption)?/review": Open.WATCHED,
    r"POST /(jobs|trainings|datasets/{dataset}/work)/{\w+}/cancel": Open.WATCHED,
    rf"GET /({THINGS})/{{\w+}}.*": Open.WATCHED,
    rf"\S+ /({THINGS}|{OWN})/{{\w+}}.*": Open.OWNER,
}
READS = {  # what a reader has of what is shared with them
    "GET /datasets/{dataset}",
    "GET /datasets/{dataset}/images",
    "GET /datasets/{dataset}/images/{image}",
    "GET /models/{model}",
    "GET /models/{model}/files",
}
FOR_READERS = {  # and may do with it
    "POST /datasets/{dataset}/captions/{item}/review",
    "POST /datasets/{dataset}/export",
    "PUT /datasets/{dataset}/images/{image}/caption/review",
}
ASKED = {"GET /trainings/{training}/extension": "?steps=300"}  # what stands behind a question mark
JOBS = {"generate": "generation", "receipts": "run"}  # whose id `{job}` is, where it is no training that waits
OF_DELETED = ("/purge", "/restore")
STRANGERS, STAFF = ("stranger", "reader"), ("moderator", "admin")
MOVING = {"allowances", "replays", "sessions", "tokens"}  # who asks leaves a trace there
MOVING |= {"files.chunks", "files.files"}  # and thumbnails are made for whoever looks first
COUNTED = {"blobs", "models"}  # what somebody may download is counted, and cards are written when they are wanted


@dataclass(frozen=True)
class Route:
    """One route, of the API or a page."""

    name: str
    role: Role
    is_page: bool
    body: object = None

    @property
    def method(self) -> str:
        return self.name.partition(" ")[0]

    @property
    def reads(self) -> bool:
        return self.method == "GET"

    @property
    def open_to(self) -> Open | None:
        return next((found for pattern, found in TABLE.items() if re.fullmatch(pattern, self.name)), None)

    def path(self, names: Mapping[str, str]) -> str:
        path = self.name.partition(" ")[2]
        known = {**names, "job": names[JOBS.get(path.split("/")[1], "job")]}
        if path.endswith(OF_DELETED):
            known["dataset"] = names["deleted"]
        path = path.format(**known)
        return path if self.is_page else PREFIX + path + ASKED.get(self.name, "")


def routes() -> list[Route]:
    """All that can be asked for."""
    document = described("http://127.0.0.1")
    found = [Route(name=f"{one.method} {one.path}", role=one.role, is_page=True) for one in sandbox.discovered()]
    for one in api.discovered():
        content = document["paths"][one.path][one.method.lower()].get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        body = least(schema, document["components"]["schemas"]) if schema else None
        found.append(Route(name=f"{one.method} {one.path}", role=one.role, is_page=False, body=body))
    return found


@dataclass(frozen=True)
class Crowd:
    """Everybody, with what their browsers and programs show."""

    client: Client
    things: Belongings
    names: Mapping[str, str]
    pages: Mapping[str, Mapping[str, str]]
    programs: Mapping[str, Mapping[str, str]]
    roles: Mapping[str, Role]

    async def ask(self, route: Route, who: str, names: Mapping[str, str] = {}) -> tuple[int, str]:
        """The status and the words of an answer; of a stream only the status."""
        headers = (self.pages if route.is_page else self.programs)[who]
        facts: dict[str, Any] = {"json": route.body} if route.body is not None else {}
        async with self.client.request(
            route.method,
            route.path({**self.names, **names}),
            headers={**headers, "Idempotency-Key": secrets.token_hex(8)},
            allow_redirects=False,
            **facts,
        ) as answer:
            return answer.status, await said(answer)


async def said(answer: ClientResponse) -> str:
    is_text = re.match(r"text/(?!event-stream)|application/", answer.content_type)
    return (await answer.read()).decode(errors="replace") if is_text else ""


@pytest.fixture
async def crowd(house: House) -> AsyncIterator[Crowd]:
    things, root, mia = await belongings(house), await somebody(house, "root"), await somebody(house, "mia")
    await changed(house, mia, role=Role.MODERATOR)
    people: dict[str, Actor] = {
        "stranger": await somebody(house, "eve"),
        "reader": things.reader,
        "owner": things.owner,
        "moderator": await somebody(house, "mia"),
        "admin": root,
    }
    pages = {"anonymous": {"Accept": "text/html"}}
    programs: dict[str, dict[str, str]] = {"anonymous": {}}
    for who, actor in people.items():
        pages[who] = {"Accept": "text/html", **await signed_in(house, actor)}
        programs[who] = {} if who == "moderator" else await token_of(house, actor)
    programs["moderator"] = {name: value for name, value in pages["moderator"].items() if name != "Accept"}
    app = application(services=house.services, blobs=house.blobs)
    app[LIMITER] = Limiter(rate=1e6, burst=1e6)
    further = {
        "account": things.owner.account,
        "category": "hair",
        "community": "discord:1",
        "month": "2026-03",
        "offering": "tiny",
        "other": things.reader.account,
        "provider": "vision",
        "reader": things.reader.account,
        "report": "none",
        "step": "pictures",
        "what": "queue",
        "worker": "none",
    }
    async with TestClient(TestServer(app), cookie_jar=DummyCookieJar()) as client:  # everybody has their own
        yield Crowd(
            client=client,
            things=things,
            names={**further, **things.names},
            pages=pages,
            programs=programs,
            roles={who: actor.role for who, actor in people.items()},
        )


async def signed_in(house: House, actor: Actor) -> dict[str, str]:
    """What a browser sends, and our pages with it."""
    sessions = house.services.sessions
    opened = await sessions.open(actor, device="a test")
    until = int((sessions.clock.now() + LASTS).timestamp())
    token = signed(f"{opened.session.handle}:{until}", purpose=PURPOSE, keys=sessions.keys)
    return {"Cookie": f"{cookie(sessions.address)}={opened.secret}", HEADER: token}


async def token_of(house: House, actor: Actor) -> dict[str, str]:
    """What a program shows, issued for all that its owner may do."""
    scopes = frozenset(Scope) - (set() if actor.role.covers(Role.ADMIN) else {Scope.ADMIN})
    issued = await house.services.tokens.issue(actor, name="a test", scopes=scopes, days=1)
    return {"Authorization": f"Bearer {issued.secret}"}


async def unmoved(database: Database, *, but: Collection[str] = ()) -> Mapping[str, list[Any]]:
    """All that only changes when somebody does something."""
    return {name: rows for name, rows in (await everything_in(database)).items() if name not in {*MOVING, *but}}


def fits(route: Route, who: str, status: int, role: Role) -> bool:
    """Whether somebody was answered as the table says."""
    refused = {404} if who in STRANGERS else {400, 403, 404, 409, 422}
    match route.open_to:
        case Open.ROLE:
            return (status == 403) != role.covers(route.role)
        case Open.ALL:
            return status not in {401, 403, 404}
        case Open.WATCHED:
            return status in refused if who in STRANGERS else status not in {401, 404} or who in STAFF
        case _:
            return status not in {401, 403, 404} if who == "owner" else status in refused


def test_every_route_is_in_the_table() -> None:
    assert [route.name for route in routes() if route.open_to is None] == []


async def test_nobody_gets_in_without_signing_in(crowd: Crowd, database: Database) -> None:
    before = await unmoved(database)
    for route in routes():
        status, words = await crowd.ask(route, "anonymous")
        assert (route.name, status) == (route.name, 303 if route.is_page else 401)
        assert PRIVATE not in words
        assert SHARED not in words
    assert await unmoved(database) == before


def is_harmless(route: Route, who: str, role: Role) -> bool:
    """Whether asking changes nothing, because it only reads or because it has to be refused."""
    may = {Open.ROLE: role.covers(route.role), Open.ALL: True, Open.OWNER: who == "owner"}
    return route.reads or not may.get(route.open_to or Open.ALL, who not in STRANGERS)


@pytest.mark.parametrize(("group", "but"), [(STRANGERS, ()), (("owner", *STAFF), COUNTED)], ids=["others", "entitled"])
async def test_everybody_gets_what_is_theirs_and_no_more(
    crowd: Crowd, database: Database, group: Collection[str], but: Collection[str]
) -> None:
    before, wrong = await unmoved(database, but=but), []
    for route in routes():
        for who in group:
            role = crowd.roles[who]
            if not is_harmless(route, who, role):
                continue
            status, words = await crowd.ask(route, who)
            leaks = who in STRANGERS and PRIVATE in words
            if leaks or status >= 500 or not fits(route, who, status, role):
                wrong.append((route.name, "page" if route.is_page else "api", who, status, "leaks" if leaks else ""))
    assert not wrong, "\n".join(map(str, wrong))
    assert await unmoved(database, but=but) == before


async def test_a_reader_reads_what_is_shared_and_a_stranger_does_not(crowd: Crowd, database: Database) -> None:
    before, wrong = await unmoved(database, but=COUNTED), []
    of_shared = [one for one in routes() if re.match(r"\S+ /(datasets/{dataset}|models/{model})", one.name)]
    for route in of_shared:
        for who in STRANGERS if route.name not in FOR_READERS else STRANGERS[:1]:
            status, words = await crowd.ask(route, who, crowd.things.shared)
            good = {200, 303, 304, 400, 404, 422} if route.reads else {400, 403, 404, 422}
            expected = {404} if who == "stranger" else {200} if route.name in READS else good
            if status not in expected or PRIVATE in words or (who == "stranger" and SHARED in words):
                wrong.append((route.name, "page" if route.is_page else "api", who, status))
    assert not wrong, "\n".join(map(str, wrong))
    assert await unmoved(database, but=COUNTED) == before
