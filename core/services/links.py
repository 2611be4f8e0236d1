"""Linking: one person, many logins: codes, requests, confirmation, and the merge of two accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.account import Account, Actor, Place
from core.domain.allowance import counted, window
from core.domain.audit import Audit
from core.domain.connection import DROPBOX, connection_id
from core.domain.errors import CannotMerge, CodeGone
from core.domain.ledger import books
from core.domain.link import (
    ASKED_FOR,
    ATTEMPTS,
    CODE_LENGTH,
    PURPOSE,
    VALID_FOR,
    LinkCode,
    LinkRequest,
    code_hash,
    merge,
    merged,
    require_apart,
    shown,
)
from core.domain.notice import Notice, Topic
from core.domain.royalty import Remainder, payers_day, rounded
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


@dataclass(frozen=True, kw_only=True)
class Links:
    """How accounts become one: the side that issued the code confirms, and takes over the side that redeemed it."""

    store: Store
    clock: Clock
    ids: Ids

    async def issue(self, actor: Actor, place: Place) -> str:
        """A code for another login of the same person, instead of the one before; `place` is where they are asked."""
        code = self.ids.new()[:CODE_LENGTH]
        expires_at = self.clock.now() + VALID_FOR
        issued = LinkCode(
            id=code_hash(code), account=actor.account, role=actor.role, place=place, expires_at=expires_at
        )

        async def work(tx: Repositories) -> None:
            await _withdraw(tx, actor.account)
            await tx.link_codes.add(issued)

        await self.store.transact(work)
        return shown(code)

    async def redeem(self, actor: Actor, code: str, place: Place) -> LinkRequest:
        """Use a code up, and ask the side that issued it; of many who use it at once, one does.

        Raises:
            TooOften: The actor has tried too many codes within the hour.
            CodeGone: There is no such code (any more).
            CannotMerge: It is the actor's own, or of somebody of a lower role.
        """
        await self._tried(actor)
        request_id, now = self.ids.new(), self.clock.now()

        async def work(tx: Repositories) -> LinkRequest:
            found = await tx.link_codes.find(code_hash(code))
            if found is None or found.expires_at <= now:
                raise CodeGone
            found.require_joining(actor)
            if not await tx.link_codes.remove(found.id):
                raise CodeGone
            asked = LinkRequest(
                id=request_id,
                account=found.account,
                place=found.place,
                joining=actor.account,
                joining_name=actor.name,
                joining_place=place,
                created_at=now,
                expires_at=now + ASKED_FOR,
            )
            await tx.link_requests.add(asked)
            facts = {"name": actor.name, "platform": place.platform.value, "request": asked.id}
            question = self._notice(asked, f"link_asked:{asked.id}", Topic.LINK_ASKED, place=asked.place, facts=facts)
            await tx.notices.add(question)
            return asked

        return await self.store.transact(work)

    async def waiting(self, actor: Actor) -> Sequence[LinkRequest]:
        """Who waits for the actor to confirm."""
        requests = await self.store.link_requests.of(actor.account)
        return [asked for asked in requests if not asked.confirmed and asked.expires_at > self.clock.now()]

    async def confirm(self, actor: Actor, request: str) -> LinkRequest:
        """Take the other account over: its logins, all it owns and has earned. Confirming again changes nothing.

        Raises:
            CodeGone: There is no such request for this actor (any more).
            CannotMerge: Something is in the way; the words say what. Nothing is changed.
        """

        async def work(tx: Repositories) -> LinkRequest:
            asked = await self._asked(tx, actor, request)
            if asked.confirmed:
                return asked
            account, joining = await tx.accounts.get(asked.account), await tx.accounts.get(asked.joining)
            if account.merged_into or joining.merged_into:
                raise CodeGone
            if not actor.role.covers(joining.role):
                raise CannotMerge(why=f"here you are {actor.role}, there {joining.role} by now.")
            await _require_mergeable(tx, account, joining)
            await self._merge(tx, account, joining)
            await tx.link_requests.save(asked.but(confirmed=True))
            await self._tell(tx, asked, account.name)
            return asked.but(confirmed=True)

        return await self.store.transact(work)

    async def refuse(self, actor: Actor, request: str) -> None:
        """Let a request go.

        Raises:
            CodeGone: There is no such request for this actor (any more), or it was confirmed.
        """

        async def work(tx: Repositories) -> None:
            asked = await self._asked(tx, actor, request)
            if asked.confirmed:
                raise CodeGone
            await tx.link_requests.remove(asked.id)

        await self.store.transact(work)

    async def _tried(self, actor: Actor) -> None:
        now = self.clock.now()
        fresh = window(f"{PURPOSE}:{actor.account}", ATTEMPTS, now=now)

        async def work(tx: Repositories) -> None:
            await tx.allowances.save(counted(await tx.allowances.find(fresh.id) or fresh, ATTEMPTS, now=now))

        await self.store.transact(work)

    async def _asked(self, tx: Repositories, actor: Actor, request: str) -> LinkRequest:
        asked = await tx.link_requests.find(request)
        if asked is None or asked.account != actor.account:
            raise CodeGone
        if not asked.confirmed and asked.expires_at <= self.clock.now():
            raise CodeGone
        return asked

    async def _merge(self, tx: Repositories, account: Account, joining: Account) -> None:
        now = self.clock.now()
        staying, gone = merged(account, joining, now=now)
        await tx.accounts.save(staying)
        await tx.accounts.save(gone)
        await _withdraw(tx, gone.id)
        await tx.connections.remove(connection_id(gone.id, DROPBOX))
        await _yield_names(tx, gone.id, staying.id)
        await _add_days(tx, gone.id, staying.id, now=now)
        await tx.ownership.move(gone.id, staying.id, name=staying.name)
        for other in joining.related:
            if other != staying.id:
                third = await tx.accounts.get(other)
                await tx.accounts.save(third.marked(gone.id, related=False).marked(staying.id, related=True))
        rows = [await tx.ledger.balance(name) for name in books(gone.id)]
        why, rounding = f"linked with {gone.name}", await _joined(tx, gone.id, staying.id)
        moved = merge(rows, rounding=rounding, old=gone.id, new=staying.id, why=why, now=now)
        if moved.entries:
            await tx.ledger.post(moved)

    async def _tell(self, tx: Repositories, asked: LinkRequest, name: str) -> None:
        """A notice and an audit row for each side, that name the other."""
        here = (asked.account, name, asked.place)
        there = (asked.joining, asked.joining_name, asked.joining_place)
        for (account, _, place), (other, who, where) in ((here, there), (there, here)):
            facts = {"name": who, "platform": where.platform.value}
            act_id, now = f"linked:{account}:{other}", self.clock.now()
            act = Audit(id=act_id, actor=account, act="account.linked", subject=other, details=facts, at=now)
            await tx.audits.add(act)
            await tx.notices.add(self._notice(asked, act_id, Topic.LINKED, place=place, facts=facts))

    def _notice(
        self, asked: LinkRequest, notice_id: str, topic: Topic, *, place: Place, facts: Mapping[str, str]
    ) -> Notice:
        return Notice(
            id=notice_id,
            account=asked.account,
            place=place,
            topic=topic,
            details=facts,
            created_at=self.clock.now(),
        )


async def _withdraw(tx: Repositories, account: str) -> None:
    for code in await tx.link_codes.of(account):
        await tx.link_codes.remove(code.id)


async def _yield_names(tx: Repositories, old: str, new: str) -> None:
    """Let models go without such of their names as the new owner has for another: deleted ones, and old names."""
    for job in await tx.jobs.owned(old, kind="training", limit=0):
        if model := await tx.models.of_run(job.id):
            kept = tuple([name for name in model.names if not await tx.models.named(new, name)])
            await tx.models.save(model.but(names=kept or (model.id,)))


async def _add_days(tx: Repositories, old: str, new: str, *, now: datetime) -> None:
    """Count together what both have earned others today: linking gives nobody a fresh daily cap."""
    here, there = [
        await tx.allowances.find(fresh.id) or fresh for fresh in (payers_day(new, now), payers_day(old, now))
    ]
    if there.count:
        await tx.allowances.save(here.but(count=here.count + there.count))


async def _joined(tx: Repositories, old: str, new: str) -> int:
    """Put what both have earned beyond whole qoints together, and return the whole qoints of it.

    The old one's row is written in any case: of a royalty that is earned meanwhile and this, one is done again.
    """
    here, there = [await tx.remainders.find(name) or Remainder(id=name) for name in (new, old)]
    whole, rest = rounded(here.hundredths, there.hundredths)
    await tx.remainders.save(here.but(hundredths=rest))
    await tx.remainders.save(there.but(hundredths=0))
    return whole


async def _require_mergeable(tx: Repositories, account: Account, joining: Account) -> None:
    """Let two accounts pass that can become one as they are; asking for their queues keeps both of them still.

    Raises:
        CannotMerge: One has a job that has not ended, or both have something of one name.
    """
    for one in (account, joining):
        if jobs := [job for job in await tx.jobs.active(one.id) if job.ordered]:
            names = ", ".join(f"«{job.title}»" for job in jobs[:5])
            raise CannotMerge(why=f"{one.name} has jobs that have not ended: {names}. Wait for them, or cancel them.")
    folded = [[one.folded for one in await tx.datasets.owned(who.id, limit=0)] for who in (account, joining)]
    require_apart("dataset", *folded)
    characters = [await tx.characters.owned(who.id) for who in (account, joining)]
    require_apart("character", *([one.folded for one in known] for known in characters))
    require_apart("character with the trigger word", *([one.trigger for one in known] for known in characters))
    slugs = [one.slug for one in await tx.models.owned(joining.id, limit=0)]
    taken = [name for name in slugs if await tx.models.named(account.id, name)]
    require_apart("model", slugs, taken, whose=f"that of {joining.name}")
