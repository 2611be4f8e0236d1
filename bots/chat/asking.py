"""Asking for what is missing, one question at a time: the part that all chats share. Platforms only draw questions.

The draft in the store is all there is of a conversation, so that a restart, or another process, goes on with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bots.chat.definition import Definition
from bots.chat.dispatcher import Dispatcher
from bots.chat.parameter import Call, Files, Listed, Page, Parameter, Raw
from bots.chat.reply import Reply
from bots.chat.wording import number
from core.domain.account import Place
from core.domain.draft import HEARD, Draft
from core.domain.errors import Invalid, Missing
from core.ports.blobs import Blobs
from core.ports.sources import Source, Stored

LAST_CALL = "Half an hour is over. Answer within another one, or I let go of the files that you sent."


@dataclass(frozen=True, kw_only=True)
class Question:
    """What to ask now: a parameter, the page of its choices (none where anything goes), and which ways lead on.

    `words` says what was wrong with the last answer. For files there are no choices: they are sent, then Done.
    """

    draft: Draft
    definition: Definition
    name: str
    page: Page
    words: str = ""

    @property
    def parameter(self) -> Parameter[Any]:
        """What is asked for."""
        return self.definition.parameters[self.name]

    @property
    def files(self) -> bool:
        """Whether files are asked for."""
        return isinstance(self.parameter, Files)

    @property
    def optional(self) -> bool:
        """Whether it can be left out."""
        return self.name in self.definition.optional

    @property
    def before(self) -> bool:
        """Whether there is a page before this one."""
        return bool(self.draft.pages)

    @property
    def nothing(self) -> str:
        """What to do where there is nothing to choose from."""
        if self.page.choices or not isinstance(self.parameter, Listed):
            return ""
        return f"There is no {self.parameter.noun} to choose yet. {self.parameter.hint}"

    @property
    def back(self) -> bool:
        """Whether a question was answered before this one."""
        return bool(self.draft.trail)


@dataclass(frozen=True, kw_only=True)
class Ready:
    """Everything is there: run the command with these answers under the draft's key, then close the draft."""

    draft: Draft
    definition: Definition
    given: Mapping[str, Raw]


