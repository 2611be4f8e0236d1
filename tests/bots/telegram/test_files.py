"""Files that people send: albums, zips, single ones, too large and too late."""

import io
from datetime import timedelta

import pytest
from PIL import Image

from bots.telegram.filing import MIB, Limits
from bots.telegram.meeting import PLATFORM
from core.domain.notice import PACE
from core.kinds.intake import Payload
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.bots.telegram.conftest import Serving
from tests.builders.scenes import claimed, finished, stored, well_done
from tests.emulators.telegram import File, Person, Telegram, labels


def a_photo(number: int = 0) -> File:
    """A small picture, each number another one."""
    content = io.BytesIO()
    Image.new("RGB", (8, 8), (number, 0, 0)).save(content, "jpeg")
    return File(name=f"{number}.jpg", content=content.getvalue(), kind="photo", media_type="image/jpeg")


def a_zip(size: int = 10) -> File:
    return File(name="more.zip", content=b"z" * size, media_type="application/zip")


async def names(house: House) -> list[list[str]]:
    """The files of each job."""
    payloads = [Payload.model_validate(job.payload) for job in await house.store.jobs.queue()]
    return [[file.name for file in payload.files] for payload in payloads]


async def adding(telegram: Telegram, ann: Person) -> None:
    """Open a dataset and be asked for files."""
    await ann.says("/dataset_new zorp zorp sfw")
    await ann.clicks(await telegram.heard(ann.id, containing="«zorp» is open"), "Add files")
    await telegram.heard(ann.id, containing="Send them now")


@pytest.mark.usefixtures("bot")
async def test_an_album_and_a_zip_become_one_job_with_all_files(house: House, telegram: Telegram) -> None:
    ann = telegram.person(42)
    await adding(telegram, ann)

    sent = await ann.sends(*(a_photo(number) for number in range(4)))
    await ann.sends(a_zip())
    await telegram.repeats(sent[2])
    counted = await telegram.heard(42, containing="5 files are here")
    await ann.clicks(counted, "Done")
    await ann.clicks(counted, "Done")

    reply = await telegram.heard(42, containing="5 files received for «zorp»")
    assert reply.id == counted.id
    (files,) = await names(house)
    photos = [f"photo-{update['message']['message_id']}.jpg" for update in sent]
    assert files == [*photos, "more.zip"]
    await ann.says("/wallet")
    await telegram.heard(42, containing="100 to spend")
    assert [one.id for one in telegram.sent(42) if "received" in one.text] == [counted.id]


@pytest.mark.usefixtures("bot")
async def test_done_waits_for_what_is_on_its_way(house: House, telegram: Telegram) -> None:
    ann, bob = telegram.person(42), telegram.person(43, "Bob")
    await adding(telegram, ann)
    telegram.gate.clear()
    await ann.sends(a_photo(1), a_photo(2))

    question = next(one for one in telegram.sent(42) if "Done" in labels(one))
    await ann.clicks(question, "Done")
    await bob.says("/wallet")
    await telegram.heard(43, containing="100 to spend")

    assert await names(house) == []  # Bob did not wait for Ann's files
    telegram.gate.set()
    await telegram.heard(42, containing="2 files received")
    assert [len(files) for files in await names(house)] == [2]


@pytest.mark.usefixtures("bot")
async def test_another_question_does_not_let_files_go_that_are_on_their_way(house: House, telegram: Telegram) -> None:
    ann = telegram.person(42)
    await adding(telegram, ann)
    telegram.gate.clear()
    await ann.sends(a_photo(1))
    await ann.says("/dataset_new")
    telegram.gate.set()
    await telegram.heard(42, containing="What to call it")
    await ann.sends(a_photo(2))

    await ann.clicks(await telegram.heard(42, containing="2 files are here"), "Done")

    await telegram.heard(42, containing="2 files received")
    assert [len(files) for files in await names(house)] == [2]


@pytest.mark.usefixtures("bot")
async def test_pictures_out_of_the_blue_are_asked_where_to(telegram: Telegram) -> None:
    ann = telegram.person(42)
    await ann.says("/dataset_new zorp zorp sfw")
    await telegram.heard(42, containing="«zorp» is open")

    await ann.sends(a_photo(1), a_photo(2))
    await ann.clicks(await telegram.heard(42, containing="Which dataset"), "zorp")
    await ann.clicks(await telegram.heard(42, containing="then press Done"), "Done")

    assert await telegram.heard(42, containing="2 files received")


@pytest.mark.usefixtures("bot")
async def test_a_command_under_a_picture_takes_it(telegram: Telegram) -> None:
    ann = telegram.person(42)
    await ann.says("/dataset_new zorp zorp sfw")
    await telegram.heard(42, containing="«zorp» is open")

    await ann.sends(a_photo(1), a_photo(2), caption="/dataset_add zorp")
    await ann.clicks(await telegram.heard(42, containing="2 files are here"), "Done")

    assert await telegram.heard(42, containing="2 files received")


async def test_what_is_too_large_gets_a_link_and_the_rest_goes_on(
    house: House, telegram: Telegram, serving: Serving
) -> None:
    async with serving(limits=Limits(down=100_000, up=MIB)):
        ann = telegram.person(42)
        await adding(telegram, ann)

        await ann.sends(a_zip(100_001))
        large = await telegram.heard(42, containing="too large")
        await ann.sends(a_photo(1))
        await ann.clicks(await telegram.heard(42, containing="1 file is here"), "Done")
        await telegram.heard(42, containing="1 file received")

    assert f"{house.settings.address}/u/" in large.text
    assert [call.fields["file_id"] for call in telegram.calls if call.method == "getFile"] == ["photo-2"]


