"""Uploads on the real store: resumed, raced, broken off, confirmed once, swept; nothing is lost or left over."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Actor
from core.domain.dataset import Dataset, Status
from core.domain.errors import (
    BadLink,
    BadValue,
    Banned,
    DomainError,
    FileTooLarge,
    NotFound,
    QuotaFull,
    TooManyUploads,
    UploadChanged,
    UploadClosed,
    WrongHash,
    WrongOffset,
)
from core.domain.job import Job
from core.domain.quota import Quota
from core.domain.upload import FIRST_BYTE, LIMIT, LONGEST, SESSIONS, SLIDING, UploadFile, UploadState
from core.kinds.intake import Payload
from core.ports.clock import HandClock
from core.services import uploads as module
from core.services.uploads import Uploads
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import finished, in_chunks, moderating, somebody

PIECE = 10
CONTENT = b"0123456789abcdefghijABCDE"


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", PIECE)


@pytest.fixture
async def ann(house: House) -> Actor:
    return await somebody(house)


@pytest.fixture
async def dataset(house: House, ann: Actor) -> Dataset:
    return await house.services.datasets.create(ann, name="zorp", trigger="zorp")


@pytest.fixture
async def token(house: House, ann: Actor, dataset: Dataset) -> str:
    return token_of(await house.services.uploads.open(ann, dataset, place=HOME))


@pytest.fixture
def uploads(house: House) -> Uploads:
    return house.services.uploads


def token_of(link: str) -> str:
    return link.rsplit("/", 1)[1]


async def sent(uploads: Uploads, token: str, name: str, content: bytes = CONTENT, *, sha256: str | None = None) -> int:
    await uploads.begin(token, name, size=len(content), sha256=sha256)
    return (await uploads.put(token, name, offset=0, chunks=in_chunks(content))).offset


async def here(uploads: Uploads, token: str) -> dict[str, int]:
    return {file.name: file.offset for file in (await uploads.view(token)).upload.files}


async def references(database: Database) -> dict[str, int]:
    """Every stored content that anybody refers to, and how often."""
    rows = database["blobs"].find({"references": {"$ne": 0}})
    return {row["_id"]: row["references"] async for row in rows}


async def raw_files(house: House, job: Job) -> dict[str, bytes]:
    files = Payload.model_validate(job.payload).files
    return {file.name: b"".join([chunk async for chunk in house.blobs.open(file.sha256)]) for file in files}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def test_files_come_in_and_leave_as_one_intake_job(
    house: House, ann: Actor, dataset: Dataset, token: str, database: Database
) -> None:
    uploads = house.services.uploads
    assert await sent(uploads, token, "a.zip", sha256=sha(CONTENT)) == len(CONTENT)
    assert await sent(uploads, token, "b.png", b"small") == 5

    job = await uploads.confirm(token)

    view = await uploads.view(token)
    assert (job.kind, job.owner, job.subject, job.title) == (
        "intake",
        ann.account,
        dataset.id,
        "zorp · 2 files coming in",
    )
    assert (job.key, view.upload.job, view.upload.state) == (view.upload.id, job.id, UploadState.CONFIRMED)
    assert await raw_files(house, job) == {"a.zip": CONTENT, "b.png": b"small"}
    assert await references(database) == {sha(CONTENT): 1, sha(b"small"): 1}
    assert (await house.store.datasets.get(dataset.id)).status is Status.UPLOADING
    assert [card.place for card in await house.store.cards.of(job.id)] == [HOME]

    await finished(house, job)
    assert (await house.services.datasets.view(ann, dataset.id)).dataset.count == 2


async def test_what_was_opened_is_bound_to_its_dataset_and_has_an_hour(
    uploads: Uploads, ann: Actor, dataset: Dataset, clock: HandClock
) -> None:
    link = await uploads.open(ann, dataset, place=HOME)
    view = await uploads.view(token_of(link))

    assert link.startswith("http://127.0.0.1:8642/u/")
    assert (view.dataset, view.upload.account, view.upload.dataset) == ("zorp", ann.account, dataset.id)
    assert (view.upload.limit, view.upload.expires_at - clock.now()) == (LIMIT, FIRST_BYTE)


async def test_nobody_learns_of_a_dataset_that_is_not_theirs(house: House, uploads: Uploads, dataset: Dataset) -> None:
    bob = await somebody(house, "bob")
    with pytest.raises(NotFound) as theirs:
        await uploads.open(bob, dataset, place=HOME)
    with pytest.raises(NotFound) as unknown:
        await uploads.open(bob, dataset.but(id="none"), place=HOME)

    assert str(theirs.value) == str(unknown.value)
    with pytest.raises(NotFound, match="Only its owner"):
        await uploads.open(moderating(bob), dataset, place=HOME)


async def test_a_lost_connection_costs_one_piece_and_the_rest_goes_on_from_there(
    house: House, uploads: Uploads, token: str
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield CONTENT[:13]
        raise ConnectionResetError

    await uploads.begin(token, "a.zip", size=len(CONTENT))
    with pytest.raises(ConnectionResetError):
        await uploads.put(token, "a.zip", offset=0, chunks=broken())
    assert await here(uploads, token) == {"a.zip": PIECE}

    with pytest.raises(WrongOffset) as refused:
        await uploads.put(token, "a.zip", offset=13, chunks=in_chunks(b"x"))
    assert refused.value.offset == PIECE
    await uploads.begin(token, "a.zip", size=len(CONTENT))
    await uploads.put(token, "a.zip", offset=PIECE, chunks=in_chunks(CONTENT[PIECE:17], b"", CONTENT[17:]))

    assert await raw_files(house, await uploads.confirm(token)) == {"a.zip": CONTENT}


async def test_of_two_writers_at_one_offset_one_wins(
    house: House, uploads: Uploads, token: str, database: Database
) -> None:
    await uploads.begin(token, "a.bin", size=PIECE)
    contents = [bytes([65 + number]) * PIECE for number in range(3)]

    outcomes = await asyncio.gather(
        *(uploads.put(token, "a.bin", offset=0, chunks=in_chunks(content)) for content in contents),
        return_exceptions=True,
    )

    won = [content for content, outcome in zip(contents, outcomes, strict=True) if isinstance(outcome, UploadFile)]
    lost = [outcome.offset for outcome in outcomes if isinstance(outcome, WrongOffset)]
    assert (len(won), lost) == (1, [PIECE, PIECE])
    assert await references(database) == {sha(won[0]): 1}
    assert await raw_files(house, await uploads.confirm(token)) == {"a.bin": won[0]}


async def test_confirming_again_also_at_the_same_time_gives_the_same_job(
    house: House, uploads: Uploads, ann: Actor, token: str, database: Database
) -> None:
    await sent(uploads, token, "a.zip")

    jobs = await asyncio.gather(*(uploads.confirm(token) for _ in range(4)))
    jobs.append(await uploads.confirm(token))

    assert {job.id for job in jobs} == {job.id for job in await house.store.jobs.owned(ann.account)}
    assert len({job.id for job in jobs}) == 1
    assert await references(database) == {sha(CONTENT): 1}


async def test_a_file_that_arrived_changed_is_named_and_starts_again_and_others_stay(
    house: House, uploads: Uploads, token: str
) -> None:
    await sent(uploads, token, "a.zip", sha256=sha(b"another"))
    await sent(uploads, token, "b.png", b"small", sha256=sha(b"small"))

    with pytest.raises(WrongHash, match=r"«a\.zip» did not arrive as it was sent"):
        await uploads.confirm(token)
    assert await here(uploads, token) == {"a.zip": 0, "b.png": 5}

    await sent(uploads, token, "a.zip", sha256=sha(CONTENT))
    assert await raw_files(house, await uploads.confirm(token)) == {"b.png": b"small", "a.zip": CONTENT}


async def test_the_same_content_twice_is_kept_once_and_counted_twice(
    uploads: Uploads, token: str, database: Database
) -> None:
    await sent(uploads, token, "a.png", b"same")
    await sent(uploads, token, "b.png", b"same")
    before = await references(database)
    await uploads.confirm(token)

    assert (before, await references(database)) == ({sha(b"same"): 2}, {sha(b"same"): 2})


async def test_nothing_and_half_a_file_cannot_be_confirmed(uploads: Uploads, token: str) -> None:
    with pytest.raises(BadValue, match="no file has come yet"):
        await uploads.confirm(token)
    await uploads.begin(token, "a.zip", size=5)
    with pytest.raises(BadValue, match=r"«a\.zip» is not a valid file: it is not complete"):
        await uploads.confirm(token)


async def test_more_than_was_announced_is_refused_and_a_file_over_the_limit_too(uploads: Uploads, token: str) -> None:
    await uploads.begin(token, "a.zip", size=5)
    with pytest.raises(BadValue, match="more came than the 5 bytes"):
        await uploads.put(token, "a.zip", offset=0, chunks=in_chunks(b"123456"))
    with pytest.raises(FileTooLarge, match="larger than 500 MB"):
        await uploads.begin(token, "b.zip", size=LIMIT + 1)

    assert await here(uploads, token) == {"a.zip": 0}


async def test_a_file_can_be_let_go(uploads: Uploads, token: str, database: Database) -> None:
    await sent(uploads, token, "a.zip")
    await uploads.drop(token, "a.zip")
    await uploads.drop(token, "never came.zip")

    assert (await here(uploads, token), await references(database)) == ({}, {})


async def test_a_file_that_goes_while_an_upload_is_finished_is_no_accident(uploads: Uploads, token: str) -> None:
    await sent(uploads, token, "a.zip")
    await sent(uploads, token, "b.zip")

    confirmed, _ = await asyncio.gather(uploads.confirm(token), uploads.drop(token, "b.zip"), return_exceptions=True)

    assert isinstance(confirmed, Job | UploadChanged)


async def test_pieces_go_with_their_session_and_what_was_put_together_stays(
    uploads: Uploads, token: str, database: Database
) -> None:
    await sent(uploads, token, "a.zip")
    await sent(uploads, token, "b.png", b"small")
    await uploads.confirm(token)

    assert {row["_id"] async for row in database["blobs"].find({})} == {sha(CONTENT), sha(b"small")}
    assert await database["files.files"].count_documents({}) == 2


async def test_pieces_that_another_session_has_too_stay_for_it(
    house: House, uploads: Uploads, ann: Actor, dataset: Dataset, token: str
) -> None:
    other = token_of(await uploads.open(ann, dataset, place=HOME))
    for each in (token, other):
        await sent(uploads, each, "a.zip")
    await uploads.confirm(token)

    assert await raw_files(house, await uploads.confirm(other)) == {"a.zip": CONTENT}


async def test_a_session_is_gone_on_with_by_its_owner_until_it_is_over(
    house: House, ann: Actor, dataset: Dataset, token: str, clock: HandClock
) -> None:
    uploads = house.services.uploads
    await uploads.begin(token, "a.zip", size=5)
    [begun] = await house.store.uploads.open_for(dataset.id, now=clock.now())
    bob = await somebody(house, "bob")

    assert token_of(await uploads.resume(ann, begun.id)) == token
    for nobodys in (uploads.resume(bob, begun.id), uploads.resume(moderating(bob), begun.id), uploads.resume(ann, "x")):
        with pytest.raises(NotFound, match="no upload"):
            await nobodys
    clock.advance(FIRST_BYTE)
    with pytest.raises(UploadClosed):
        await uploads.resume(ann, begun.id)
    assert await house.store.uploads.open_for(dataset.id, now=clock.now()) == []


async def test_a_session_of_a_deleted_dataset_is_not_gone_on_with(
    house: House, ann: Actor, dataset: Dataset, token: str, clock: HandClock
) -> None:
    uploads = house.services.uploads
    [begun] = await house.store.uploads.open_for(dataset.id, now=clock.now())
    await gone(house, dataset)

    with pytest.raises(NotFound):
        await uploads.resume(ann, begun.id)
    with pytest.raises(NotFound):
        await uploads.view(token)


async def test_nobody_has_more_than_some_sessions_open(
    uploads: Uploads, ann: Actor, dataset: Dataset, clock: HandClock
) -> None:
    tokens = [token_of(await uploads.open(ann, dataset, place=HOME)) for _ in range(SESSIONS)]
    with pytest.raises(TooManyUploads, match="10 upload links"):
        await uploads.open(ann, dataset, place=HOME)

    await sent(uploads, tokens[0], "a.zip")
    await uploads.confirm(tokens[0])
    await uploads.open(ann, dataset, place=HOME)
    with pytest.raises(TooManyUploads):
        await uploads.open(ann, dataset, place=HOME)
    clock.advance(FIRST_BYTE)
    await uploads.open(ann, dataset, place=HOME)


@pytest.fixture
def narrow(uploads: Uploads) -> Uploads:
    """The same, where everybody may store 100 bytes."""
    return replace(uploads, quota=Quota(bytes=100, items=10))


async def test_what_is_announced_takes_its_place_at_once_and_gives_it_back(
    narrow: Uploads, ann: Actor, dataset: Dataset, token: str, clock: HandClock
) -> None:
    other = token_of(await narrow.open(ann, dataset, place=HOME))
    await narrow.begin(token, "a.zip", size=60)
    await narrow.begin(other, "b.zip", size=40)
    assert await narrow.store.uploads.reserved(ann.account, now=clock.now()) == 100

    with pytest.raises(QuotaFull, match="used or on their way"):
        await narrow.begin(other, "c.zip", size=1)
    await narrow.begin(token, "a.zip", size=60)
    with pytest.raises(QuotaFull):
        await narrow.begin(token, "a.zip", size=61)
    await narrow.begin(token, "a.zip", size=59)
    await narrow.begin(other, "c.zip", size=1)
    await narrow.drop(token, "a.zip")
    await narrow.begin(other, "d.zip", size=59)
    with pytest.raises(QuotaFull):
        await narrow.begin(other, "e.zip", size=1)
    clock.advance(FIRST_BYTE)

    assert await narrow.store.uploads.reserved(ann.account, now=clock.now()) == 0


async def test_what_lies_in_datasets_counts_and_what_others_send_does_not(
    house: House, narrow: Uploads, dataset: Dataset, token: str
) -> None:
    bob = await somebody(house, "bob")
    his = await house.services.datasets.create(bob, name="his", trigger="zarp")
    await narrow.begin(token_of(await narrow.open(bob, his, place=HOME)), "a.zip", size=100)
    await house.store.datasets.save((await house.store.datasets.get(dataset.id)).but(bytes=70))

    with pytest.raises(QuotaFull):
        await narrow.begin(token, "a.zip", size=31)
    await narrow.begin(token, "a.zip", size=30)


async def test_what_has_become_too_much_meanwhile_waits_until_there_is_room(
    house: House, narrow: Uploads, dataset: Dataset, token: str
) -> None:
    await sent(narrow, token, "a.zip")
    filled = (await house.store.datasets.get(dataset.id)).but(bytes=100 - len(CONTENT) + 1)
    await house.store.datasets.save(filled)
    with pytest.raises(QuotaFull):
        await narrow.confirm(token)

    await house.store.datasets.save(filled.but(bytes=100 - len(CONTENT)))
    assert await raw_files(house, await narrow.confirm(token)) == {"a.zip": CONTENT}


@pytest.mark.parametrize("bad", ["", "x", "a.b.c", "é.0.x"])
async def test_a_link_that_was_not_made_here_opens_nothing(uploads: Uploads, bad: str) -> None:
    with pytest.raises(BadLink):
        await uploads.view(bad)


async def gone(house: House, dataset: Dataset) -> None:
    await house.services.datasets.delete(await somebody(house), dataset)


async def banned(house: House, dataset: Dataset) -> None:
    account = await house.store.accounts.get(dataset.owner)
    await house.store.accounts.save(account.but(banned="spam"))


async def merged(house: House, dataset: Dataset) -> None:
    account = await house.store.accounts.get(dataset.owner)
    await house.store.accounts.save(account.but(merged_into="somebody"))


@pytest.mark.parametrize(("happens", "refused"), [(gone, NotFound), (banned, Banned), (merged, UploadClosed)])
async def test_what_happens_meanwhile_is_seen_before_the_next_piece(
    house: House, uploads: Uploads, dataset: Dataset, token: str, database: Database, *, happens: Any, refused: Any
) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield CONTENT[:PIECE]
        yield CONTENT[PIECE:12]
        await happens(house, dataset)
        yield CONTENT[12:]

    await uploads.begin(token, "a.zip", size=len(CONTENT))
    with pytest.raises(refused):
        await uploads.put(token, "a.zip", offset=0, chunks=stream())

    assert await references(database) == {sha(CONTENT[:PIECE]): 1}
    for attempt in (uploads.view(token), uploads.confirm(token), uploads.begin(token, "b", size=1)):
        with pytest.raises(refused):
            await attempt


async def test_every_piece_gives_another_hour_but_no_link_lives_longer_than_a_day(
    uploads: Uploads, token: str, clock: HandClock
) -> None:
    opened = clock.now()
    await uploads.begin(token, "a.zip", size=100)
    for offset in range(60):
        clock.advance(SLIDING / 2)
        if clock.now() >= opened + LONGEST:
            break
        await uploads.put(token, "a.zip", offset=offset, chunks=in_chunks(b"x"))

    assert clock.now() == opened + LONGEST
    with pytest.raises(UploadClosed):
        await uploads.put(token, "a.zip", offset=offset, chunks=in_chunks(b"x"))


async def test_the_sweeper_gives_up_what_is_stale_and_nothing_else(
    uploads: Uploads, ann: Actor, dataset: Dataset, clock: HandClock, database: Database
) -> None:
    old, busy, done = [token_of(await uploads.open(ann, dataset, place=HOME)) for _ in range(3)]
    for token in (old, done):
        await sent(uploads, token, f"{token}.zip", token.encode())
    await uploads.confirm(done)
    clock.advance(FIRST_BYTE - timedelta(minutes=1))
    await sent(uploads, busy, "busy.zip")
    clock.advance(timedelta(minutes=1))

    assert (await uploads.sweep(), await uploads.sweep()) == (1, 0)

    with pytest.raises(UploadClosed):
        await uploads.view(old)
    assert await here(uploads, busy) == {"busy.zip": len(CONTENT)}
    assert (await uploads.view(done)).upload.state is UploadState.CONFIRMED
    assert set(await references(database)) == {
        *(sha(CONTENT[start : start + PIECE]) for start in (0, 10, 20)),
        sha(done.encode()),
    }
    states = [row["state"] async for row in database["uploads"].find({})]
    assert sorted(states) == ["abandoned", "confirmed", "open"]


async def test_a_session_that_the_sweeper_met_takes_nothing_more(
    uploads: Uploads, token: str, clock: HandClock, database: Database
) -> None:
    await sent(uploads, token, "a.zip")
    clock.advance(SLIDING)
    await uploads.sweep()

    for attempt in (uploads.confirm(token), uploads.drop(token, "a.zip"), uploads.begin(token, "b.zip", size=1)):
        with pytest.raises(DomainError):
            await attempt
    assert await references(database) == {}
