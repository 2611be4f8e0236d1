"""Connecting a Dropbox and exporting there, as it is said in chats."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.chat.reply import Reply
from core.domain.connection import Provider
from core.domain.export import Format
from core.kinds.export import Payload, Result
from loraguild.composition import House
from tests.builders.chats import a_call, a_dispatcher, labels, press, say
from tests.builders.clouds import connected, with_dropbox
from tests.builders.scenes import a_ready_dataset, finished, somebody, stored
from tests.emulators.dropbox import Dropbox, standing_in


@pytest.fixture
async def dropbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dropbox]:
    async with standing_in(tmp_path, monkeypatch) as service:
        yield service


async def test_connecting_gives_a_private_link_and_forgetting_ends_it(house: House, dropbox: Dropbox) -> None:
    own = with_dropbox(house)
    ann = await somebody(own)
    asked = await say(own, ann, "connect dropbox")
    await connected(own, ann, dropbox)
    again = await say(own, ann, "connect dropbox")
    forgotten = await say(own, ann, "connect forget")
    twice = await say(own, ann, "connect forget")

    assert (asked.title, (asked.link or "").split("?")[0]) == (
        "Connect your Dropbox",
        f"https://{dropbox.host}/oauth2/authorize",
    )
    assert (again.code, twice.code) == ("already_connected", "not_connected")
    assert (forgotten.lines, labels(forgotten)) == (
        ("No key to it is kept here. What was exported stays there.",),
        ["Connect"],
    )


async def test_an_export_goes_there_only_from_who_is_connected(house: House, dropbox: Dropbox) -> None:
    own = with_dropbox(house)
    ann = await somebody(own)
    await a_ready_dataset(own, ann)
    refused = await say(own, ann, "dataset export", dataset="zorp", to="dropbox")
    unknown = await say(own, ann, "dataset export", dataset="zorp", to="floppy")
    await connected(own, ann, dropbox)
    ordered = await say(own, ann, "dataset export", dataset="zorp", to="dropbox")

    assert (refused.code, unknown.code) == ("not_connected", "not_found")
    assert (ordered.title, bool(ordered.job)) == ("zorp · export as zip · waiting", True)


async def test_it_is_offered_to_who_is_connected(house: House, dropbox: Dropbox) -> None:
    own = with_dropbox(house)
    ann = await somebody(own)
    offered = a_dispatcher().definition("dataset export").parameters["to"]
    before = await offered.choices(a_call(own, ann), "", {})
    await connected(own, ann, dropbox)
    after = await offered.choices(a_call(own, ann), "", {})

    assert [[one.value for one in page.choices] for page in (before, after)] == [[], ["dropbox"]]


async def test_the_card_says_where_it_lies_or_why_it_does_not(house: House, dropbox: Dropbox) -> None:
    own = with_dropbox(house)
    ann = await somebody(own)
    await a_ready_dataset(own, ann)
    await connected(own, ann, dropbox)
    artifact = await stored(own, "zorp-zip.zip")

    async def done(**facts: str) -> Reply:
        job = await own.store.jobs.get(str((await say(own, ann, "dataset export", dataset="zorp", to="dropbox")).job))
        await finished(own, job, Result(artifact=artifact, count=3, **facts))
        return await say(own, ann, "train view", job=job.id)

    there, missed = await done(path="/zorp.zip"), await done(missed="Your Dropbox has no room for it.")

    assert (there.lines[1], there.files, labels(there)) == (
        "In your Dropbox, in the folder of this app: /zorp.zip",
        (artifact,),
        [],
    )
    assert (missed.lines[1], missed.files, labels(missed)) == (
        "It is not in your Dropbox. Your Dropbox has no room for it.",
        (artifact,),
        ["Export again"],
    )
    again, _ = await press(own, ann, missed, "Export again")
    payload = Payload.model_validate((await own.store.jobs.get(str(again.job))).payload)
    assert (payload.format, payload.provider) == (Format.ZIP, Provider.DROPBOX)


async def test_a_house_without_an_app_says_so(house: House) -> None:
    ann = await somebody(house)

    assert (await say(house, ann, "connect dropbox")).code == "cloud_not_set_up"
