"""Rendering: replies and questions as Telegram's text and keyboards. Pure."""

from collections.abc import Collection, Mapping, Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bots.chat.asking import Question
from bots.chat.definition import Definition
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import are, pace, respelled
from bots.telegram.formatting import LABEL, Span, joined, label, plain, shortened, worded
from core.domain.account import Place
from core.domain.artifact import Artifact
from core.domain.job import Progress

IN_ROW = 2  # buttons of a reply
BAR = 12  # characters
NAME = 32  # characters that Telegram takes for a command
PRESS, ANSWER = "a:", "c:"  # what the data of a button begins with

Lines = list[list[Span]]


def spelled(path: str) -> str:
    """A command as Telegram writes it: `/dataset_new`."""
    return "/" + path.replace(" ", "_").replace("-", "_")


def named(commands: Mapping[str, Definition]) -> Mapping[str, str]:
    """The paths of commands by what Telegram calls them.

    Raises:
        TypeError: A name is too long, or two commands have one.
    """
    names: dict[str, str] = {}
    for path in commands:
        name = spelled(path)[1:]
        if name in names or len(name) > NAME:
            raise TypeError(f"command {path} cannot be called {name} on Telegram")
        names[name] = path
    return names


def text_of(
    reply: Reply,
    place: Place,
    paths: Collection[str],
    *,
    most: int,
    further: Sequence[str] = (),
    links: Mapping[str, str] | None = None,
    mention: str | None = None,
) -> str:
    """A reply as HTML of at most so many units; `links` are of its files by name, `further` lines about them."""
    call: Lines = [[Span("For you", href=f"tg://user?id={mention}")]] if mention else []
    lines = [*call, [Span(plain(reply.title), "b")]]
    lines += [_said(line, paths) for line in (*reply.lines, *further)]
    lines += [[Span(f"{plain(name)}: "), *_said(value, paths)] for name, value in reply.fields]
    lines += _table(reply.table, paths) if reply.table else []
    behind: Lines = [[Span(bar(reply.progress))]] if reply.progress else []
    if place.private:
        behind += [[Span(reply.link)]] if reply.link else []
        behind += [[Span(f"{shortened(plain(name), LABEL)}: {link}")] for name, link in (links or {}).items()]
    return joined(_stacked(lines), most=most, behind=[Span("\n") for _ in behind[:1]] + _stacked(behind))


def question_text(question: Question, paths: Collection[str], *, most: int) -> str:
    """What is asked, behind what was wrong with the last answer; among others the bot hears replies to it only."""
    draft, here = question.draft, question.draft.place.private
    before = question.words or question.nothing
    lines = [_said(before, paths)] if before else []
    lines.append([Span(span.text, span.tag or "b") for span in _said(question.parameter.help, paths)])
    match question:
        case Question(files=True):
            way = "Send them now; then press Done." if here else "Send them as replies to this; then press Done."
        case Question(page=page) if page.choices:
            way = f"Tap one, or {'type' if here else 'reply with'} a part of its name."
        case _:
            way = "Type it." if here else "Reply to this with it."
    lines.append([Span(way)])
    if count := len(draft.received):
        lines.append([Span(f"{are(count, 'file')} here.")])
    lines += [[Span(f"{plain(one.name)} is too large for a chat: a link for it follows.")] for one in draft.large]
    return joined(_stacked(lines), most=most)


def keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """The buttons of a reply."""
    made = [InlineKeyboardButton(label(one.label), callback_data=f"{PRESS}{one.token}") for one in buttons]
    rows = [made[start : start + IN_ROW] for start in range(0, len(made), IN_ROW)]
    return InlineKeyboardMarkup(rows) if rows else None


def choices(question: Question) -> InlineKeyboardMarkup:
    """The ways to answer a question: a choice a row, then the pages, then the ways out."""
    stamp = f"{ANSWER}{question.draft.id}:{question.draft.stamp}"

    def button(words: str, what: str) -> InlineKeyboardButton:
        return InlineKeyboardButton(label(words), callback_data=f"{stamp}:{what}")

    rows = [[button(choice.label, str(number))] for number, choice in enumerate(question.page.choices)]
    turns = (("◀", "fewer", question.before), ("▶", "more", question.page.more))
    ways = (
        ("Done", "done", question.files),
        ("Back", "back", question.back),
        ("Skip", "skip", question.optional),
        ("Cancel", "cancel", True),
    )
    rows += [[button(words, what) for words, what, there in row if there] for row in (turns, ways)]
    return InlineKeyboardMarkup([row for row in rows if row])


def shown(reply: Reply, place: Place) -> tuple[tuple[Artifact, ...], tuple[str, ...]]:
    """The pictures that a place takes, and words for those that it does not."""
    if place.shows(reply.rating) or not reply.pictures:
        return reply.pictures, ()
    return (), ("The pictures are for adults and left out here. See them in our private chat.",)


def bar(progress: Progress) -> str:
    """How far a job is: `▰▰▰▱▱▱ 120/200 · 14 s left · training`."""
    total = max(progress.total, 1)
    full = round(BAR * min(progress.step, total) / total)
    return "▰" * full + "▱" * (BAR - full) + f" {plain(pace(progress))}"


def _said(text: str, paths: Collection[str]) -> list[Span]:
    return worded(respelled(text, paths, spelled))


def _table(table: Table, paths: Collection[str]) -> Lines:
    def read(first: str, *rest: str) -> list[Span]:
        return [*_said(first, paths), *([Span(" — "), *_said(" · ".join(rest), paths)] if rest else [])]

    header = [Span("\n" + " · ".join(plain(name) for name in table.header), "i")]
    return [header, *(read(*row) for row in table.rows)]


def _stacked(lines: Lines) -> list[Span]:
    return [span for number, line in enumerate(lines) for span in ([Span("\n")] if number else []) + line]
