"""The guarded fetcher over real sockets: what is refused before anybody is asked, and what an answer may be."""

import asyncio
import datetime as dt
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from core.domain.address import IPAddress, is_public
from core.domain.errors import LinkRefused
from core.domain.upload import NAME_LENGTH, file_name
from worker.adapters import fetching
from worker.adapters.fetching import fetched
from worker.adapters.reaching import Resolver, looked_up

LIMIT = 2**20
CONTENT = bytes(range(256)) * 16
LOOPBACK = ip_address("127.0.0.1")
PUBLIC = ip_address("93.184.215.14")
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Hosts:
    """A name server that answers each question with the next of its answers, and the last one for ever."""

    def __init__(self, *answers: Sequence[IPAddress]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, _: int) -> Sequence[IPAddress]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Site:
    """A web server on a loopback port that notes what it was asked; `answer` is what it says."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.answer: Answer = answering(body=CONTENT)
        self.server: BaseTestServer | None = None

    @property
    def port(self) -> int:
        assert self.server
        assert self.server.port
        return self.server.port

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.headers["Host"], request.path_qs))
        return await self.answer(request)

    def url(self, path: str = "/a.zip", *, host: str = "pictures.example") -> str:
        return f"http://{host}:{self.port}{path}"

    async def fetch(self, url: str, path: Path, **given: Any) -> str:
        """Fetch, where this very site counts as public and every name leads to it."""
        wished: dict[str, Any] = {"limit": LIMIT, "resolver": Hosts([LOOPBACK]), "allowed": here}
        return await fetched(url, path, **(wished | {"ports": {self.port}} | given))


def written(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def here(address: IPAddress) -> bool:
    return address == LOOPBACK or is_public(address)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", r"/{path:[\s\S]*}", site.handle)
    async with TestServer(app) as server:
        site.server = server
        yield site


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fetched"


def answering(**facts: Any) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(**facts)

    return answer


def leading(*links: str) -> Answer:
    """Lead from each path `/0`, `/1` … to the link of that number."""

    async def answer(request: web.Request) -> web.StreamResponse:
        number = int(request.path.strip("/") or 0)
        if number >= len(links):
            return web.Response(body=CONTENT)
        return web.Response(status=302, headers={"Location": links[number]})

    return answer


async def test_a_file_is_written_and_named_and_the_host_keeps_its_name(site: Site, path: Path) -> None:
    hosts = Hosts([LOOPBACK])

    assert await site.fetch(site.url("/some/a%20b.zip?token=1#part"), path, resolver=hosts) == "a b.zip"
    assert written(path) == CONTENT
    assert hosts.asked == ["pictures.example"]
    assert site.seen == [(f"pictures.example:{site.port}", "/some/a%20b.zip?token=1")]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "100::1",
    ],
)
def test_addresses_that_are_not_everybodys_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4).filter(lambda address: not is_public(address)))
def test_what_is_not_public_is_not_so_either_within_another_address(address: Any) -> None:
    number = int(address)
    for inside in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80 | 1):
        assert not is_public(ip_address(inside.to_bytes(16)))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "10.0.0.1",
        "169.254.169.254",
        "[fd00::1]",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "127.0.0.1.",
        "127。0。0。1",
        "①②⑦.0.0.1",
    ],
)
async def test_no_way_of_writing_a_private_host_leads_there(site: Site, path: Path, *, host: str) -> None:
    with pytest.raises(LinkRefused):
        await fetched(site.url(host=host), path, limit=LIMIT, ports={site.port})

    assert (site.seen, written(path)) == ([], None)


@pytest.mark.parametrize(
    "answer", [[LOOPBACK], [PUBLIC, LOOPBACK], [ip_address("169.254.169.254")], [ip_address("::1")]]
)
async def test_a_name_for_a_private_address_is_refused_also_where_another_is_public(
    site: Site, path: Path, *, answer: Sequence[IPAddress]
) -> None:
    with pytest.raises(LinkRefused, match="private network"):
        await fetched(site.url(), path, limit=LIMIT, resolver=Hosts(answer), ports={site.port})

    assert site.seen == []


async def test_a_name_that_means_something_else_a_moment_later_is_asked_only_once(site: Site, path: Path) -> None:
    """What was checked is what is connected to: the second answer, which would be refused, is never heard."""
    hosts = Hosts([LOOPBACK], [ip_address("10.0.0.1")])

    assert await site.fetch(site.url(), path, resolver=hosts) == "a.zip"
    assert hosts.asked == ["pictures.example"]


async def test_a_name_that_turns_private_before_a_redirect_to_itself_is_refused_then(site: Site, path: Path) -> None:
    site.answer = leading("/1", "/2")
    hosts = Hosts([LOOPBACK], [ip_address("10.0.0.1")])

    with pytest.raises(LinkRefused, match="private network"):
        await site.fetch(site.url("/0"), path, resolver=hosts)
    assert [seen for _, seen in site.seen] == ["/0"]


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("http://169.254.169.254/latest/meta-data", "private network"),
        ("http://[::1]/", "private network"),
        ("http://2130706434/", "private network"),
        ("//10.0.0.1/", "private network"),
        ("http://localhost:22/", "port 22"),
        ("http://ann:secret@pictures.example/", "name or password"),
        ("file:///etc/passwd", "begin with http"),
        ("gopher://10.0.0.1/", "begin with http"),
        ("http://[::1", "no link"),
    ],
)
async def test_a_redirect_is_checked_as_the_link_was(site: Site, path: Path, *, link: str, why: str) -> None:
    site.answer = leading(link)

    with pytest.raises(LinkRefused, match=why):
        await site.fetch(site.url("/0"), path, resolver=resolving, ports={site.port, 80})
    assert len(site.seen) == 1


async def resolving(host: str, port: int) -> Sequence[IPAddress]:
    """This site's name leads to it, and any other host where the machine says."""
    return [LOOPBACK] if host == "pictures.example" else await looked_up(host, port)


