"""Slash commands: the menu, what is offered while typing, who sees the answer, files and forms."""

import asyncio
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

import pytest

from bots.commands import discovered
from core.domain.account import Actor, Place, Platform
from core.domain.draft import OPEN_FOR, Draft
from core.ports.clock import HandClock
from core.services.accounts import Accounts
from core.services.drafts import Drafts
from loraguild.composition import House
from tests.bots.discord.scene import a_dataset, actor_of, drafted, files_of, serving
from tests.builders.scenes import some_datasets
from tests.emulators.discord import Discord, Until


@dataclass(frozen=True, kw_only=True)
class Held(Accounts):
    """Accounts that nobody gets at before a gate opens."""

    gate: asyncio.Event

    async def welcome(self, platform: Platform, external: str, *, name: str) -> Actor:
        await self.gate.wait()
        return await super().welcome(platform, external, name=name)


@dataclass(frozen=True, kw_only=True)
class Late(Drafts):
    """Drafts that are written late: not before they were looked for four times."""

    looked: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def open(self, actor: Actor, place: Place, **named: Any) -> Draft:
        for _ in range(4):
            await self.looked.acquire()
        return await super().open(actor, place, **named)

    async def find(self, actor: Actor, token: str) -> Draft:
        self.looked.release()
        return await super().find(actor, token)


PICTURES = [(f"m{number}.png", b"%d" % number) for number in range(10)]


@pytest.mark.usefixtures("bot")
async def test_the_menu_has_every_command_of_the_menu_and_the_message_menu(discord: Discord) -> None:
    registered = discord.world.commands[None]
    paths = {
        f"{one['name']} {option['name']}" if option["type"] == 1 else one["name"]
        for one in registered
        for option in one.get("options") or [{"type": 0}]
    }
    wanted = {path for path, definition in discovered().items() if definition.menu}
    assert paths == {*wanted, "Add to dataset"}
    assert {(tuple(one["contexts"]), tuple(one["integration_types"])) for one in registered} == {((0, 1), (0,))}


@pytest.mark.usefixtures("bot")
async def test_options_are_required_complete_themselves_and_take_files(discord: Discord) -> None:
    group = next(one for one in discord.world.commands[None] if one["name"] == "dataset")
    add = next(one for one in group["options"] if one["name"] == "add")
    assert [(one["name"], one["type"], one["required"], one.get("autocomplete", False)) for one in add["options"]] == [
        ("dataset", 3, True, True),
        ("files_1", 11, False, False),
        ("files_2", 11, False, False),
        ("files_3", 11, False, False),
    ]


