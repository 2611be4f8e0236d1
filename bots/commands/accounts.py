"""First steps, who one is here, how one is told, and who is the same person: start, help, me, link, notify, related."""

from typing import Annotated

from bots.cards import card
from bots.cards.notices import asked
from bots.chat.definition import command
from bots.chat.parameter import Call, OneOf, Text
from bots.chat.references import UserRef
from bots.chat.reply import Button, Reply, Table
from bots.commands.datasets import stored
from bots.commands.operations import State
from core.domain.account import Account, Notify, Role, Telling, Where
from core.domain.action import Style, Then
from core.domain.errors import NotFound

CODE, JOB = "link_", "job_"  # what a link into a chat begins with
WHERE = {Where.DM: "in private", Where.CHANNEL: "in the channel where you ordered"}
TELLING = {
    Telling.LIVE: "a card that moves",
    Telling.FINAL: "only the end",
    Telling.QUIET: "nothing at all",
}
Request = Annotated[str, Text("The request")]


@command("start", role=Role.VIEWER)
async def start(call: Call, code: Annotated[str, Text("What the link that you followed brings along")] = "") -> Reply:
    """Welcome, and the first three things to do."""
    if code.startswith(CODE):
        return _joining(code.removeprefix(CODE))
    if code.startswith(JOB):
        return await card(call, code.removeprefix(JOB))
    return Reply(
        title=f"Welcome to LoraGuild, {call.actor.name}",
        lines=(
            "Bundle pictures into a dataset, train a LoRA on them, and let your friends use it by its trigger word.",
            "A dataset starts with a name and the word that will call the model: `dataset new zorp trigger=zorp`.",
            "Pictures come from a prompt with such a word in it: `imagine PROMPT`. `model list` shows what there is.",
        ),
        buttons=(
            Button(label="My datasets", command="dataset list", style=Style.GO),
            Button(label="What can be trained", command="offerings"),
            Button(label="My wallet", command="wallet"),
        ),
    )


@command("help", role=Role.VIEWER)
async def help_(call: Call, name: Annotated[str, Text("A command", rest=True)] = "") -> Reply:
    """All commands, or one in detail."""
    from bots.commands import discovered  # noqa: PLC0415 - the list of commands has this one in it

    name = name.removeprefix("/").replace("_", " ")
    known = [one for one in discovered().values() if one.menu and call.actor.role.covers(one.role)]
    wanted = [one for one in known if one.path.startswith(name)]
    if not wanted:
        raise NotFound(noun="command", name=name, hint="See `help`.")
    if len(wanted) == 1 or any(one.path == name for one in wanted):
        one = next((one for one in wanted if one.path == name), wanted[0])
        fields = tuple((parameter, kind.help) for parameter, kind in one.parameters.items())
        return Reply(title=one.usage, lines=(one.help, *_paragraphs(one.details)), fields=fields)
    rows = tuple((one.usage, one.help) for one in sorted(wanted, key=lambda one: one.path))
    return Reply(title="Commands", table=Table(header=("command", "what it does"), rows=rows))


@command("me", role=Role.VIEWER)
async def me(call: Call) -> Reply:
    """Who you are here, and what you have."""
    wallet = await call.services.wallets.view(call.actor)
    datasets = await call.services.datasets.list(call.actor)
    models = [model for model in await call.services.models.list(call.actor) if model.owner == call.actor.account]
    logins = await call.services.accounts.logins(call.actor)
    return Reply(
        title=call.actor.name,
        fields=(
            ("role", call.actor.role.value),
            ("account", call.actor.account),
            ("logins", ", ".join(f"{login.id} ({login.name})" for login in logins)),
            ("told", _told(call.actor.notify)),
            ("points", str(wallet.free)),
            ("qoints", str(wallet.qoints)),
            ("datasets", str(len(datasets))),
            ("stored", await stored(call)),
            ("models", str(len(models))),
        ),
        buttons=(Button(label="Link a login", command="link"), Button(label="How I am told", command="notify")),
    )


