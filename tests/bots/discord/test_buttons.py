"""Buttons: who may press, what is replaced, what a restart and a second click change (nothing)."""

import asyncio
from datetime import timedelta

import pytest

from core.ports.clock import HandClock
from loraguild.composition import House
from tests.bots.discord.scene import a_dataset, actor_of, jobs_of, serving
from tests.builders.scenes import a_ready_dataset, a_trained_model
from tests.emulators.discord import Discord

TRAINING = "training"


async def test_a_button_is_pressed_twice_after_a_restart_and_orders_once(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    await a_ready_dataset(house, await actor_of(house, ann))
    async with serving(house, discord):
        quote = (await ann.slash("train order", dataset="zorp", offering="tiny", preset="fast")).last
    async with serving(house, discord):
        await asyncio.gather(ann.presses(quote, "Confirm"), ann.presses(quote, "Confirm"))
        assert quote.buttons == {}
    assert [job.kind for job in await jobs_of(house, ann)].count(TRAINING) == 1


@pytest.mark.usefixtures("brisk", "bot")
async def test_a_card_in_a_channel_is_for_all_to_see_and_for_one_to_press(
    house: House, discord: Discord, clock: HandClock
) -> None:
    ann, bob = discord.person(7, "ann"), discord.person(8, "bob")
    await a_trained_model(house, await actor_of(house, ann))
    said = await ann.slash("imagine", prompt="zorp on a wall")
    clock.advance(timedelta(seconds=5))
    card = (await discord.until(lambda: discord.posted(discord.general)[1:]))[0]
    assert (said.ephemeral, "Its card follows here." in said.last.text) == (False, True)

    strange = await bob.presses(card, "Cancel")
    assert (strange.last.text, strange.last.seen_by) == ("Not done\nThis button belongs to somebody else.", bob.id)

    await ann.presses(card, "Cancel")
    assert [job.state for job in await jobs_of(house, ann) if job.kind == "generation"] == ["cancelled"]
    assert [one.pings for one in discord.posted(discord.general)] == [(), ()]


@pytest.mark.usefixtures("bot")
async def test_a_button_answers_beside_its_message_unless_it_replaces_it(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    await a_dataset(house, ann)
    welcome = (await ann.slash("start")).last
    pressed = await ann.presses(welcome, "My datasets")
    assert (pressed.last.title, pressed.last.seen_by) == ("Your datasets", ann.id)
    assert welcome.title == "Welcome to LoraGuild, ann"


@pytest.mark.usefixtures("bot")
async def test_a_button_whose_command_needs_more_opens_a_form(discord: Discord) -> None:
    ann = discord.person(7, "ann")
    said = await ann.slash("dataset new", name="zorp", trigger="zorp")
    asked = await ann.presses(said.last, "Add files")
    assert asked.modal
    assert list(asked.modal.inputs) == ["files"]
    taken = await ann.submits(asked.modal, files=[("a.png", b"a")])
    assert taken.last.title == "1 file received for «zorp»"


@pytest.mark.usefixtures("bot")
async def test_an_old_button_says_that_it_has_expired(discord: Discord) -> None:
    ann = discord.person(7, "ann")
    welcome = (await ann.slash("start")).last
    for row in welcome.data["components"]:
        for button in row["components"]:
            button["custom_id"] = "a:AAAAAAAAAAAAAAAA"
    pressed = await ann.presses(welcome, "My wallet")
    assert pressed.last.text == "Not done\nThis button has expired. Run the command again."
