"""The frame of the API: keys and replays, tags, what does not fit, who may ask, and the document that says so."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import Field

from core.domain.account import Actor, Role
from core.domain.errors import BadValue, NotAsSeen
from core.domain.token import Scope
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.builders.scenes import somebody
from tests.builders.visits import bearing
from web import api
from web.api.route import KEY, PREFIX, Body, Out, Query, Route, require_match, route
from web.app import application
from web.documents import described
from web.limiting import LIMITER, Limiter
from web.visiting import Asked

Client = TestClient[web.Request, web.Application]
AT = f"{PREFIX}/bench"


class ToolOut(Out):
    """A tool."""

    id: str
    name: str


class Wish(Body):
    """A new tool."""

    name: str = Field(min_length=1)
    weight: int = 1


class Wanted(Query):
    """Which tools."""

    page: int = Field(default=1, ge=1)


@dataclass
class Bench:
    """A feature of its own, and what was done with it; nothing is done while its gate is shut."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    made: list[str] = field(default_factory=list)
    tools: dict[str, ToolOut] = field(default_factory=lambda: {"saw": ToolOut(id="saw", name="saw")})

    def routes(self) -> tuple[Route, ...]:
        @route("POST", "/bench", status=HTTPStatus.CREATED, idempotent=True, location="/bench/{id}", errors=(BadValue,))
        async def make(_: Asked, body: Wish) -> ToolOut:
            """Make a tool."""
            self.begun.set()
            await self.gate.wait()
            if body.name == "spoon":
                raise BadValue(what="tool", value=body.name, why="it is none")
            self.made.append(body.name)
            return ToolOut(id=f"{body.name} {len(self.made)}", name=body.name)

        @route("GET", "/bench")
        async def list_(_: Asked, query: Wanted) -> ToolOut:
            """Show a page of tools."""
            return ToolOut(id=str(query.page), name="page")

        @route("GET", "/bench/{tool}")
        async def view(_: Asked, tool: str) -> ToolOut:
            """Show a tool."""
            return self.tools[tool]

        @route("PATCH", "/bench/{tool}", errors=(NotAsSeen,))
        async def edit(asked: Asked, tool: str, body: Wish) -> ToolOut:
            """Change a tool."""
            require_match(asked, self.tools[tool])
            self.tools[tool] = ToolOut(id=tool, name=body.name)
            return self.tools[tool]

        return make, list_, view, edit


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.gate.set()
    return made


@pytest.fixture
async def client(house: House, bench: Bench) -> AsyncIterator[Client]:
    app = application(services=house.services, blobs=house.blobs)
    app.add_routes([web.route(one.method, PREFIX + one.path, one.handle) for one in bench.routes()])
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def token(house: House, ann: Actor) -> dict[str, str]:
    """The headers of a program of Ann's."""
    return await bearing(house, ann)


async def code(answer: ClientResponse) -> str:
    problem = await answer.json()
    assert (answer.content_type, problem["status"]) == ("application/problem+json", answer.status)
    return str(problem["code"])


async def test_a_request_that_comes_again_gets_the_same_answer_and_is_done_once(
    client: Client, bench: Bench, token: Mapping[str, str]
) -> None:
    headers = {**token, KEY: "one"}
    first = await client.post(AT, json={"name": "saw"}, headers=headers)
    again = await client.post(AT, json={"name": "saw"}, headers=headers)

    assert (first.status, await first.json()) == (201, {"id": "saw 1", "name": "saw"})
    assert (again.status, await again.read(), again.headers["Location"]) == (
        201,
        await first.read(),
        first.headers["Location"],
    )
    assert first.headers["Location"].endswith(f"{PREFIX}/bench/saw%201")
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert bench.made == ["saw"]


async def test_a_key_stands_for_one_request_of_one_person(
    house: House, client: Client, bench: Bench, token: Mapping[str, str]
) -> None:
    bob = await bearing(house, await somebody(house, "bob"))
    none = await client.post(AT, json={"name": "saw"}, headers=token)
    long = await client.post(AT, json={"name": "saw"}, headers={**token, KEY: "x" * 129})
    await client.post(AT, json={"name": "saw"}, headers={**token, KEY: "one"})
    other = await client.post(AT, json={"name": "axe"}, headers={**token, KEY: "one"})
    bobs = await client.post(AT, json={"name": "axe"}, headers={**bob, KEY: "one"})

    assert [(answer.status, await code(answer)) for answer in (none, long, other)] == [
        (400, "key_missing"),
        (400, "key_missing"),
        (422, "key_reused"),
    ]
    assert (bobs.status, bench.made) == (201, ["saw", "axe"])


