"""Deliveries: the outbox of notices and the cards of jobs, claimed by whichever front end comes first."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.domain.account import Actor, Place, Platform, Telling, identity_id
from core.domain.job import Job
from core.domain.notice import PACE, Card, Notice, NoticeState, card_id, final, opened
from core.ports.clock import Clock
from core.ports.store import Repositories, Store


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """What front ends bring to people."""

    store: Store
    clock: Clock

    async def pending(
        self, platform: Platform, *, chat: str | None = None, apart_from: Collection[str] = ()
    ) -> Sequence[Notice]:
        """Notices that wait for a front end of this platform, in one chat of it or in all but some."""
        now = self.clock.now()
        return await self.store.notices.pending(platform, chat=chat, apart_from=apart_from, now=now)

    async def take(self, notice: Notice) -> bool:
        """Claim a notice for delivery; False when another front end was faster."""

        async def work(tx: Repositories) -> bool:
            current = await tx.notices.get(notice.id)
            if current != notice:
                return False
            await tx.notices.save(current.claimed(now=self.clock.now()))
            return True

        return await self.store.transact(work)

    async def delivered(self, notice: Notice) -> None:
        """Mark a notice as standing in the chat."""
        await self._settle(notice, lambda current: current.delivered())

    async def undeliverable(self, notice: Notice) -> None:
        """Give a notice up: nobody can be told there."""
        await self._settle(notice, lambda current: current.undeliverable())

    async def postpone(self, notice: Notice, seconds: float) -> None:
        """Try again after the pause that the platform wants; what has waited for a day is given up."""
        pause = timedelta(seconds=seconds)
        await self._settle(notice, lambda current: current.postponed(now=self.clock.now(), pause=pause))

    async def failed(self, notice: Notice) -> None:
        """Try again later what broke; what did so too often is given up."""
        await self._settle(notice, lambda current: current.failed(now=self.clock.now()))

    async def due(self, platform: Platform, *, apart_from: Collection[str] = ()) -> Sequence[Card]:
        """Cards of a platform that are to be looked at, in all chats but some."""
        return await self.store.cards.due(platform, apart_from=apart_from, now=self.clock.now())

    async def claim(self, card: Card) -> Card | None:
        """Take a card to bring it up to date; None when another front end has it, or it changed meanwhile."""

        async def work(tx: Repositories) -> Card | None:
            current = await tx.cards.find(card.id)
            now = self.clock.now()
            if current != card or current.closed or (current.claimed_until and current.claimed_until > now):
                return None
            claimed = current.claimed(now=now)
            await tx.cards.save(claimed)
            return claimed

        return await self.store.transact(work)

    async def shown(self, card: Card, digest: str, *, message: str) -> None:
        """Remember what a card says now, and in which message."""
        await self._change(card, lambda current: current.says(digest, message=message, now=self.clock.now()))

    async def rest(self, card: Card, seconds: float = PACE.total_seconds()) -> None:
        """Leave a card alone for a while."""
        pause = timedelta(seconds=seconds)
        await self._change(card, lambda current: current.rested(now=self.clock.now(), pause=pause))

    async def owes_last_word(self, card: Card, job: Job) -> bool:
        """Whether the last word about a job that has ended still has to be brought to the place of a card."""
        word = await self.store.notices.find(final(job, card, now=self.clock.now()).id)
        return word is not None and word.state is NoticeState.PENDING

    async def close(self, card: Card) -> None:
        """Keep a card up to date no longer; where its job has ended, the last word follows if it was not written.

        A card that was opened while the job was being ended is not among those that the end knew of.
        """

        async def work(tx: Repositories) -> None:
            await tx.cards.save((await tx.cards.get(card.id)).over())
            job = await tx.jobs.find(card.job)
            if job and job.state.ended:
                word = final(job, card, now=self.clock.now())
                if not await tx.notices.find(word.id):
                    await tx.notices.add(word)

        await self.store.transact(work)

    async def cards(self, place: Place) -> Sequence[Card]:
        """The cards in a place that are still kept up to date."""
        return await self.store.cards.open_at(place)

    async def card(self, job: str, place: Place) -> Card | None:
        """The card of a job in a place."""
        return await self.store.cards.find(card_id(job, place))

    async def mirror(self, actor: Actor, job: str, place: Place) -> bool:
        """Let the card of a job that has not ended follow where somebody looks at it; whether one does."""
        if actor.notify.telling is not Telling.LIVE:
            return False

        async def work(tx: Repositories) -> bool:
            found = await tx.jobs.find(job)
            if found is None or found.state.ended or not found.visible_to(actor):
                return False
            now = self.clock.now()
            fresh = opened(job, account=actor.account, place=place, now=now)
            known = await tx.cards.find(fresh.id)
            await tx.cards.save(known.wanted(now=now) if known else fresh)
            return True

        return await self.store.transact(work)

    async def identity(self, account: str, platform: Platform) -> str | None:
        """What a platform calls somebody."""
        start = identity_id(platform, "")
        logins = await self.store.identities.of(account)
        return next((login.id.removeprefix(start) for login in logins if login.id.startswith(start)), None)

    async def private(self, account: str, platform: Platform) -> Place | None:
        """Somebody's own chat with the bot on a platform."""
        chat = await self.identity(account, platform)
        return Place(platform=platform, chat=chat, adult=platform is Platform.TELEGRAM) if chat else None

    async def _settle(self, notice: Notice, change: Callable[[Notice], Notice]) -> None:
        async def work(tx: Repositories) -> None:
            current = await tx.notices.get(notice.id)
            if current.state is NoticeState.PENDING:
                await tx.notices.save(change(current))

        await self.store.transact(work)

    async def _change(self, card: Card, change: Callable[[Card], Card]) -> None:
        async def work(tx: Repositories) -> None:
            await tx.cards.save(change(await tx.cards.get(card.id)))

        await self.store.transact(work)
