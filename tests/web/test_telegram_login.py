"""Telegram's word for somebody: checked to the letter, good for a day, and used up by a button, once."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from core.domain.account import Platform
from core.domain.errors import SignInFailed
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.entities import NOON
from tests.web.conftest import Client
from web.app import application
from web.logins import Logins
from web.logins.telegram import AHEAD, FIELDS, OLDEST, Telegram, Vouched, signature

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
BACK = "/login/telegram/back"
BOT = Telegram(bot="lora_bot", token="1:abc")


@pytest.fixture
async def client(house: House) -> AsyncIterator[Client]:
    app = application(services=house.services, blobs=house.blobs, logins=Logins(telegram=BOT))
    async with TestClient(TestServer(app)) as client:
        yield client


async def sent(client: Client, form: Mapping[str, str]) -> ClientResponse:
    return await client.post(BACK, data=form, headers=HTML, allow_redirects=False)


def vouched_for(*, now: float, **facts: str) -> dict[str, str]:
    """What Telegram's widget sends."""
    known = {"id": "77", "first_name": "Tina", "auth_date": str(int(now)), **facts}
    return {**known, "hash": signature(known, token=BOT.token)}


async def test_telegrams_word_signs_in_once_by_a_button(house: House, client: Client, clock: HandClock) -> None:
    known = await house.services.accounts.welcome(Platform.TELEGRAM, "77", name="Tina")
    given = {**vouched_for(now=clock.now().timestamp(), last_name="<Turner>"), "next": "/jobs"}
    look = await client.get(BACK, params=given, headers=HTML)
    page = await look.text()
    answer = await sent(client, given)
    clock.advance(OLDEST - timedelta(hours=1))
    again = await sent(client, given)

    assert "Tina &lt;Turner&gt;</span>?" in page
    assert "Telegram says that this is you." in page
    assert (answer.status, answer.headers["Location"]) == (303, "/jobs")
    assert (await house.services.sessions.seen(answer.cookies["session"].value))[1].account == known.account
    assert (again.status, "session" in again.cookies) == (422, False)


@pytest.mark.parametrize("way", ["get", "post"])
async def test_what_telegram_has_not_signed_opens_nothing(client: Client, clock: HandClock, way: str) -> None:
    given = vouched_for(now=clock.now().timestamp()) | {"id": "78"}
    answer = await sent(client, given) if way == "post" else await client.get(BACK, params=given, headers=HTML)

    assert (answer.status, "session" in answer.cookies) == (422, False)
    assert "is not signed by it" in await answer.text()


async def test_only_the_widgets_page_takes_anything_from_another_site(client: Client) -> None:
    widget = await client.get("/login/telegram?next=/jobs", headers=HTML)
    door = await client.get("/login", headers=HTML)
    page = await widget.text()

    assert "script-src 'self' https://telegram.org; frame-src https://oauth.telegram.org" in _policy(widget)
    assert "telegram" not in _policy(door)
    assert 'data-telegram-login="lora_bot"' in page
    assert 'data-auth-url="http://127.0.0.1:8642/login/telegram/back?next=%2Fjobs"' in page


words = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20)
facts = st.dictionaries(st.sampled_from([name for name in FIELDS if name not in {"id", "auth_date"}]), words)


@given(facts, st.integers(1, 10**15 - 1), st.floats(-AHEAD.total_seconds(), OLDEST.total_seconds()))
def test_telegrams_word_is_taken_for_a_day(known: dict[str, str], number: int, age: float) -> None:
    given = vouched_for(now=NOON.timestamp(), id=str(number), **known)
    vouched = BOT.vouched({**given, "next": "/jobs"}, now=NOON + timedelta(seconds=age))

    assert vouched == Vouched(id=str(number), name=vouched.name, proof=f"telegram:{given['hash']}")


@given(facts, st.sampled_from([*FIELDS, "hash"]), words)
def test_not_a_letter_of_it_may_differ(known: dict[str, str], name: str, value: str) -> None:
    given = vouched_for(now=NOON.timestamp(), **known)

    if given.get(name) != value:
        with pytest.raises(SignInFailed):
            BOT.vouched({**given, name: value}, now=NOON)


@given(st.dictionaries(st.text(), st.text()))
def test_whatever_comes_it_is_refused_in_words(given: dict[str, str]) -> None:
    with pytest.raises(SignInFailed):
        BOT.vouched(given, now=NOON)


@pytest.mark.parametrize(
    ("facts", "after"),
    [({}, OLDEST + timedelta(seconds=1)), ({}, -AHEAD - timedelta(seconds=1)), ({"id": "x"}, timedelta(0))],
)
def test_what_is_signed_may_still_be_too_old_or_of_nobody(facts: dict[str, str], after: timedelta) -> None:
    with pytest.raises(SignInFailed):
        BOT.vouched(vouched_for(now=NOON.timestamp(), **facts), now=NOON + after)


async def test_another_bots_word_counts_for_nothing() -> None:
    with pytest.raises(SignInFailed):
        Telegram(bot="lora_bot", token="1:other").vouched(vouched_for(now=NOON.timestamp()), now=NOON)


def _policy(answer: ClientResponse) -> str:
    return answer.headers["Content-Security-Policy"]