async def test_what_came_to_nothing_can_be_corrected_under_the_same_key(
    client: Client, bench: Bench, token: Mapping[str, str]
) -> None:
    headers = {**token, KEY: "one"}
    refused = await client.post(AT, json={"name": "spoon"}, headers=headers)
    made = await client.post(AT, json={"name": "saw"}, headers=headers)

    assert (refused.status, await code(refused)) == (400, "bad_value")
    assert (made.status, bench.made) == (201, ["saw"])


async def test_while_a_request_is_under_way_another_with_its_key_waits(
    client: Client, bench: Bench, token: Mapping[str, str]
) -> None:
    headers = {**token, KEY: "one"}
    bench.gate.clear()
    sent = asyncio.create_task(client.post(AT, json={"name": "saw"}, headers=headers))
    await bench.begun.wait()
    meanwhile = await client.post(AT, json={"name": "saw"}, headers=headers)
    bench.gate.set()
    first = await sent

    assert (meanwhile.status, await code(meanwhile)) == (409, "key_in_use")
    assert (first.status, bench.made) == (201, ["saw"])


async def test_who_leaves_in_the_middle_finds_it_done(client: Client, bench: Bench, token: Mapping[str, str]) -> None:
    body = b'{"name": "saw"}'
    headers = {**token, KEY: "one"}
    bench.gate.clear()
    _, writer = await asyncio.open_connection(client.host, client.port)
    head = f"POST {AT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    named = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"{head}{named}\r\n".encode() + body)
    await bench.begun.wait()
    writer.transport.abort()
    bench.gate.set()

    async def replayed() -> ClientResponse | None:
        answer = await client.post(AT, data=body, headers={**headers, "Content-Type": "application/json"})
        return answer if answer.status != HTTPStatus.CONFLICT else None

    answer = await awaited(replayed)
    assert (answer.status, await answer.json()) == (201, {"id": "saw 1", "name": "saw"})
    assert bench.made == ["saw"]


async def test_what_is_known_already_is_not_sent_again(client: Client, bench: Bench, token: Mapping[str, str]) -> None:
    first = await client.get(f"{AT}/saw", headers=token)
    tag = first.headers["ETag"]
    known = await client.get(f"{AT}/saw", headers={**token, "If-None-Match": f'"other", W/{tag}'})
    bench.tools["saw"] = ToolOut(id="saw", name="axe")
    changed = await client.get(f"{AT}/saw", headers={**token, "If-None-Match": tag})

    assert (known.status, await known.read(), known.headers["ETag"]) == (304, b"", tag)
    assert (changed.status, (await changed.json())["name"]) == (200, "axe")
    assert changed.headers["ETag"] != tag


async def test_an_edit_of_something_that_has_changed_is_refused(
    client: Client, bench: Bench, token: Mapping[str, str]
) -> None:
    tag = (await client.get(f"{AT}/saw", headers=token)).headers["ETag"]
    edited = await client.patch(f"{AT}/saw", json={"name": "axe"}, headers={**token, "If-Match": tag})
    late = await client.patch(f"{AT}/saw", json={"name": "rasp"}, headers={**token, "If-Match": tag})
    following = await client.patch(
        f"{AT}/saw", json={"name": "file"}, headers={**token, "If-Match": edited.headers["ETag"]}
    )
    anyway = [
        (await client.patch(f"{AT}/saw", json={"name": "nail"}, headers={**token, **more})).status
        for more in ({}, {"If-Match": "*"})
    ]

    assert (edited.status, late.status, await code(late), following.status) == (200, 412, "not_as_seen", 200)
    assert (anyway, bench.tools["saw"].name) == ([200, 200], "nail")


@pytest.mark.parametrize(
    ("body", "places"),
    [
        (b"", ["body"]),
        (b"{", ["body"]),
        (b"[]", ["body"]),
        (b"{}", ["body.name"]),
        (b'{"name": "", "weight": "2", "more": 1}', ["body.more", "body.name", "body.weight"]),
        (b'{"name": "\\ud800"}', ["body"]),
    ],
)
async def test_a_body_that_does_not_fit_is_told_where(
    client: Client, bench: Bench, token: Mapping[str, str], *, body: bytes, places: list[str]
) -> None:
    headers = {**token, KEY: "one", "Content-Type": "application/json"}
    answer = await client.post(AT, data=body, headers=headers)
    problem = await answer.json()

    assert (answer.status, problem["code"], bench.made) == (400, "malformed", [])
    assert [fault["at"] for fault in problem["errors"]] == places
    assert all(fault["detail"] for fault in problem["errors"])


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (f"{AT}?page=0", "query.page"),
        (f"{AT}?page=x", "query.page"),
        (f"{AT}?page=1&page=2", "query.page"),
        (f"{AT}?pages=1", "query.pages"),
        (f"{AT}/saw?page=1", "query.page"),
    ],
)
async def test_a_parameter_that_does_not_fit_is_named(
    client: Client, token: Mapping[str, str], *, path: str, place: str
) -> None:
    answer = await client.get(path, headers=token)
    problem = await answer.json()

    assert (answer.status, problem["code"]) == (400, "malformed")
    assert [fault["at"] for fault in problem["errors"]] == [place]