async def test_three_redirects_are_followed_and_name_the_file_and_a_fourth_is_not(site: Site, path: Path) -> None:
    site.answer = leading("/1", "2", site.url("/3"))
    assert await site.fetch(site.url("/0"), path) == "3"

    site.answer = leading("/1", "/2", "/3", "/4")
    with pytest.raises(LinkRefused, match="leads on more than 3 times"):
        await site.fetch(site.url("/0"), path)


async def test_a_redirect_in_a_circle_ends(site: Site, path: Path) -> None:
    site.answer = leading("/0")

    with pytest.raises(LinkRefused, match="leads on"):
        await site.fetch(site.url("/0"), path)
    assert len(site.seen) == 4


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("ftp://pictures.example/a", "begin with http"),
        ("pictures.example/a", "begin with http"),
        ("file:///etc/passwd", "begin with http"),
        ("http://", "begin with http"),
        ("", "begin with http"),
        ("http://pictures.example:99999/", "no link"),
        ("http://pictures.example:x/", "no link"),
        ("http://ann@pictures.example/", "name or password"),
        ("http://:secret@pictures.example/", "name or password"),
        ("http://pictures.example:25/", "port 25"),
        ("https://pictures.example:6379/", "port 6379"),
        ("http://nowhere.invalid/", "no such host"),
        (f"http://{'x' * 70}.example/", "no such host|no link"),
    ],
)
async def test_links_that_are_none_are_refused_in_words(path: Path, *, link: str, why: str) -> None:
    async def unknown(host: str, _: int) -> Sequence[IPAddress]:
        raise OSError(host)

    with pytest.raises(LinkRefused, match=why):
        await fetched(link, path, limit=LIMIT, resolver=unknown)


async def test_a_refusal_shows_no_secret_of_a_link(path: Path) -> None:
    with pytest.raises(LinkRefused) as refused:
        await fetched("http://ann:secret@x.example/a\u202e?key=secret#secret", path, limit=LIMIT)

    assert "http://x.example/a" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("told", [True, False])
