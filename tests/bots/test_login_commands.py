"""Signing in to the pages, as it is said in chats."""

from dataclasses import replace

import pytest

from core.domain.account import Platform
from core.domain.errors import ConsoleNotTrusted
from loraguild.composition import House
from loraguild.running import login
from tests.builders.chats import say
from tests.builders.scenes import somebody


async def test_the_bot_gives_a_link_and_a_code_that_lead_to_whoever_asked(house: House) -> None:
    ann, sessions = await somebody(house), house.services.sessions
    reply = await say(house, ann, "login")
    code = reply.lines[0].partition("type ")[2].partition(" ")[0]
    link = reply.link or ""

    assert reply.lines[0].endswith(f"type {code} at {sessions.address}/login.")
    assert await sessions.peek(link.removeprefix(f"{sessions.address}/login/")) == "ann"
    assert (await sessions.redeem(code, device="", remote="203.0.113.7")).actor == ann


async def test_a_link_is_no_part_of_what_everybody_may_see(house: House) -> None:
    hilda = await house.services.accounts.welcome(Platform.DISCORD, "42", name="Hilda")
    reply = await say(house, hilda, "login")
    shown = (reply.title, *reply.lines, *(label for label, _ in reply.fields))

    assert reply.link
    assert not any(reply.link in words for words in shown)


async def test_whoever_is_at_this_machine_gets_a_link_without_a_bot(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    await login(house, name="ann")
    link = capsys.readouterr().out.strip()

    assert await house.services.sessions.peek(link.rpartition("/")[2]) == "ann"


async def test_over_a_shared_database_nobody_gets_one_so(house: House) -> None:
    shared = replace(house, settings=house.settings.model_copy(update={"mongodb_uri": "mongodb://localhost"}))

    with pytest.raises(ConsoleNotTrusted):
        await login(shared, name="ann")
