"""Restarts, replicas, repeated and broken things."""

import asyncio
import json
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import aiohttp
import pytest
from structlog.testing import capture_logs

from bots.telegram.leading import LEADS
from bots.telegram.meeting import PLATFORM
from bots.telegram.receiving import HEADER, Webhook
from bots.telegram.serving import WRONG
from core.domain.errors import PortTaken, TokenRefused
from core.domain.inbox import LEAD, Update
from core.ports.clock import HandClock
from core.ports.store import PAGE
from core.services.inboxes import Inboxes
from loraguild.composition import House
from tests.bots.telegram.conftest import Serving
from tests.emulators.telegram import Telegram


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody is given meanwhile but who asks for it by its number."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield int(kept.getsockname()[1])


async def test_a_restart_in_the_middle_of_a_conversation_goes_on(telegram: Telegram, serving: Serving) -> None:
    ann = telegram.person(42)
    async with serving():
        await ann.says("/dataset_new")
        await telegram.heard(42, containing="What to call it")
    await ann.says("zorp")
    async with serving():
        await telegram.heard(42, containing="The word that will call the model")
        await ann.says("zorp")
        rating = await telegram.heard(42, containing="Who it is for")
    async with serving():
        await ann.clicks(rating, "sfw")
        assert await telegram.heard(42, containing="«zorp» is open")


async def test_what_was_stored_and_not_dealt_with_is_dealt_with(
    house: House, telegram: Telegram, serving: Serving
) -> None:
    ann = telegram.person(42, started=True)
    update = await ann.says("/dataset_new zorp zorp sfw")
    await house.services.inboxes.put(PLATFORM, {update["update_id"]: json.dumps(update)})

    async with serving():
        await telegram.heard(42, containing="«zorp» is open")
        await ann.says("/me")
        await telegram.heard(42, containing="account")

    assert len(telegram.sent(42)) == 2
    assert await house.services.inboxes.waiting(PLATFORM) == []


@dataclass(frozen=True, kw_only=True)
class SlowlyRead(Inboxes):
    """An inbox whose answers are old when they come: what they tell of once more is over by then."""

    over: dict[str, asyncio.Event] = field(default_factory=dict)

    async def waiting(self, platform: str, *, limit: int = PAGE) -> Sequence[Update]:
        """What was to be dealt with a while ago."""
        found = await super().waiting(platform, limit=limit)
        known = [self.over[update.id] for update in found if update.id in self.over]
        self.over.update({update.id: asyncio.Event() for update in found if update.id not in self.over})
        for over in known:
            await over.wait()
        return found

    async def done(self, update: Update) -> None:
        """Everything that follows from it has happened."""
        await super().done(update)
        self.over[update.id].set()


async def test_what_is_over_while_the_inbox_is_being_read_is_not_done_again(
    house: House, telegram: Telegram, serving: Serving
) -> None:
    ann, services = telegram.person(42), house.services
    slow = SlowlyRead(store=house.store, clock=services.inboxes.clock, ids=services.inboxes.ids)

    async with serving(services=replace(services, inboxes=slow)):
        await ann.says("/wallet")
        await telegram.heard(42, containing="100 to spend")
        await ann.says("/me")
        await telegram.heard(42, containing="account")

    assert [message.text.splitlines()[0] for message in telegram.sent(42)] == ["100 to spend", "Ann"]


async def test_what_was_cut_off_is_done_once_though_it_is_told_twice(
    house: House, telegram: Telegram, serving: Serving
) -> None:
    ann = telegram.person(42)
    async with serving():
        await ann.says("/dataset_new")
        await telegram.heard(42, containing="What to call it")
        await ann.says("zorp")
        await telegram.heard(42, containing="The word that will call the model")
    for update in await house.store.updates._all({}):  # type: ignore[attr-defined]  # noqa: SLF001 - as if the marks had been lost
        await house.store.updates.save(update.but(done=False))

    async with serving():
        await telegram.heard(42, containing="The word that will call the model")
        await ann.says("zorp")
        await ann.clicks(await telegram.heard(42, containing="Who it is for"), "sfw")
        assert await telegram.heard(42, containing="«zorp» is open")