@pytest.mark.usefixtures("bot")
async def test_typing_offers_what_there_is_and_follows_what_was_given(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    names = [f"zorp{number:02}" for number in range(30)]
    datasets = await some_datasets(house, await actor_of(house, ann), *names)
    assert len(await ann.autocomplete("train order", "dataset")) == 25
    assert await ann.autocomplete("train order", "dataset", "zorp29") == [("zorp29", datasets[29].id)]
    presets = list(house.services.trainings.offerings["tiny"].presets)
    found = await ann.autocomplete("train order", "preset", offering="tiny", dataset=datasets[0].id)
    assert [name for name, _ in found] == presets
    assert await ann.autocomplete("train order", "preset", offering="no such thing") == []


@pytest.mark.usefixtures("bot")
async def test_who_sees_an_answer_is_as_the_command_says(discord: Discord) -> None:
    ann = discord.person(7, "ann")
    private, public = await ann.slash("start"), await ann.slash("imagine", prompt="nothing")
    alone = await ann.slash("start", channel=ann.dm)
    assert [one.ephemeral for one in (private, public, alone)] == [True, False, False]
    assert private.last.title == "Welcome to LoraGuild, ann"


@pytest.mark.usefixtures("bot")
async def test_what_is_wrong_is_said_in_words(discord: Discord) -> None:
    said = await discord.person(7).slash("train order", dataset="zebra", offering="nope", preset="fast")
    assert (said.last.title, said.last.text.count("There is no")) == ("Please check", 3)


@pytest.mark.usefixtures("bot")
async def test_files_of_the_options_make_one_run(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    await a_dataset(house, ann)
    said = await ann.slash("dataset add", dataset="zorp", files_1=PICTURES[0], files_3=PICTURES[1])
    assert await files_of(house, ann) == [["m0.png", "m1.png"]]
    assert list(said.last.buttons) == ["Add more"]
    again = await ann.presses(said.last, "Add more")
    await ann.submits(again.modal, files=PICTURES[2:])
    assert await files_of(house, ann) == [["m0.png", "m1.png"], [name for name, _ in PICTURES[2:]]]


async def test_a_form_asks_for_files_and_outlives_a_restart(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    await a_dataset(house, ann)
    async with serving(house, discord):
        asked = await ann.slash("dataset add", dataset="zorp")
    async with serving(house, discord):
        said = await ann.submits(asked.modal, files=PICTURES)
    assert await files_of(house, ann) == [[name for name, _ in PICTURES]]
    assert (said.ephemeral, said.last.title) == (True, "10 files received for «zorp»")


@pytest.mark.usefixtures("bot")
async def test_a_form_for_a_dataset_that_is_not_there_asks_which(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    await a_dataset(house, ann)
    asked = await ann.slash("dataset add", dataset="zebra")
    said = await ann.submits(asked.modal, files=PICTURES[:2])
    assert "There is no dataset «zebra»." in said.last.text
    chosen = await ann.selects(said.last, "zorp")
    assert await files_of(house, ann) == [["m0.png", "m1.png"]]
    assert chosen.last.title == "2 files received for «zorp»"


@pytest.mark.usefixtures("bot")
async def test_a_form_after_its_time_says_so(
    house: House, discord: Discord, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord.pressing.TRIES", 1)
    ann = discord.person(7, "ann")
    await a_dataset(house, ann)
    asked = await ann.slash("dataset add", dataset="zorp")
    await drafted(house)
    clock.advance(OPEN_FOR)
    said = await ann.submits(asked.modal, files=PICTURES[:1])
    assert (said.last.text.splitlines()[1], await files_of(house, ann)) == (
        "This form has expired, and what was in it was not taken. Run the command again.",
        [],
    )


@pytest.mark.usefixtures("bot")
async def test_an_answer_after_fifteen_minutes_comes_in_private(discord: Discord, clock: HandClock) -> None:
    ann = discord.person(7, "ann")
    discord.limits("PATCH /webhooks/*", after=0.2)
    await ann.slash("start", until=Until.ACKNOWLEDGED)
    clock.advance(timedelta(minutes=16))
    assert [one.title for one in await discord.until(lambda: discord.dm(ann))] == ["Welcome to LoraGuild, ann"]


@pytest.mark.usefixtures("bot")
async def test_a_command_of_an_old_menu_says_so(discord: Discord) -> None:
    ann = discord.person(7, "ann")
    discord.world.commands[None].append({"id": "1", "name": "gone", "type": 1, "default_member_permissions": None})
    said = await ann.slash("gone")
    assert (
        said.last.text.splitlines()[1]
        == "The commands have changed. Restart your chat program, and it shows the new ones."
    )


async def test_answers_are_acknowledged_and_forms_shown_before_the_house_is_asked(
    house: House, discord: Discord
) -> None:
    ann, gate, accounts = discord.person(7, "ann"), asyncio.Event(), house.services.accounts
    await a_dataset(house, ann)
    held = Held(gate=gate, **{one.name: getattr(accounts, one.name) for one in fields(accounts)})
    slow = replace(house, services=replace(house.services, accounts=held))
    async with serving(slow, discord):
        said = await ann.slash("me", until=Until.ACKNOWLEDGED)
        form = await ann.slash("dataset add", dataset="zorp")
        handed_in = await ann.submits(form.modal, files=PICTURES, until=Until.ACKNOWLEDGED)
        assert (said.answered, handed_in.answered) == (False, False)
        gate.set()
        await discord.until(lambda: said.answered and handed_in.answered)
    assert (said.last.title, handed_in.last.title) == ("ann", "10 files received for «zorp»")


async def test_a_form_that_is_back_before_its_row_is_written_waits_for_it(house: House, discord: Discord) -> None:
    ann, drafts = discord.person(7, "ann"), house.services.drafts
    await a_dataset(house, ann)
    late = Late(**{one.name: getattr(drafts, one.name) for one in fields(drafts)})
    async with serving(replace(house, services=replace(house.services, drafts=late)), discord):
        form = await ann.slash("dataset add", dataset="zorp")
        said = await ann.submits(form.modal, files=PICTURES[:1])
    assert said.last.title == "1 file received for «zorp»"