async def test_what_is_no_json_or_too_much_of_it_is_not_read(
    client: Client, bench: Bench, token: Mapping[str, str]
) -> None:
    headers = {**token, KEY: "one"}
    form = await client.post(AT, data={"name": "saw"}, headers=headers)
    much = BytesIO(b'{"name": "' + bytes(2**21) + b'"}')
    large = await client.post(AT, data=much, headers={**headers, "Content-Type": "application/json"})

    assert (form.status, await code(form)) == (415, "http_415")
    assert (large.status, await code(large), bench.made) == (413, "http_413", [])


async def test_nobody_in_particular_is_told_how_to_show_who_they_are(client: Client) -> None:
    answers = [
        await client.get(AT),
        await client.get(AT, headers={"Authorization": "Bearer lg_wrong"}),
        await client.get(AT, headers={"Authorization": "Basic YTpi"}),
        await client.get(AT, headers={"Cookie": "session=wrong"}),
    ]

    assert [(answer.status, await code(answer)) for answer in answers] == [(401, "not_signed_in")] * 4
    assert [answer.headers["WWW-Authenticate"] for answer in answers] == ["Bearer"] * 4


async def test_a_token_opens_what_it_was_issued_for(house: House, client: Client, bench: Bench, ann: Actor) -> None:
    reader = await bearing(house, ann, {Scope.READ})
    writer = await bearing(house, ann, {Scope.WRITE})
    read = [await client.get(AT, headers=headers) for headers in (reader, writer)]
    made = [
        await client.post(AT, json={"name": "saw"}, headers={**headers, KEY: "one"}) for headers in (reader, writer)
    ]

    assert [answer.status for answer in (*read, *made)] == [200, 403, 403, 201]
    assert (await code(made[0]), bench.made) == ("token_too_narrow", ["saw"])


async def test_a_viewer_looks_and_does_not_touch(
    house: House, client: Client, bench: Bench, ann: Actor, token: Mapping[str, str]
) -> None:
    root = await somebody(house, "root")
    await house.services.accounts.role(root, await house.store.accounts.get(ann.account), Role.VIEWER)
    read = await client.get(AT, headers=token)
    made = await client.post(AT, json={"name": "saw"}, headers={**token, KEY: "one"})

    assert (read.status, made.status, await code(made), bench.made) == (200, 403, "not_allowed", [])


async def test_who_asks_too_often_is_told_when_to_come_back(house: House, token: Mapping[str, str]) -> None:
    app = application(services=house.services, blobs=house.blobs)
    app[LIMITER] = Limiter(rate=0.01, burst=2)
    bob = await bearing(house, await somebody(house, "bob"))
    async with TestClient(TestServer(app)) as client:
        answers = [await client.get(f"{PREFIX}/datasets", headers=headers) for headers in (token, token, token, bob)]
        why = await code(answers[2])

    assert [answer.status for answer in answers] == [200, 200, 429, 200]
    assert (why, 0 < int(answers[2].headers["Retry-After"]) <= 100) == ("too_often", True)


def test_every_route_stands_in_a_sound_document() -> None:
    document = described("https://example.org")
    operations = {
        (method.upper(), path): one for path, found in document["paths"].items() for method, one in found.items()
    }

    schemathesis.openapi.from_dict(document).validate()
    assert operations.keys() == {(one.method, one.path) for one in api.discovered()}
    assert [one["operationId"] for one in operations.values() if not one["summary"].endswith((".", ":", ","))] == []
    assert [
        name for name, times in Counter(one["operationId"] for one in operations.values()).items() if times > 1
    ] == []


def test_the_examples_of_the_manual_are_routes() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    examples = {re.sub(r"\$\w+", "{}", path) for path in re.findall(rf'\$LORAGUILD{PREFIX}([^" ]+)', manual)}

    assert len(examples) > 15
    assert examples - {re.sub(r"{\w+}", "{}", one.path) for one in api.discovered()} == set()


def test_the_document_says_what_a_route_takes_and_answers() -> None:
    operation: dict[str, Any] = described("https://example.org")["paths"]["/datasets"]["post"]

    assert operation["requestBody"]["content"].keys() == {"application/json"}
    assert operation["responses"].keys() == {*("201", "400", "401", "403", "409", "413", "415", "422", "429", "503")}
    assert [one["name"] for one in operation["parameters"] if one["required"]] == [KEY]