@command("notify", role=Role.VIEWER)
async def notify(
    call: Call,
    where: Annotated[Where | None, OneOf("Where you are told of what you ordered in a group", Where)] = None,
    telling: Annotated[Telling | None, OneOf("How much you are told", Telling)] = None,
) -> Reply:
    """Where, and how much, you are told of your jobs."""
    chosen = await call.services.accounts.notify(call.actor, where=where, telling=telling)
    places = [(WHERE[one], "where", one.value) for one in Where if one is not chosen.where]
    amounts = [(TELLING[one], "telling", one.value) for one in Telling if one is not chosen.telling]
    return Reply(
        title="How you are told",
        lines=(_told(chosen),),
        buttons=tuple(
            Button(label=label.capitalize(), command="notify", arguments={name: value}, then=Then.REPLACE)
            for label, name, value in (*places, *amounts)
        ),
    )


@command("link")
async def link(call: Call, code: Annotated[str, Text("What the other chat gave you", rest=True)] = "") -> Reply:
    """Be the same person in several chats: get a code here, use it there, confirm here.

    Whoever issued the code takes over the other side: its datasets, models, jobs and wallet.
    """
    if code:
        return _joining(code)
    if waiting := await call.services.links.waiting(call.actor):
        one = waiting[-1]
        return asked(one.id, name=one.joining_name, platform=one.joining_place.platform)
    issued = await call.services.links.issue(call.actor, call.told)
    return Reply(
        title=issued,
        lines=(
            f"Where you are somebody else so far, say `link {issued}` within 10 minutes, and confirm here.",
            "Everything from there is yours here then: datasets, models, jobs, wallet. Give the code to nobody.",
        ),
    )


@command("link redeem", menu=False)
async def link_redeem(call: Call, code: Annotated[str, Text("What the other chat gave you", rest=True)]) -> Reply:
    """Use a code without asking again."""
    await call.services.links.redeem(call.actor, code, call.told)
    return Reply(title="Almost there", lines=("Now confirm in the chat that gave you the code.",))


@command("link confirm", menu=False)
async def link_confirm(call: Call, request: Request) -> Reply:
    """Become one with the account that redeemed your code."""
    joined = await call.services.links.confirm(call.actor, request)
    return Reply(
        title=f"{joined.joining_name} on {joined.joining_place.platform.title()} is you now",
        lines=("Datasets, models, jobs and wallets are one.",),
        buttons=(Button(label="Who I am", command="me"),),
    )


@command("link refuse", menu=False)
async def link_refuse(call: Call, request: Request) -> Reply:
    """Let nobody become one with you."""
    await call.services.links.refuse(call.actor, request)
    return Reply(title="Refused", lines=("Nothing was changed. The code is used up.",))


@command("admin related", role=Role.ADMIN)
async def related(
    call: Call,
    user: Annotated[Account, UserRef("Who")],
    other: Annotated[Account, UserRef("Who is the same person, or of the same household")],
    state: Annotated[State, OneOf("Whether they are", State)] = State.ON,
) -> Reply:
    """Let two accounts earn nothing from each other's pictures from now on, or undo that."""
    one, two = await call.services.accounts.relate(call.actor, user, other, on=state is State.ON)
    earn = "earn nothing" if state is State.ON else "earn"
    return Reply(
        title=f"{one.name} and {two.name} {earn} from each other's pictures from now on",
        fields=(("accounts", f"{one.id}, {two.id}"),),
    )


def _joining(code: str) -> Reply:
    """A code can be sent by anyone, so using it asks first: whoever made it takes everything over."""
    return Reply(
        title="Become one with the account that made this code?",
        lines=("Everything you have here goes over to it. Go on only if you made the code yourself, in another chat.",),
        buttons=(
            Button(
                label="It is mine", command="link redeem", arguments={"code": code}, style=Style.GO, then=Then.REPLACE
            ),
        ),
    )


def _told(notify: Notify) -> str:
    return f"{WHERE[notify.where]}, {TELLING[notify.telling]}"


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a docstring, each in one line."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part]
