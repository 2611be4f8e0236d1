"""Uploads: files that come in piece by piece through a signed link, and leave together as one intake job."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.domain.account import Actor, Place
from core.domain.artifact import Artifact
from core.domain.dataset import Dataset, owned
from core.domain.errors import Banned, BlobGone, NotFound, UploadChanged, UploadClosed, WrongHash
from core.domain.job import Job
from core.domain.quota import Quota, Usage
from core.domain.signature import signed, verified
from core.domain.upload import FIRST_BYTE, PIECE, Upload, UploadFile, UploadState, file_name, require_few
from core.domain.value import Value
from core.kinds import enqueue, intake, used
from core.ports.blobs import Blobs
from core.ports.clock import Clock, Ids
from core.ports.sources import Cut
from core.ports.store import Repositories, Store

PURPOSE = "upload"
RAW = "application/octet-stream"


class UploadView(Value):
    """A session, and what the dataset is called that its files are for."""

    upload: Upload
    dataset: str


@dataclass(frozen=True, kw_only=True)
class Uploads:
    """Upload sessions. `keys` sign links (the first one; all verify), `address` is where people reach the pages.

    A link names its session and nothing else; whether it still holds is looked up for every piece. A file takes its
    place in its owner's quota when it is announced, so that nobody sends for an hour what is then refused.
    """

    store: Store
    blobs: Blobs
    clock: Clock
    ids: Ids
    keys: Mapping[str, bytes] = field(repr=False)
    address: str
    quota: Quota

    async def open(self, actor: Actor, dataset: Dataset, *, place: Place) -> str:
        """Begin a session, and return its link: who knows it may bring files in the actor's name.

        Raises:
            Banned: The actor may do nothing here.
            NotFound: There is no such dataset of this actor.
            TooManyUploads: The actor has as many sessions open as anybody may.
        """
        actor.require_welcome()
        found = owned(await self.store.datasets.find(dataset.id), actor, name=dataset.name)
        now = self.clock.now()
        require_few(await self.store.uploads.opened(actor.account, now=now))
        upload = Upload(
            id=self.ids.new(),
            account=actor.account,
            dataset=found.id,
            place=place,
            created_at=now,
            expires_at=now + FIRST_BYTE,
        )
        await self.store.uploads.add(upload)
        return self._link(upload)

    async def going_on(self, actor: Actor, dataset: Dataset, *, place: Place) -> str:
        """The link of the actor's session for a dataset that still takes files, or else of a new one.

        Raises:
            Banned: The actor may do nothing here.
            NotFound: There is no such dataset of this actor.
            TooManyUploads: The actor has as many sessions open as anybody may.
        """
        begun = await self.store.uploads.open_for(dataset.id, now=self.clock.now())
        own = [upload for upload in begun if upload.account == actor.account]
        return await self.resume(actor, own[0].id) if own else await self.open(actor, dataset, place=place)

    async def resume(self, actor: Actor, upload: str) -> str:
        """The link of a session that was begun earlier, to go on with what is not complete.

        Raises:
            Banned: The actor may do nothing here.
            NotFound: There is no such session of this actor, or its dataset is gone.
            UploadClosed: It was confirmed, or its time is over.
        """
        actor.require_welcome()
        begun = await self.store.uploads.find(upload)
        if begun is None or begun.account != actor.account:
            raise NotFound(noun="upload", name=upload, hint="Begin another with `dataset upload NAME`.")
        current, _ = await _current(self.store, upload)
        current.require_open(now=self.clock.now())
        return self._link(current)

    async def view(self, token: str) -> UploadView:
        """What is here so far, or that everything was handed on.

        Raises:
            BadLink: The link was not made here.
            UploadClosed: Its time is over.
            Banned, NotFound: It has lost its account or its dataset.
        """
        upload, dataset = await _current(self.store, self._session(token))
        if upload.state is not UploadState.CONFIRMED:
            upload.require_open(now=self.clock.now())
        return UploadView(upload=upload, dataset=dataset.name)

    async def begin(self, token: str, name: str, *, size: int, sha256: str | None = None) -> None:
        """Announce a file of so many bytes, with its hash (hex) if that is known; once more changes nothing.

        Raises:
            BadValue, FileTooLarge, UploadFull: It does not fit.
            QuotaFull: With it its owner would store more than anybody may.
            BadLink, UploadClosed, Banned, NotFound: The link does not hold (any more).
        """
        file = UploadFile(name=file_name(name), size=size, sha256=sha256)
        await self._change(self._session(token), lambda upload: upload.begun(file, now=self.clock.now()))

    async def put(self, token: str, name: str, *, offset: int, chunks: AsyncIterator[bytes]) -> UploadFile:
        """Take a file's bytes from an offset on, piece by piece, and return it as it is then.

        A piece that is not whole when the stream breaks is dropped; those before it stay.

        Raises:
            WrongOffset: The file does not end there (any more).
            BadValue: More came than was announced.
            BadLink, UploadClosed, Banned, NotFound: The link does not hold (any more).
        """
        session = self._session(token)
        upload, _ = await _current(self.store, session)
        file = upload.require_next(name, offset, now=self.clock.now())
        stream = Cut(chunks)
        while await stream.more():
            blob = await self.blobs.put(stream.piece(PIECE), name=name, limit=PIECE)
            piece = Artifact(name=name, sha256=blob.id, size=blob.size, media_type=RAW)
            file = await self._took(session, piece, offset=file.offset)
        return file

    async def drop(self, token: str, name: str) -> None:
        """Let a file go, however much of it is here.

        Raises:
            BadLink, UploadClosed, Banned, NotFound: The link does not hold (any more).
        """
        await self._change(self._session(token), lambda upload: upload.without(name, now=self.clock.now()))

    async def confirm(self, token: str) -> Job:
        """Hand everything on to the job that looks into it; once more gives the same job.

        Raises:
            BadValue: There is no file, or one is not complete.
            WrongHash: A file is not what its sender announced; it has to come again, the others stay.
            UploadChanged: Files came or went meanwhile.
            QuotaFull: Its owner has come to store more than anybody may.
            BadLink, UploadClosed, Banned, NotFound: The link does not hold (any more).
        """
        session, now = self._session(token), self.clock.now()
        upload, dataset = await _current(self.store, session)
        if upload.job:
            return await self.store.jobs.get(upload.job)
        job = intake.incoming(dataset, len(upload.files), id=self.ids.new(), key=upload.id, now=now)
        confirmed = upload.confirmed(job.id, now=now)
        try:
            files = [await self._whole(session, file) for file in upload.files]
        except BlobGone:
            if await self.store.uploads.find(session) == upload:
                raise
            return await self.confirm(token)  # somebody was faster, and the pieces are not needed any more

        async def work(tx: Repositories) -> Job:
            current, target = await _current(tx, session)
            if current.job:
                return await tx.jobs.get(current.job)
            if current != upload:
                raise UploadChanged
            await self._require_room(tx, upload.account, 0)
            await _refer(tx, upload.pieces, (file.sha256 for file in files))
            await tx.uploads.save(confirmed)
            await tx.datasets.save(target.uploading(now=now))
            return await enqueue(tx, intake.Payload(dataset=target.id, files=tuple(files)), job=job, place=upload.place)

        done = await self.store.transact(work)
        await self.blobs.discard(*set(upload.pieces))
        return done

    async def sweep(self) -> int:
        """Give up the sessions whose time is over, and let their pieces go; return how many."""
        count = 0
        while stale := await self.store.uploads.stale(now=self.clock.now()):
            for upload in stale:
                await self._abandon(upload.id)
            count += len(stale)
        return count

    def _session(self, token: str) -> str:
        return verified(token, purpose=PURPOSE, keys=self.keys)

    def _link(self, upload: Upload) -> str:
        return f"{self.address}/u/{signed(upload.id, purpose=PURPOSE, keys=self.keys)}"

    async def _took(self, session: str, piece: Artifact, *, offset: int) -> UploadFile:
        def taken(upload: Upload) -> Upload:
            return upload.received(piece.name, piece, offset=offset, now=self.clock.now())

        grown = await self._change(session, taken)
        return grown.require_next(piece.name, offset + piece.size, now=self.clock.now())

    async def _change(self, session: str, change: Callable[[Upload], Upload]) -> Upload:
        """Change a session as it is now, and with it which pieces are referred to."""

        async def work(tx: Repositories) -> Upload:
            upload, _ = await _current(tx, session)
            changed = change(upload)
            if (more := changed.announced - upload.announced) > 0:
                await self._require_room(tx, upload.account, more)
            await _save(tx, upload, changed)
            return changed

        return await self.store.transact(work)

    async def _require_room(self, tx: Repositories, account: str, more: int) -> None:
        """Let so many bytes more be announced.

        Raises:
            QuotaFull: The account stores too much with them.
        """
        self.quota.require(await used(tx, account, now=self.clock.now()), Usage(bytes=more))

    async def _abandon(self, session: str) -> None:
        async def work(tx: Repositories) -> None:
            upload = await tx.uploads.get(session)
            await _save(tx, upload, upload.abandoned(now=self.clock.now()))

        await self.store.transact(work)

    async def _whole(self, session: str, file: UploadFile) -> Artifact:
        """A file in one piece, checked. Most have only one; others are put together as a stream."""
        sha256 = file.pieces[0].sha256
        if len(file.pieces) > 1:
            sha256 = (await self.blobs.put(self._joined(file.pieces), name=file.name, limit=file.size)).id
        if file.sha256 not in {None, sha256}:
            await self._change(session, lambda upload: upload.restarted(file))
            raise WrongHash(name=file.name)
        return Artifact(name=file.name, sha256=sha256, size=file.size, media_type=RAW)

    async def _joined(self, pieces: Sequence[Artifact]) -> AsyncIterator[bytes]:
        for piece in pieces:
            async for chunk in self.blobs.open(piece.sha256):
                yield chunk


async def _current(tx: Repositories, session: str) -> tuple[Upload, Dataset]:
    """A session that still has its account and its dataset.

    Raises:
        UploadClosed: There is none, or its account became part of another.
        Banned: Its account may do nothing here any more.
        NotFound: Its dataset was deleted.
    """
    upload = await tx.uploads.find(session)
    account = await tx.accounts.find(upload.account) if upload else None
    if upload is None or account is None or account.merged_into:
        raise UploadClosed
    if account.banned is not None:
        raise Banned(why=account.banned)
    dataset = await tx.datasets.find(upload.dataset)
    if dataset is None or dataset.deleted_at:
        name = dataset.name if dataset else upload.dataset
        raise NotFound(noun="dataset", name=name, hint="It was deleted. See `dataset list`.")
    return upload, dataset


async def _save(tx: Repositories, before: Upload, after: Upload) -> None:
    if after != before:
        await _refer(tx, before.pieces, after.pieces)
        await tx.uploads.save(after)


async def _refer(tx: Repositories, before: Iterable[str], after: Iterable[str]) -> None:
    """Let other bytes be referred to than before; what stays needs no counting."""
    old, new = Counter(before), Counter(after)
    await tx.references.refer(*(new - old).elements())
    await tx.references.forget(*(old - new).elements())