Step = Question | Ready


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Moves drafts. `size` is how many choices a page has on this platform."""

    dispatcher: Dispatcher
    blobs: Blobs
    size: int

    async def begin(
        self,
        definition: Definition,
        call: Call,
        given: Mapping[str, str],
        *,
        token: str = "",
        place: Place | None = None,
    ) -> Step:
        """Ask for what a command still needs, here or in a `place`; what does not fit is asked for again, with words.

        Raises:
            Banned, NotAllowed, NotHere: The actor may not use the command, or not here.
        """
        await self.dispatcher.admit(definition, call)
        drafts = call.services.drafts
        draft = await drafts.open(
            call.actor, place or call.place, command=definition.path, given=given, token=token, said=call.place
        )
        return await self.onward(call, draft)

    async def onward(self, call: Call, draft: Draft, *, words: str = "") -> Step:
        """What to do now: the next question, or to run the command; `words` say what was wrong with an answer."""
        definition = self._definition(draft)
        given, wrong = await self._fitting(call, definition, draft.given)
        name = await self.dispatcher.question(definition, call, given)
        if name is None:
            return self._ready(draft)
        text = draft.text if not wrong else draft.given.get(name, "")
        page = await self._page(call, draft.but(text=text), name, given)
        shown = tuple(choice.value for choice in page.choices)
        asked = await call.services.drafts.change(
            draft, lambda now: now.but(given=given, asked=name, shown=shown, text=text)
        )
        return Question(draft=asked, definition=definition, name=name, page=page, words=words or wrong)

    async def chosen(self, call: Call, draft: Draft, index: int) -> Step:
        """One of the shown values; where it is no longer shown, the question as it is now."""
        if draft.asked is None or not 0 <= index < len(draft.shown):
            return await self.onward(call, draft)
        return await self._answered(call, draft, draft.shown[index])

    async def typed(self, call: Call, draft: Draft, text: str) -> Step:
        """Typed words: the answer where they are one, else what narrows the choices."""
        if draft.asked is None or isinstance(self._parameter(draft), Files) or call.key in draft.heard:
            return await self.onward(call, draft)
        try:
            await self._parameter(draft).parse(call, text, draft.given)
        except (Invalid, Missing) as error:
            narrowed = await self._moved(call, draft, lambda now: now.but(text=text, pages=()))
            return await self.onward(call, narrowed, words=str(error))
        return await self._answered(call, draft, text)

    async def skipped(self, call: Call, draft: Draft) -> Step:
        """Leave an optional parameter out."""
        if draft.asked is None or draft.asked not in self._definition(draft).optional:
            return await self.onward(call, draft)
        return await self._answered(call, draft, "")

    async def more(self, call: Call, draft: Draft) -> Step:
        """The next page."""
        if draft.asked is None:
            return await self.onward(call, draft)
        page = await self._page(call, draft, draft.asked, draft.given)
        last = page.choices[-1].label if page.more else ""
        if not last:
            return await self.onward(call, draft)
        turned = await call.services.drafts.change(draft, lambda now: now.but(pages=(*now.pages, last)))
        return await self.onward(call, turned)

    async def fewer(self, call: Call, draft: Draft) -> Step:
        """The page before."""
        turned = await call.services.drafts.change(draft, lambda now: now.but(pages=now.pages[:-1]))
        return await self.onward(call, turned)

    async def back(self, call: Call, draft: Draft) -> Step:
        """The question before, its answer forgotten."""

        def undone(now: Draft) -> Draft:
            *trail, last = now.trail or ("",)
            kept = {name: value for name, value in now.given.items() if name != last}
            return now.but(given=kept, trail=tuple(trail), text="", pages=())

        return await self.onward(call, await call.services.drafts.change(draft, undone))

    async def received(self, call: Call, draft: Draft, source: Source, *, origin: str) -> Draft:
        """A file came in while files are asked for."""
        return await call.services.drafts.receive(draft, source, origin=origin)

    async def done(self, call: Call, draft: Draft) -> Step:
        """No more files come; what else the command needs is asked for."""
        definition = self._definition(draft)
        if not draft.received:
            return await self.onward(call, draft, words="Nothing has come yet.")
        if set(definition.needed) - {definition.files} - draft.given.keys():
            return await self.onward(call, draft)
        return self._ready(draft)

    async def overdue(self, call: Call, draft: Draft) -> Step | Reply:
        """What becomes of files that nobody said Done to: what they are for is run, or asked for once more.

        Whoever answers neither time is told that they are let go.
        """
        step = await self.done(call, draft)
        if isinstance(step, Ready):
            return step
        if draft.reminded:
            await call.services.drafts.close(draft)
            return _let_go(draft)
        reminded = await call.services.drafts.change(step.draft, lambda now: now.but(reminded=True))
        return replace(step, draft=reminded, words=LAST_CALL)

    async def _answered(self, call: Call, draft: Draft, value: str) -> Step:
        name = draft.asked or ""

        def told(now: Draft) -> Draft:
            answers = {**now.given, name: value}
            return now.but(given=answers, trail=(*now.trail, name), text="", pages=(), asked=None)

        return await self.onward(call, await self._moved(call, draft, told))

    async def _moved(self, call: Call, draft: Draft, move: Callable[[Draft], Draft]) -> Draft:
        def heard(now: Draft) -> Draft:
            return move(now).but(heard=(*now.heard, call.key)[-HEARD:])

        return await call.services.drafts.change(draft, heard)

    async def _page(self, call: Call, draft: Draft, name: str, given: Mapping[str, str]) -> Page:
        definition, after = self._definition(draft), draft.pages[-1] if draft.pages else ""
        choices = self.dispatcher.choices
        page = await choices(definition, name, call, draft.text, given, after=after, limit=self.size)
        if page.choices or not draft.text:
            return page
        return await choices(definition, name, call, "", given, limit=self.size)  # nothing fits: show all

    async def _fitting(
        self, call: Call, definition: Definition, given: Mapping[str, str]
    ) -> tuple[dict[str, str], str]:
        """The answers up to the first that does not fit, and what is wrong with that one."""
        fitting: dict[str, str] = {}
        parsed: dict[str, Any] = {}
        for name, parameter in definition.parameters.items():
            if name not in given:
                continue
            if given[name] == "" and name in definition.optional:
                fitting[name] = ""
                continue
            try:
                parsed[name] = await parameter.parse(call, given[name], parsed)
            except (Invalid, Missing) as error:
                rest = {key: value for key, value in given.items() if key not in {name, *fitting}}
                return {**fitting, **rest}, str(error)
            fitting[name] = given[name]
        return fitting, ""

    def _ready(self, draft: Draft) -> Ready:
        definition = self._definition(draft)
        given: dict[str, Raw] = {name: value for name, value in draft.given.items() if value}
        if definition.files and draft.received:
            stored = (Stored(artifact=file.artifact, blobs=self.blobs) for file in draft.received)
            given[definition.files] = tuple(stored)
        return Ready(draft=draft, definition=definition, given=given)

    def _definition(self, draft: Draft) -> Definition:
        return self.dispatcher.definition(draft.command)

    def _parameter(self, draft: Draft) -> Parameter[Any]:
        return self._definition(draft).parameters[draft.asked or ""]


def _let_go(draft: Draft) -> Reply:
    names = [file.artifact.name for file in draft.received] + [file.name for file in draft.large]
    return Reply(
        title=f"{number(len(names), 'file')} let go",
        lines=("Nobody said what they are for. Send them again when you know.", *names),
    )
