"""Parameters of commands: how text becomes a value, which values there are to choose from, what is wrong otherwise."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Generic, TypeVar

from core.domain.account import Actor, Place
from core.domain.errors import Ambiguous, BadValue, Missing, NotFound
from core.domain.trigger import folded
from core.domain.value import Value
from core.ports.sources import Source
from core.services import Services

T = TypeVar("T")
Raw = str | tuple[Source, ...]
Given = Mapping[str, Any]

PAGE = 25
LABEL = 100
MANY = 4 * PAGE
MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)
NAMES = re.compile(r"(?<=[a-z])(?=[A-Z])")  # between the words of a class
SIZE = re.compile(r"(\d{1,5})\s*[x×*]\s*(\d{1,5})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One use of a command: who, where, on what, and the key that makes it idempotent.

    `place` is where it was said, `private` the person's own chat on that platform, `at` where its cards go.
    """

    actor: Actor
    place: Place
    services: Services
    key: str
    private: Place | None = None
    at: Place | None = None

    @property
    def told(self) -> Place:
        """Where the card of what this orders goes."""
        return self.at or self.place


class Choice(Value):
    """One value to choose: what is sent, and what is shown (at most 100 characters each)."""

    value: str
    label: str


class Page(Value):
    """Some choices, and whether more follow after the last."""

    choices: tuple[Choice, ...] = ()
    more: bool = False


class Parameter(ABC, Generic[T]):
    """One typed parameter; `rest` takes all the words that are left of a typed line.

    One that can be left out is asked for where there is something to choose between, unless `asked` is False.
    """

    rest = False
    asked = True

    def __init__(self, help: str) -> None:  # noqa: A002 - the word every chat shows
        self.help = help

    async def choices(self, call: Call, text: str, given: Given, *, after: str = "", limit: int = PAGE) -> Page:
        """What could be given, narrowed by what was typed; nothing where anything goes."""
        return Page()

    @abstractmethod
    async def parse(self, call: Call, raw: Raw, given: Given) -> T:
        """The value of what was given.

        Raises:
            Invalid, Missing: It is none; the words say what would be one.
        """


class Text(Parameter[str]):
    """Words as they are; with `rest`, all that are left of a line."""

    def __init__(self, help: str, *, rest: bool = False) -> None:  # noqa: A002 - as above
        super().__init__(help)
        self.rest = rest

    async def parse(self, call: Call, raw: Raw, given: Given) -> str:
        """The text, stripped."""
        return _text(raw).strip()


class Integer(Parameter[int]):
    """A whole number."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> int:
        """The number.

        Raises:
            BadValue: It is none.
        """
        try:
            return int(_text(raw))
        except ValueError as error:
            raise BadValue(what="number", value=_text(raw), why="give a whole number such as 3") from error


class Number(Parameter[float]):
    """A number, whole or not."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> float:
        """The number.

        Raises:
            BadValue: It is none.
        """
        try:
            return float(_text(raw))
        except ValueError as error:
            raise BadValue(what="number", value=_text(raw), why="give a number such as 7.5") from error


class Size(Parameter[tuple[int, int]]):
    """Width and height in pixels, as people write them: `512x768`."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> tuple[int, int]:
        """The width and the height.

        Raises:
            BadValue: It is no size.
        """
        found = SIZE.fullmatch(_text(raw).strip())
        if not found:
            raise BadValue(what="size", value=_text(raw), why="give width and height in pixels, such as 512x768")
        return int(found[1]), int(found[2])


class MonthOf(Parameter[date]):
    """A month, as its first day."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> date:
        """The month.

        Raises:
            BadValue: It is none.
        """
        text = _text(raw).strip()
        if found := MONTH.fullmatch(text):
            return date(int(found[1]), int(found[2]), 1)
        raise BadValue(what="month", value=text, why="give year and month such as 2026-11")


