"""Completion at the prompt: commands by path, then what each parameter offers, then files."""

import shlex
from collections.abc import AsyncGenerator, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from bots.chat.parameter import Choice, Files, Overrides
from bots.chat.parsing import Typed, found, split
from bots.console.rendering import plain
from bots.console.speaking import Speaker
from core.domain.errors import DomainError


class Commands(Completer):
    """Offers what may come next in a line of this speaker; nothing where anything goes or something is wrong."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._files = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """Nothing: a prompt that is awaited asks for the other."""
        yield from ()

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """What may come next."""
        line = document.text_before_cursor
        for completion in self._paths(line):
            yield completion
        try:
            words = split(line)
            current = "" if not words or line[-1:].isspace() else words.pop()
            typed = found(words, self._speaker.dispatcher.commands)
        except DomainError:
            return
        name = waiting_for(typed)
        if name and isinstance(typed.definition.parameters[name], Files):
            for completion in self._files.get_completions(Document(current), complete_event):
                yield completion
        elif name:
            dispatcher, call = self._speaker.dispatcher, self._speaker.call()
            for choice in (await dispatcher.choices(typed.definition, name, call, current, typed.words)).choices:
                shown = plain(choice.label)
                yield Completion(choice_word(choice), start_position=-len(current), display=shown)

    def _paths(self, line: str) -> Iterator[Completion]:
        start = line.lstrip().casefold()
        for definition in self._speaker.dispatcher.visible(self._speaker.actor.role):
            if definition.path.startswith(start) and definition.path != start:
                yield Completion(definition.path, start_position=-len(start), display_meta=definition.help)


def waiting_for(typed: Typed) -> str | None:
    """The parameter that the next word of a line would fill."""
    for name, kind in typed.definition.parameters.items():
        if isinstance(kind, Files) or (name not in typed.words and not isinstance(kind, Overrides)):
            return name
    return None


def choice_word(choice: Choice) -> str:
    """What to type for a choice: its label where that is one word, else its value."""
    label = choice.label
    return label if label == shlex.quote(label) else shlex.quote(choice.value)
