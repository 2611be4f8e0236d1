"""Questions as messages: a select of what there is, Done where files come in, Cancel. Each id carries its draft."""

import discord

from bots.chat.asking import Question
from bots.chat.parameter import Listed
from bots.chat.reply import Reply
from bots.discord.escaping import plain

OPTION, PLACEHOLDER = 100, 150  # Discord's limits
SELECT, FEWER, DONE, CANCEL = "s", "fewer", "done", "cancel"  # what the ids say after the draft
MORE = "more"  # the option that turns the page; the others are numbers


def asked(question: Question) -> Reply:
    """What is asked, in words."""
    count = len(question.draft.received)
    come = f"{count} {'file has' if count == 1 else 'files have'} come"
    words = (question.words,) if question.words else ()
    if question.files:
        return Reply(title=come, lines=(*words, "Send more here, then press Done."))
    if not question.page.choices and isinstance(question.parameter, Listed):
        words = (*words, f"There is no {question.parameter.noun} yet. {question.parameter.hint}")
    return Reply(title=f"{question.parameter.help}?", lines=(*words, *((f"{come}.",) if count else ())))


def keyboard(question: Question) -> discord.ui.View:
    """What can be pressed. The view is stopped: the library need not remember what the ids say."""
    view, draft = discord.ui.View(timeout=None), question.draft.id
    if question.page.choices:
        view.add_item(_select(question))
    if question.before:
        view.add_item(discord.ui.Button(label="Back", custom_id=f"c:{draft}:{FEWER}"))
    if question.files:
        green = discord.ButtonStyle.success
        view.add_item(discord.ui.Button(label="Done", custom_id=f"c:{draft}:{DONE}", style=green))
    view.add_item(discord.ui.Button(label="Cancel", custom_id=f"c:{draft}:{CANCEL}"))
    view.stop()
    return view


def _select(question: Question) -> discord.ui.Select[discord.ui.View]:
    options = [
        discord.SelectOption(label=plain(choice.label, limit=OPTION), value=str(number))
        for number, choice in enumerate(question.page.choices)
    ]
    if question.page.more:
        options.append(discord.SelectOption(label="More…", value=MORE))
    placeholder = plain(question.parameter.help, limit=PLACEHOLDER)
    return discord.ui.Select(custom_id=f"c:{question.draft.id}:{SELECT}", placeholder=placeholder, options=options)