async def test_what_is_too_large_waits_for_its_dataset_and_gets_a_link_then(
    house: House, telegram: Telegram, serving: Serving
) -> None:
    async with serving(limits=Limits(down=100_000, up=MIB)):
        ann = telegram.person(42)
        await ann.says("/dataset_new zorp zorp sfw")
        await telegram.heard(42, containing="«zorp» is open")

        await ann.sends(a_zip(100_001))
        question = await telegram.heard(42, containing="more.zip is too large for a chat: a link for it follows.")
        await ann.clicks(question, "zorp")
        large = await telegram.heard(42, containing="1 of 1 files are too large")
        await telegram.heard(42, containing="Send them now")

    assert labels(question) == ["zorp", "Cancel"]
    assert f"{house.settings.address}/u/" in large.text
    assert len([one for one in telegram.sent(42) if "/u/" in one.text]) == 1


@pytest.mark.usefixtures("bot")
async def test_a_file_that_does_not_come_is_named_and_the_rest_goes_on(telegram: Telegram) -> None:
    ann = telegram.person(42)
    await adding(telegram, ann)
    telegram.fails("download", code=404)

    await ann.sends(a_zip())
    broken = await telegram.heard(42, containing="Cannot read «more.zip»")
    await ann.sends(a_photo(1))
    await ann.clicks(await telegram.heard(42, containing="1 file is here"), "Done")
    await telegram.heard(42, containing="1 file received")

    assert telegram.token not in broken.text


@pytest.mark.usefixtures("bot")
async def test_files_that_nobody_finished_are_taken_all_the_same(
    house: House, telegram: Telegram, clock: HandClock
) -> None:
    ann = telegram.person(42)
    await adding(telegram, ann)
    await ann.sends(a_photo(1))
    await telegram.heard(42, containing="1 file is here")

    clock.advance(timedelta(minutes=31))

    await telegram.heard(42, containing="Nobody pressed Done")
    assert [len(files) for files in await names(house)] == [1]


@pytest.mark.usefixtures("bot")
async def test_files_that_nobody_named_a_dataset_for_are_asked_about_once_more(
    house: House, telegram: Telegram, clock: HandClock
) -> None:
    ann = telegram.person(42)
    await ann.says("/dataset_new zorp zorp sfw")
    await ann.sends(a_photo(1))
    first = await telegram.heard(42, containing="1 file is here")

    clock.advance(timedelta(minutes=31))
    again = await telegram.heard(42, containing="Half an hour is over")
    await ann.clicks(again, "zorp")
    await ann.clicks(await telegram.heard(42, containing="then press Done"), "Done")

    await telegram.heard(42, containing="1 file received")
    assert again.id > first.id
    assert [len(files) for files in await names(house)] == [1]


@pytest.mark.usefixtures("bot")
async def test_files_that_nobody_names_a_dataset_for_at_all_are_let_go_with_words(
    house: House, telegram: Telegram, clock: HandClock
) -> None:
    ann = telegram.person(42)
    await ann.says("/dataset_new zorp zorp sfw")
    await ann.sends(a_zip())
    await telegram.heard(42, containing="1 file is here")

    clock.advance(timedelta(minutes=31))
    await telegram.heard(42, containing="Half an hour is over")
    await ann.says("/me")
    await telegram.heard(42, containing="account")
    clock.advance(timedelta(minutes=31))
    gone = await telegram.heard(42, containing="1 file let go")

    assert gone.text.splitlines()[-1] == "more.zip"
    assert await house.services.drafts.on(PLATFORM) == []


@pytest.mark.usefixtures("bot")
async def test_what_no_command_takes_is_said(telegram: Telegram) -> None:
    ann = telegram.person(42)

    await ann.sends(File(name="a.mp4", content=b"film", kind="video", media_type="video/mp4"))
    await telegram.heard(42, containing="I take pictures, documents and zips")
    await ann.sends(a_photo(), caption="/wallet")

    assert await telegram.heard(42, containing="takes no files")


@pytest.mark.usefixtures("bot")
async def test_one_card_says_what_became_of_the_files_and_another_what_the_doctor_says(
    house: House, telegram: Telegram, clock: HandClock
) -> None:
    ann = telegram.person(42)
    await adding(telegram, ann)
    await ann.sends(a_photo(1), a_photo(2))
    await ann.clicks(await telegram.heard(42, containing="2 files are here"), "Done")
    await telegram.heard(42, containing="Its card follows here")

    clock.advance(PACE)
    card = await telegram.heard(42, containing="waiting")
    (job,) = await house.store.jobs.queue()
    await finished(house, job)
    taken = await telegram.heard(42, containing="2 pictures taken into «zorp».")
    clock.advance(PACE)
    looking = await telegram.heard(42, containing="the doctor looks · waiting")
    (look,) = await house.store.jobs.queue()
    found, token = await claimed(house, look)
    sheet = await stored(house, "sheet.jpg", a_photo().content)
    await house.services.jobs.finish(found.id, token, (await well_done(house, found)).but(sheets=(sheet,)))
    said = await telegram.heard(42, containing="2 pictures, 512×512 px, 2 captioned: ready.")

    assert taken.id > card.id
    assert (taken.text.splitlines()[-1], labels(taken)) == ("The doctor looks at them now.", ["Add more"])
    assert said.id > looking.id
    assert ("photo" in said.body, labels(said)) == (True, ["Check again", "Train"])