class Files(Parameter[tuple[Source, ...]]):
    """Files on their way in: nothing is read yet."""

    rest = True

    async def parse(self, call: Call, raw: Raw, given: Given) -> tuple[Source, ...]:
        """The sources.

        Raises:
            BadValue: Text came instead of files.
        """
        if isinstance(raw, str):
            raise BadValue(what="file", value=raw, why="attach pictures or a zip")
        return raw


class Overrides(Parameter[Mapping[str, str]]):
    """Settings as `name=value`, checked later by what they are for; words without a name belong to those before."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> Mapping[str, str]:
        """The values by name.

        Raises:
            BadValue: The first word is no `name=value`, or one has a name or a value only.
        """
        pairs, name = dict[str, str](), ""
        for word in _text(raw).split():
            if name and "=" not in word:
                pairs[name] += f" {word}"
                continue
            name, sign, value = word.partition("=")
            if not (name and sign and value):
                raise BadValue(what="setting", value=word, why="write name=value, such as rank=8")
            pairs[name] = value
        return pairs


class Row(Value, Generic[T]):
    """One thing that can be referred to: by value, by label, or by the start of either."""

    value: str
    label: str
    thing: T


class Listed(Parameter[T]):
    """A reference into something that can be listed: the value, else the label, else a unique prefix of either."""

    noun = "thing"
    hint = ""
    paged = False  # whether `rows` begins after `after` by itself

    @abstractmethod
    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[T]]:
        """What there is, narrowed by a text where that is cheap."""

    async def identified(self, call: Call, value: str) -> T | None:
        """The thing of exactly this value, where it can be read without listing."""
        return None

    async def earlier(self, call: Call, given: Given, name: str) -> T | None:
        """The thing that was given before under a name, as it was typed or read already; None where nothing was."""
        known: Any = given.get(name)
        found: T | None = await self.parse(call, known, {}) if isinstance(known, str) else known
        return found

    async def choices(self, call: Call, text: str, given: Given, *, after: str = "", limit: int = PAGE) -> Page:
        """A page of what there is."""
        rows = await self.rows(call, text, given, after=after, limit=limit + 1 if self.paged else MANY)
        labels = [row.label for row in rows]
        if after in labels:
            rows = rows[labels.index(after) + 1 :]
        fitting = [row for row in rows if folded(text) in folded(row.label) or row.value.startswith(text)]
        shown = tuple(Choice(value=row.value, label=row.label[:LABEL]) for row in fitting[:limit])
        return Page(choices=shown, more=len(fitting) > limit)

    async def parse(self, call: Call, raw: Raw, given: Given) -> T:
        """The thing.

        Raises:
            NotFound: Nothing is called so.
            Ambiguous: Several are.
        """
        text = _text(raw).strip()
        with suppress(Missing):
            if thing := await self.identified(call, text):
                return thing
        rows = await self.rows(call, text, given, after="", limit=MANY)
        for row in rows:
            if row.value == text:
                return row.thing
        wanted = folded(text)
        same = [row for row in rows if folded(row.label) == wanted]
        close = same or [row for row in rows if folded(row.label).startswith(wanted) or row.value.startswith(text)]
        if not close or not text:
            raise NotFound(noun=self.noun, name=text, hint=self.hint)
        if len(close) > 1:
            names = ", ".join(f"{row.label} ({row.value})" for row in close[:5])
            raise Ambiguous(noun=self.noun, name=text, candidates=names)
        return close[0].thing


class OneOf(Listed[T]):
    """One value of an enumeration."""

    def __init__(self, help: str, kind: type[StrEnum]) -> None:  # noqa: A002 - as above
        super().__init__(help)
        self.noun = NAMES.sub(" ", kind.__name__).lower()
        self.hint = f"There are: {', '.join(kind)}."
        self._kind = kind

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Any]]:
        """All its values."""
        return [Row(value=value.value, label=value.value, thing=value) for value in self._kind]


def _text(raw: Raw) -> str:
    if isinstance(raw, str):
        if any("\ud800" <= letter <= "\udfff" for letter in raw):
            raise BadValue(what="text", value=ascii(raw)[:40], why="it holds bytes that are no Unicode text")
        return raw
    raise BadValue(what="value", value="a file", why="this takes text")