async def test_what_is_too_large_is_refused_whether_it_says_so_or_not(site: Site, path: Path, *, told: bool) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(2 * LIMIT)} if told else {})
        await response.prepare(request)
        for _ in range(2 * LIMIT // len(CONTENT)):
            await response.write(CONTENT)
        return response

    site.answer = answer
    with pytest.raises(LinkRefused, match="larger than 1 MB"):
        await site.fetch(site.url(), path)
    assert written(path) is None


async def test_what_fits_exactly_is_taken(site: Site, path: Path) -> None:
    assert await site.fetch(site.url(), path, limit=len(CONTENT)) == "a.zip"
    with pytest.raises(LinkRefused):
        await site.fetch(site.url(), path, limit=len(CONTENT) - 1)


@pytest.mark.parametrize("step", ["the host", "the head", "the body"])
async def test_what_takes_too_long_is_refused_wherever_it_stands(site: Site, path: Path, *, step: str) -> None:
    over = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if step == "the head":
            await over.wait()
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(CONTENT)
        await over.wait()
        return response

    async def resolver(*_: object) -> Sequence[IPAddress]:
        if step == "the host":
            await over.wait()
        return [LOOPBACK]

    site.answer = answer
    with pytest.raises(LinkRefused, match="longer than"):
        await site.fetch(site.url(), path, seconds=0.2, resolver=resolver)
    over.set()
    assert written(path) is None


@pytest.mark.parametrize("status", [201, 204, 206, 304, 400, 401, 403, 404, 500, 503])
async def test_only_200_brings_a_file(site: Site, path: Path, *, status: int) -> None:
    site.answer = answering(status=status)

    with pytest.raises(LinkRefused, match=f"the answer was {status}"):
        await site.fetch(site.url(), path)
    assert written(path) is None


async def test_what_comes_compressed_unasked_is_not_unpacked(site: Site, path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.headers["Accept-Encoding"] == "identity"
        response = web.Response(body=bytes(LIMIT))
        response.enable_compression(web.ContentCoding.gzip)
        return response

    site.answer = answer
    with pytest.raises(LinkRefused, match="compressed"):
        await site.fetch(site.url(), path)


async def test_an_answer_that_breaks_off_leaves_nothing(site: Site, path: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(2 * len(CONTENT))})
        await response.prepare(request)
        await response.write(CONTENT)
        assert request.transport
        request.transport.close()
        return response

    site.answer = answer
    with pytest.raises(LinkRefused, match="broke off"):
        await site.fetch(site.url(), path)
    assert written(path) is None


async def test_where_nobody_listens_is_said_in_words(path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        with pytest.raises(LinkRefused, match="nobody answers"):
            await fetched(
                f"http://x.example:{port}/", path, limit=LIMIT, resolver=Hosts([LOOPBACK]), allowed=here, ports={port}
            )


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="b.zip"', "b.zip"),
        ("attachment; filename=b.zip", "b.zip"),
        ("attachment; filename*=UTF-8''%C3%A9%20b.zip", "é b.zip"),
        ('attachment; filename="../../etc/b.zip"', "b.zip"),
        ('attachment; filename="..\\\\b.zip"', "b.zip"),
        ("attachment; filename*=UTF-8''..%2Fb%00%0A.zip", "b.zip"),
        ('attachment; filename=".."', "a.zip"),
        ("attachment; filename=", "a.zip"),
        ("nonsense;;;", "a.zip"),
        ("", "a.zip"),
    ],
)
async def test_a_name_from_the_header_is_made_safe(site: Site, path: Path, *, disposition: str, name: str) -> None:
    site.answer = answering(body=CONTENT, headers={"Content-Disposition": disposition})

    assert await site.fetch(site.url(), path) == name


@pytest.mark.parametrize(
    ("end", "name"),
    [
        ("/", "file"),
        ("", "file"),
        ("/x%2Fy%2Fa.png", "a.png"),
        ("/..%2F..%2Fpasswd", "passwd"),
        ("/%00%0Aa.png", "a.png"),
        (f"/{'x' * 300}.png", f"{'x' * (NAME_LENGTH - 4)}.png"),
    ],
)
async def test_a_name_from_the_link_is_made_safe(site: Site, path: Path, *, end: str, name: str) -> None:
    assert await site.fetch(site.url(end), path) == name


@given(st.text(), st.text())
def test_whatever_a_header_and_a_link_say_the_name_is_one_that_may_be_kept(header: str, end: str) -> None:
    name = fetching._name(header.replace("\n", ""), URL.build(scheme="http", host="x.example", path=f"/{end}"))  # noqa: SLF001 - no server sends such headers

    assert file_name(name) == name


@asynccontextmanager
async def a_secure_site(folder: Path, heard: list[str]) -> AsyncIterator[int]:
    """A server with a certificate that nobody trusts, which notes the name that it is asked for in the handshake."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pictures.example")])
    day = dt.datetime.now(tz=dt.UTC)
    facts = (name, name, key.public_key(), x509.random_serial_number(), day, day + dt.timedelta(days=1))
    certificate = x509.CertificateBuilder(*facts).sign(key, hashes.SHA256())
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "site.pem").write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "site.pem")
    context.sni_callback = lambda _, asked, __: heard.append(asked)
    server = TestServer(web.Application(), scheme="https")
    await server.start_server(ssl=context)
    try:
        assert server.port
        yield server.port
    finally:
        await server.close()


async def test_a_certificate_is_asked_for_by_name_and_has_to_be_trusted(tmp_path: Path) -> None:
    heard: list[str] = []
    async with a_secure_site(tmp_path, heard) as port:
        resolver: Resolver = Hosts([LOOPBACK])
        with pytest.raises(LinkRefused, match="certificate"):
            await fetched(
                f"https://pictures.example:{port}/a.zip",
                tmp_path / "fetched",
                limit=LIMIT,
                resolver=resolver,
                allowed=here,
                ports={port},
            )

    assert heard == ["pictures.example"]
