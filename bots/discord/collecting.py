"""Files on their way into a draft, and the one run that all of them end in, however they came."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

import discord
import structlog

from bots.chat.asking import Question, Ready, Step
from bots.chat.definition import Definition
from bots.chat.parameter import Call, Raw
from bots.chat.reply import Button, Reply
from bots.delivery.announcing import announced
from bots.delivery.messenger import TryLater, Undeliverable
from bots.discord.filing import Attached
from bots.discord.host import Answer, Host, keyed
from bots.discord.messenger import DiscordMessenger
from core.domain.account import Platform
from core.domain.draft import Draft
from core.domain.errors import ActionGone, Invalid

INTAKE = "dataset add"  # what files without a command are for
TRIES = 5
POLL = 60.0  # seconds between looks for questions that nobody answered

log = structlog.get_logger()


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
        Banned, NotAllowed, NotHere: The actor may not use the command, or not here.
    """
    await host.dispatcher.admit(host.dispatcher.definition(draft.command), call)
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
        Banned, NotAllowed, NotHere: The actor may not use the command, or not here.
    """
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


async def finishing(host: Host, *, stop: asyncio.Event) -> None:
    """Finish overdue drafts now and then, until `stop` is set."""
    while not stop.is_set():
        await host.attend(finished(host))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), POLL)


async def finished(host: Host) -> None:
    """Finish what is overdue. Another replica may do the same: the run has one key, and so has the message."""
    for draft in await host.services.drafts.expired(Platform.DISCORD):
        if draft.received:
            await _ended(host, draft)
        else:
            await host.services.drafts.close(draft)


async def _ended(host: Host, draft: Draft) -> None:
    actor = await host.services.accounts.actor(draft.account)
    private = await host.services.deliveries.private(draft.account, Platform.DISCORD) or draft.place
    call = Call(actor=actor, place=draft.place, services=host.services, key=draft.id, private=private)

    async def run() -> Answer:
        step = await host.asking.overdue(call, draft)
        return step if isinstance(step, Reply) else await gone_on(host, call, step, whole=True)

    answer = await host.worded(run())
    try:
        await DiscordMessenger(host=host).post(private, answer, key=f"draft:{draft.id}:{draft.reminded}")
    except (TryLater, Undeliverable) as error:
        log.info("discord.unanswered", why=str(error))  # the run stands, and its card follows by delivery
