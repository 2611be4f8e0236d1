"""Doing: what follows from what was said, in the lane of who said it: questions, commands, files, their end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bots.chat.asking import Asking, Question, Ready, Step
from bots.chat.definition import Definition
from bots.chat.parameter import Call, Raw
from bots.chat.reply import Reply
from bots.delivery.courier import recorded
from bots.telegram.answering import Answering, Spoken, failed
from bots.telegram.filing import Sent
from bots.telegram.lanes import Lanes
from bots.telegram.meeting import PLATFORM, private_place
from core.domain.action import Then
from core.domain.draft import Draft, Large
from core.domain.errors import ActionGone, BadValue
from core.ports.sources import Absent
from core.services import Services

AGAIN, PAUSE = 3, 1.0  # times that a run with files is tried again, and seconds before each
LATE = "it came after the question was over; begin again and send it then"


@dataclass(frozen=True, kw_only=True)
class Doing:
    """Carries out steps. Whatever is done finds its draft first: one that is over has been dealt with."""

    services: Services
    asking: Asking
    answering: Answering
    lanes: Lanes
    counted: float  # seconds between two looks at how many files came
    _busy: set[str] = field(default_factory=set)  # what is to be done once, however often it is asked for meanwhile

    def later(self, call: Call, work: Callable[[], Awaitable[None]], *, once: str = "") -> None:
        """Do something in its turn; of the same `once` no second time while the first is on its way."""
        if once in self._busy:
            return

        async def guarded() -> None:
            try:
                await work()
            except ActionGone:
                pass  # a second click, or an update dealt with again: the first has done it
            except Exception as error:  # noqa: BLE001 - the edge of this chat: whatever it is, somebody waits
                await self.answering.answer(call, failed(error))
            finally:
                self._busy.discard(once)

        if once:
            self._busy.add(once)
        self.lanes.later(_lane(call), guarded)

    def step(self, call: Call, step: Step, *, instead: bool) -> None:
        """Ask, or run; `instead` puts it in the place of the question before."""
        self.later(call, lambda: self._step(call, step, instead=instead))

    def press(self, call: Call, token: str, definition: Definition, *, message: str) -> None:
        """Run the command behind a button."""

        async def pressed() -> None:
            reply, then = await self.asking.dispatcher.press(token, call)
            replaced = then is Then.REPLACE and reply.code is None
            await self.answering.answer(
                call, reply, definition, instead=Spoken(call.place, message) if replaced else None
            )

        self.later(call, pressed, once=token)

    def receive(self, call: Call, draft: Draft, source: Sent) -> None:
        """Take a file in; one that is too large waits for a link."""

        async def received() -> None:
            try:
                current = await self.services.drafts.find(call.actor, draft.id)
            except ActionGone as error:
                raise BadValue(what="file", value=source.name, why=LATE) from error
            if source.size and source.size > source.most:
                await self._too_large(current, source, origin=call.key)
            else:
                await self.asking.received(call, current, source, origin=call.key)
            self._count(call, current)

        self.later(call, received)

    def done(self, call: Call, draft: Draft) -> None:
        """Run the command with the files that came before."""

        async def ended() -> None:
            current = await self.services.drafts.find(call.actor, draft.id)
            await self._step(call, await self.asking.done(call, current), instead=True)

        self.later(call, ended)

    def cancel(self, call: Call, draft: Draft) -> None:
        """Let a question go."""

        async def cancelled() -> None:
            current = await self.services.drafts.find(call.actor, draft.id)
            await self.services.drafts.close(current)
            there = replace(call, place=current.place)
            await self.answering.answer(there, Reply(title="Cancelled"), instead=_spoken(current))

        self.later(call, cancelled)

    async def expire(self) -> None:
        """Let go of what nobody finished; files that came go into their command all the same.

        Raises:
            DatabaseUnavailable: Not now.
        """
        for draft in await self.services.drafts.expired(PLATFORM):
            if draft.received or draft.large:
                self._finish(await self._call(draft), draft)
            else:
                await self.services.drafts.close(draft)

    def _finish(self, call: Call, draft: Draft) -> None:
        self.later(call, lambda: self._unfinished(call, draft), once=draft.id)

    async def _unfinished(self, call: Call, draft: Draft) -> None:
        step = await self.asking.overdue(call, draft)
        if isinstance(step, Reply):
            await self.answering.answer(replace(call, place=draft.place), step)
            return
        if isinstance(step, Question):
            await self._ask(call, step, instead=False)
            return
        try:
            reply = await self.asking.dispatcher.run(step.definition, call, step.given)
        except Exception:
            await self.services.drafts.close(draft)  # it would break every minute
            raise
        if reply.unavailable:
            return  # the next round tries it again
        words = "Nobody pressed Done for half an hour, so I went on with what had come."
        await self.answering.answer(call, reply.but(lines=(words, *reply.lines)), step.definition)
        await self.services.drafts.close(draft)

    async def _call(self, draft: Draft) -> Call:
        actor = await self.services.accounts.actor(draft.account)
        user = await self.services.deliveries.identity(actor.account, PLATFORM) or draft.place.chat
        place = await self.services.communities.rated(draft.said or draft.place)
        return Call(actor=actor, place=place, services=self.services, key=draft.id, private=private_place(user))

    async def _step(self, call: Call, step: Step, *, instead: bool) -> None:
        match step:
            case Question():
                await self._ask(call, step, instead=instead)
            case Ready():
                draft = await self.services.drafts.find(call.actor, step.draft.id)
                reply = await self._ran(replace(call, key=draft.id), step)
                if reply.unavailable and draft.received:  # the question stays with its files: Done can be pressed again
                    await self.answering.answer(call, reply, step.definition)
                    return
                await self.answering.answer(call, reply, step.definition, instead=_spoken(draft) if instead else None)
                await recorded(lambda: self.services.drafts.close(draft))  # last: a run that is cut off is run again

    async def _ran(self, call: Call, ready: Ready) -> Reply:
        """What a command answers. Files are not easily sent again: where the house fails them, it is asked again.

        After a crash the database may keep what a transaction had touched for a minute, longer than one run waits.
        """
        reply = await self.asking.dispatcher.run(ready.definition, call, ready.given)
        for _ in range(AGAIN if ready.draft.received else 0):
            if not reply.unavailable:
                break
            await asyncio.sleep(PAUSE)
            reply = await self.asking.dispatcher.run(ready.definition, call, ready.given)
        return reply

    async def _ask(self, call: Call, question: Question, *, instead: bool) -> None:
        """Ask; where only files are missing, those that are too large get their link first."""
        draft = await self.services.drafts.find(call.actor, question.draft.id)
        if question.files and draft.large:
            await self._link(call, question, draft)
            question = replace(question, draft=question.draft.but(large=()))
        message = await self.answering.ask(call, question, instead=draft.message if instead else None)
        if message != draft.message:
            await self.services.drafts.change(draft, lambda now: now.but(message=message))

    async def _link(self, call: Call, question: Question, draft: Draft) -> None:
        """Run the command with files that are too large: it has words for them, and nothing is taken."""
        sources = tuple(Absent(name=one.name, size=one.size, most=one.most) for one in draft.large)
        given: dict[str, Raw] = {**draft.given, question.name: sources}
        reply = await self.asking.dispatcher.run(question.definition, call, given)
        await self.answering.answer(call, reply, question.definition)
        await self.services.drafts.change(draft, lambda now: now.but(large=now.large[len(sources) :]))

    async def _too_large(self, draft: Draft, source: Sent, *, origin: str) -> None:
        large = Large(origin=origin, name=source.name, size=source.size or 0, most=source.most)
        if origin not in {one.origin for one in draft.large}:
            await self.services.drafts.change(draft, lambda now: now.but(large=(*now.large, large)))

    def _count(self, call: Call, draft: Draft) -> None:
        """Say in a moment how many files are here: once for all that come until then."""

        async def counted() -> None:
            current = await self.services.drafts.find(call.actor, draft.id)
            step = await self.asking.onward(call, current)
            if isinstance(step, Question) and current.message:
                await self._ask(call, step, instead=True)

        mark = f"count {draft.id}"
        if mark not in self._busy:
            self._busy.add(mark)

            def look() -> None:
                self._busy.discard(mark)
                self.later(call, counted, once=mark)

            asyncio.get_running_loop().call_later(self.counted, look)


def _spoken(draft: Draft) -> Spoken | None:
    return Spoken(draft.place, draft.message) if draft.message else None


def _lane(call: Call) -> str:
    return (call.private or call.place).chat
