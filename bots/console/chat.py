"""The interactive console: a prompt that completes and asks, numbered buttons, running jobs below, news as it comes."""

import asyncio
import signal
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console
from rich.text import Text

from bots.cards import MARKS
from bots.cards.notices import told
from bots.chat.definition import Definition
from bots.chat.parameter import Files, Raw
from bots.chat.parsing import Typed, parsed, split
from bots.chat.reply import Button, Reply
from bots.chat.wording import pace
from bots.console.completing import Commands
from bots.console.files import saved
from bots.console.following import closed
from bots.console.rendering import numbered, plain, shown
from bots.console.speaking import Speaker, guarded
from core.domain.errors import DomainError
from core.domain.fleet import Worker
from core.domain.job import Job, JobState

ATTEND = 1.0  # seconds between looks at what is new
LEAVE = frozenset({"exit", "quit"})


class Chat:
    """One sitting at the console. Button numbers count on through it, so that a number never changes its meaning."""

    def __init__(
        self,
        speaker: Speaker,
        *,
        out: Console,
        input: Input | None = None,  # noqa: A002 - prompt_toolkit's word
        output: Output | None = None,
    ) -> None:
        self._speaker = speaker
        self._out = out
        self._buttons: list[Button] = []
        self._running = ""
        self._prompt: PromptSession[str] = PromptSession(
            completer=Commands(speaker),
            complete_while_typing=True,
            bottom_toolbar=lambda: self.below() or None,
            refresh_interval=ATTEND,
            input=input,
            output=output,
        )
        self._question: PromptSession[str] = PromptSession(input=input, output=output)

    async def run(self) -> None:
        """Answer line after line until Ctrl-D; Ctrl-C only cancels the line."""
        name = self._speaker.actor.name
        hello = (
            f"You speak as {name}. Tab completes, `help` lists the commands, a number presses a button, Ctrl-D leaves."
        )
        self._out.print(Text(hello, style="dim"))
        with patch_stdout(raw=True):
            attending = asyncio.create_task(self._attend())
            try:
                while (line := await self._read()) is not None:
                    with suppress(KeyboardInterrupt, EOFError):
                        await self._answer(line.strip())
            finally:
                attending.cancel()
                await asyncio.wait([attending])

    def below(self) -> str:
        """What stands below the prompt: this person's jobs that have not ended."""
        return self._running

    async def _read(self) -> str | None:
        while True:
            try:
                line = await self._prompt.prompt_async(f"{self._speaker.actor.name}> ")
            except KeyboardInterrupt:
                continue
            except EOFError:
                return None
            return None if line.strip() in LEAVE else line

    async def _answer(self, line: str) -> None:
        if not line:
            return
        commands = self._speaker.dispatcher.commands
        button = self._numbered(line)
        if button and _suffices(button, commands[button.command]):
            await self._stoppable(self._speaker.pressed(button))
            return
        try:
            begun = Typed(definition=commands[button.command], words=button.arguments) if button else None
            typed = await self._asked(begun or parsed(line, commands))
        except DomainError as error:
            await self._show(Reply.refused(error))
            return
        await self._stoppable(self._speaker.ran(typed))

    def _numbered(self, line: str) -> Button | None:
        number = int(line) if line.isdecimal() else 0
        return self._buttons[number - 1] if 0 < number <= len(self._buttons) else None

    async def _stoppable(self, answer: Coroutine[Any, Any, Reply]) -> None:
        """Show an answer; Ctrl-C stops waiting for it, not the sitting."""
        answering, loop = asyncio.create_task(answer), asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, answering.cancel)
        try:
            await asyncio.wait([answering])
        finally:
            answering.cancel()
            loop.remove_signal_handler(signal.SIGINT)
        if answering.cancelled():
            self._out.print(Text("Stopped.", style="dim"))
        else:
            await self._show(answering.result())

    async def _asked(self, typed: Typed) -> Typed:
        """The line completed by answers; what is optional may be left out with Enter.

        Raises:
            EOFError: Something needed was not given.
        """
        words, paths, left_out = dict(typed.words), typed.paths, dict[str, Raw]()
        definition = typed.definition
        while True:
            given = {**words, **left_out, **({definition.files: ()} if definition.files and paths else {})}
            name = await self._speaker.dispatcher.question(definition, self._speaker.call(), given)
            if name is None:
                return Typed(definition=definition, words=words, paths=paths)
            answer = await self._ask(typed, name, given)
            if not answer and name not in definition.optional:
                self._out.print(Text("Nothing done.", style="dim"))
                raise EOFError
            if not answer:
                left_out[name] = ""
            elif isinstance(definition.parameters[name], Files):
                paths = tuple(split(answer))
            else:
                words[name] = answer

    async def _ask(self, typed: Typed, name: str, given: Mapping[str, Raw]) -> str:
        kind = typed.definition.parameters[name]
        page = await self._speaker.dispatcher.choices(typed.definition, name, self._speaker.call(), "", given)
        optional = " (Enter to leave it out)" if name in typed.definition.optional else ""
        self._out.print(Text(f"{kind.help}?{optional}"))
        for number, choice in enumerate(page.choices, start=1):
            self._out.print(Text.assemble((f"[{number}] ", "bold cyan"), plain(choice.label)))
        if page.more:
            self._out.print(Text("… and more: type the start of its name.", style="dim"))
        answer = (await self._question.prompt_async(f"{name}: ")).strip()
        if page.choices and answer.isdecimal() and 0 < int(answer) <= len(page.choices):
            return page.choices[int(answer) - 1].value
        return answer

    async def _show(self, reply: Reply) -> None:
        hints = numbered(reply, first=len(self._buttons) + 1)
        self._buttons += reply.buttons
        paths = await saved(reply, self._speaker.blobs, folder=self._speaker.folder)
        shown(reply, paths, out=self._out, hints=hints)

    async def _attend(self) -> None:
        """Keep the line below the prompt up to date, and say what is new, for ever."""
        while True:
            try:
                jobs, workers = self._speaker.services.jobs, await self._speaker.services.jobs.workers()
                active = [job for job in await jobs.list(self._speaker.actor) if not job.state.ended]
                self._running = "   ".join(_in_short(job, workers) for job in active)
                await self._tell()
            except DomainError as error:
                self._running = plain(str(error))
            await asyncio.sleep(ATTEND)

    async def _tell(self) -> None:
        deliveries, call, place = self._speaker.services.deliveries, self._speaker.call(), self._speaker.place
        for notice in await deliveries.pending(place.platform, chat=place.chat):
            if notice.place != place or not await deliveries.take(notice):
                continue
            news = await guarded(told(call, notice))
            await self._show(await self._speaker.dispatcher.kept(call, news))
            await deliveries.delivered(notice)
            if news.job:
                await closed(self._speaker, news)


def _suffices(button: Button, definition: Definition) -> bool:
    """Whether the button gives its command everything it needs."""
    return set(definition.parameters) - definition.optional <= set(button.arguments)


def _in_short(job: Job, workers: Sequence[Worker]) -> str:
    if job.state is JobState.RUNNING and job.progress:
        return f"{plain(job.title)}: {plain(pace(job.progress))}"
    taken = any(job.kind in worker.kinds for worker in workers)
    help_ = "" if taken or job.state is JobState.RUNNING else f", and no live worker takes {job.kind} jobs"
    return f"{plain(job.title)}: {MARKS[job.state]}{help_}"
