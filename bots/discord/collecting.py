"""Files on their way into a draft, and the one run that all of them end in, however they came."""

from collections.abc import Iterable, Mapping

import discord

from bots.chat.asking import Question, Ready, Step
from bots.chat.definition import Definition
from bots.chat.parameter import Call, Raw
from bots.chat.reply import Button, Reply
from bots.delivery.announcing import announced
from bots.discord.filing import Attached
from bots.discord.host import Answer, Host, keyed
from core.domain.draft import Draft
from core.domain.errors import ActionGone, Invalid

INTAKE = "dataset add"  # what files without a command are for
TRIES = 5


async def ran(host: Host, call: Call, definition: Definition, raw: Mapping[str, Raw]) -> Reply:
    """Run a command. Where a card follows, the answer is brief; where files were taken, more can come."""
    reply = await announced(definition, call, await host.dispatcher.run(definition, call, raw))
    if reply.code or definition.files is None:
        return reply
    given = {name: value for name, value in raw.items() if isinstance(value, str)}
    more = Button(label="Add more", command=definition.path, arguments=given)
    return await host.dispatcher.kept(call, reply.but(buttons=(*reply.buttons, more)))


async def collected(host: Host, call: Call, draft: Draft, files: Iterable[Attached]) -> Step:
    """Take files into a draft, durably; what to do now says which of them could not be taken.

    Raises:
        ActionGone: The draft is over.
    """
    words: list[str] = []
    for file in files:
        try:
            draft = await host.asking.received(call, draft, file, origin=file.origin)
        except Invalid as error:
            words.append(str(error))
    return await host.asking.onward(call, draft, words=" ".join(words))


async def taken_in(host: Host, call: Call, files: Iterable[Attached]) -> Question | Ready:
    """Take files that came without a command into the dataset that is open here, or ask for one.

    Raises:
        ActionGone: Other messages came in between, again and again.
    """
    call.actor.require_welcome()
    files = tuple(files)
    for _ in range(TRIES):
        draft = await call.services.drafts.current(call.actor, call.place)
        if draft is None or draft.command != INTAKE:
            draft = (await host.asking.begin(host.dispatcher.definition(INTAKE), call, {})).draft
        try:
            return await collected(host, call, draft, files)
        except ActionGone:  # it was run, or replaced by the question to another message, just now
            continue
    raise ActionGone


def attached(host: Host, files: Iterable[discord.Attachment]) -> tuple[Attached, ...]:
    """Attachments as sources."""
    return tuple(Attached.of(file.to_dict(), host.session) for file in files)


async def gone_on(host: Host, call: Call, step: Step, *, whole: bool) -> Answer:
    """Ask, or run what is ready; with `whole` nothing more can come after the files that are here."""
    if isinstance(step, Question):
        if not (whole and step.files and step.draft.received):
            return step
        step = await host.asking.done(call, step.draft)
    if isinstance(step, Question):
        return step
    reply = await ran(host, keyed(call, step.draft.id), step.definition, step.given)
    if not reply.unavailable:
        await call.services.drafts.close(step.draft)
    return reply