async def test_two_replicas_answer_once(telegram: Telegram, serving: Serving) -> None:
    ann = telegram.person(42)
    async with serving(), serving():
        for number in range(5):
            await ann.says(f"/help dataset {number}")
        await ann.says("/me")
        await telegram.heard(42, containing="account")

    assert len(telegram.sent(42)) == 6


async def test_another_replica_takes_over_when_the_leader_is_not_heard_of(
    house: House, telegram: Telegram, serving: Serving, clock: HandClock
) -> None:
    ann = telegram.person(42)
    assert await house.services.inboxes.lead(LEADS, "a dead one")
    async with serving():
        await ann.says("/me")
        await asyncio.sleep(0.15)
        assert telegram.sent(42) == []

        clock.advance(LEAD)

        await telegram.heard(42, containing="account")
    assert timedelta(seconds=15) > LEAD


async def test_updates_by_webhook(telegram: Telegram, serving: Serving, port: int) -> None:
    ann = telegram.person(42)
    url = f"http://127.0.0.1:{port}"
    async with serving(webhook_url=url, webhook_port=port):
        await ann.says("/dataset_new zorp zorp sfw")
        await telegram.heard(42, containing="«zorp» is open")

    assert telegram.updates.statuses == [200]
    assert [call.method for call in telegram.calls if call.method == "getUpdates"] == []


async def test_a_webhook_takes_nothing_from_strangers(
    house: House, telegram: Telegram, serving: Serving, port: int
) -> None:
    hook = Webhook(url=f"http://127.0.0.1:{port}", port=port, secret="a secret")
    async with serving(webhook_url=hook.url, webhook_port=port), aiohttp.ClientSession() as session:
        await telegram.until(lambda: telegram.updates.webhook)
        asked = [
            session.post(hook.address, json={"update_id": 1}),
            session.post(hook.address, json={"update_id": 1}, headers={HEADER: "guessed"}),
            session.post(f"{hook.url}/telegram/guessed", json={"update_id": 1}, headers={HEADER: hook.header}),
            session.post(hook.address, data="no update", headers={HEADER: hook.header}),
        ]
        statuses = [(await one).status for one in asked]

    assert statuses == [404, 404, 404, 400]
    assert await house.services.inboxes.waiting(PLATFORM) == []


async def test_a_port_that_is_taken_is_said(telegram: Telegram, serving: Serving) -> None:
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        with pytest.raises(PortTaken, match="TELEGRAM_WEBHOOK_PORT"):
            async with serving(webhook_url="http://127.0.0.1:1", webhook_port=other.getsockname()[1]):
                await telegram.until(lambda: telegram.calls)


async def test_a_wrong_token_is_one_clear_sentence(serving: Serving) -> None:
    with pytest.raises(TokenRefused) as refused:
        async with serving(token="1:wrong"):
            await asyncio.sleep(0.1)

    assert str(refused.value) == f"Telegram does not let the bot in: {WRONG}"


@pytest.mark.usefixtures("bot")
async def test_a_pause_that_telegram_wants_is_kept(telegram: Telegram) -> None:
    ann = telegram.person(42)
    telegram.fails("sendMessage", code=429, retry_after=1)

    await ann.says("/me")

    assert await telegram.heard(42, containing="account")


@pytest.mark.usefixtures("bot")
async def test_who_blocks_the_bot_in_between_is_left_alone(telegram: Telegram) -> None:
    ann, bob = telegram.person(42), telegram.person(43, "Bob")
    await ann.says("/dataset_new")
    question = await telegram.heard(42, containing="What to call it")

    await ann.clicks(question, "Cancel")
    ann.chat.blocked = True
    await bob.says("/me")

    assert await telegram.heard(43, containing="account")


@pytest.mark.usefixtures("bot")
async def test_something_broken_gets_a_reference_and_the_bot_goes_on(telegram: Telegram) -> None:
    ann = telegram.person(42)
    await ann.says("/dataset_new")
    question = await telegram.heard(42, containing="What to call it")
    data = question.buttons[0]["callback_data"].replace("cancel", "nonsense")
    question.buttons[0]["callback_data"] = data

    with capture_logs() as logs:
        await ann.clicks(question, "Cancel")
        broke = await telegram.heard(42, containing="Something broke; reference")
        await ann.says("/me")
        await telegram.heard(42, containing="account")

    (event,) = [one for one in logs if one["event"] == "telegram.broke"]
    assert f"reference {event['reference']}." in broke.text
