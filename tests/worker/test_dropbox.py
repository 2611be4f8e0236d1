"""Exports into somebody's Dropbox: what arrives there, and what is said, and kept here, when it does not."""

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import stamina

from core.domain.account import Actor
from core.domain.connection import Provider
from core.domain.errors import CloudUnavailable
from core.domain.job import Job, JobState
from core.kinds.export import Result
from loraguild.composition import House
from tests.builders.attempts import attempted
from tests.builders.clouds import connected, with_dropbox
from tests.builders.entities import HOME
from tests.builders.scenes import a_ready_dataset, claimed, somebody
from tests.emulators.dropbox import Dropbox, Refusal, standing_in
from worker.child import Child

UNUSED = "tests.worker.studios:Quick"
MIB = 2**20
APPEND, FINISH = "files/upload_session/append_v2", "files/upload_session/finish"


@pytest.fixture
async def dropbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dropbox]:
    async with standing_in(tmp_path, monkeypatch) as service:
        with stamina.set_testing(True, attempts=3, cap=True):
            yield service


@pytest.fixture
def own(house: House) -> House:
    return with_dropbox(house)


@pytest.fixture
async def ann(own: House, dropbox: Dropbox) -> Actor:
    actor = await somebody(own)
    await connected(own, actor, dropbox)
    return actor


async def ordered(house: House, actor: Actor) -> Job:
    dataset = await a_ready_dataset(house, actor)
    return await house.services.exports.order(
        actor, dataset, wished=None, place=HOME, key="an export", provider=Provider.DROPBOX
    )


async def exported(house: House, job: Job, folder: Path) -> Result:
    async with Child(UNUSED) as studio:
        done = await attempted(house, job, studio=studio, folder=folder)
    assert done.state is JobState.SUCCEEDED, done.failure
    return Result.model_validate(done.result)


async def sent(house: House, actor: Actor, file: Path) -> list[int]:
    """Send a file, and return the progress that was told."""
    told: list[int] = []

    async def progressed(count: int) -> None:
        told.append(count)

    await house.services.connections.upload(actor.account, file, path="/a.bin", progressed=progressed)
    return told


async def test_an_export_lies_there_and_here(own: House, ann: Actor, dropbox: Dropbox, tmp_path: Path) -> None:
    job = await ordered(own, ann)
    result = await exported(own, job, tmp_path)

    [(path, content)] = dropbox.files.items()
    here = b"".join([chunk async for chunk in own.blobs.open(result.artifact.sha256)])
    assert (path, result.path, content) == (f"/zorp-zip-{job.id}.zip", path, here)
    assert zipfile.is_zipfile(io.BytesIO(content))
    assert await own.services.exports.kept(job.id)


async def test_an_attempt_after_a_lost_one_leaves_one_file(
    own: House, ann: Actor, dropbox: Dropbox, tmp_path: Path
) -> None:
    job = await ordered(own, ann)
    found, token = await claimed(own, job)
    dropbox.files[f"/zorp-zip-{job.id}.zip"] = b"what a worker had sent before it was killed"
    await own.services.jobs.release(found.id, token)

    result = await exported(own, job, tmp_path)

    assert [len(content) for content in dropbox.files.values()] == [result.artifact.size]


async def test_a_large_file_goes_in_pieces_with_progress(
    own: House, ann: Actor, dropbox: Dropbox, tmp_path: Path
) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(bytes(range(256)) * (17 * MIB // 256))

    assert await sent(own, ann, file) == [8 * MIB, 16 * MIB, 17 * MIB]
    assert dropbox.files == {"/a.bin": file.read_bytes()}


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(status=429, headers={"Retry-After": "0"}),
        Refusal(status=500),
        Refusal(status=502, after=True),  # the piece arrives, its answer does not
        Refusal(status=200, body="<html>Please log in"),
    ],
)
async def test_what_may_go_better_is_tried_again(
    own: House, ann: Actor, dropbox: Dropbox, tmp_path: Path, *, refusal: Refusal
) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"content")
    dropbox.refuses(APPEND, refusal)

    assert await sent(own, ann, file) == [7]
    assert (dropbox.files, dropbox.asked.count(APPEND)) == ({"/a.bin": b"content"}, 2)


async def test_a_wait_that_nobody_waits_for_is_said_at_once(
    own: House, ann: Actor, dropbox: Dropbox, tmp_path: Path
) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"content")
    dropbox.refuses(APPEND, Refusal(status=429, headers={"Retry-After": "3600"}))

    with pytest.raises(CloudUnavailable, match="too many requests"):
        await sent(own, ann, file)
    assert dropbox.asked.count(APPEND) == 1


NO_SCOPE = {"error_summary": "x", "error": {".tag": "missing_scope", "required_scope": "files.content.write"}}
NAMED = {"error_summary": "x", "error": {".tag": "path", "path": {".tag": "disallowed_name"}}}


@pytest.mark.parametrize(
    ("route", "refusal", "words", "stays"),
    [
        (
            FINISH,
            Refusal(status=409, body={"error": {".tag": "path", "path": {".tag": "insufficient_space"}}}),
            "Your Dropbox has no room for it. Make some, and export again.",
            True,
        ),
        (
            FINISH,
            Refusal(status=409, body=NAMED),
            "Dropbox does not take it now (path: disallowed_name). Try again later.",
            True,
        ),
        (
            "files/upload_session/start",
            Refusal(status=401, body=NO_SCOPE),
            (
                "Exports to Dropbox are not set up here: the app lacks a permission of account_info.read, "
                "files.content.write. An operator has to look at DROPBOX_APP_KEY."
            ),
            True,
        ),
        (
            "oauth2/token",
            Refusal(status=400, body={"error": "invalid_grant"}),
            "Dropbox does not let us in any more: the permission was taken back. `connect dropbox` gives it again.",
            False,
        ),
        (
            "files/upload_session/start",
            Refusal(status=401, body={"error": {".tag": "user_suspended"}}),
            "Dropbox does not let us in any more: the permission was taken back. `connect dropbox` gives it again.",
            False,
        ),
    ],
)
async def test_what_does_not_get_there_is_kept_here_with_the_words(
    own: House,
    ann: Actor,
    dropbox: Dropbox,
    tmp_path: Path,
    *,
    route: str,
    refusal: Refusal,
    words: str,
    stays: bool,
) -> None:
    job = await ordered(own, ann)
    dropbox.refuses(route, refusal)
    result = await exported(own, job, tmp_path)

    assert (result.missed, result.path, dropbox.files) == (words, "", {})
    assert await own.services.exports.kept(job.id)
    assert bool(await own.services.connections.of(ann)) is stays


async def test_who_has_disconnected_meanwhile_hears_it(
    own: House, ann: Actor, dropbox: Dropbox, tmp_path: Path
) -> None:
    job = await ordered(own, ann)
    await own.services.connections.forget(ann)

    assert (await exported(own, job, tmp_path)).missed == "You have not connected your Dropbox. `connect dropbox` does."
    assert dropbox.files == {}


async def test_a_dropbox_that_is_not_there_is_said(
    own: House, ann: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await ordered(own, ann)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")  # whose certificate nobody vouches for

    result = await exported(own, job, tmp_path)

    assert result.missed == "Dropbox does not take it now (no connection). Try again later."
