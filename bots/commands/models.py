"""Models, one's own and those of others: list, view, card, stats, download, pin."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from bots.cards.findings import weight
from bots.chat.definition import command
from bots.chat.parameter import PAGE, Call, Given, Integer, Listed, OneOf, Raw, Row, Text
from bots.chat.references import ModelRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from bots.commands.operations import State
from core.domain.account import Role
from core.domain.action import Style, Then
from core.domain.errors import BadValue
from core.domain.model import Model, Scope, Search, tagged
from core.domain.model import Visibility as Access
from core.domain.rating import Rating
from core.domain.royalty import shown
from core.services.models import ModelView

Ref = Annotated[Model, ModelRef("Which model")]
DEEPEST = 40  # pages


class Scoped(OneOf[Scope]):
    """Whose models; nobody is asked."""

    asked = False


class Turned(OneOf[State]):
    """On or off; nobody is asked."""

    asked = False


class BaseRef(Listed[str]):
    """A base model that something on offer trains; nobody is asked."""

    noun = "base model"
    hint = "See `offerings`."
    asked = False

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[str]]:
        """The base models of all offerings, by title."""
        bases = {one.base.id: one.base.title for one in call.services.trainings.offerings.values()}
        return [Row(value=base, label=title, thing=base) for base, title in sorted(bases.items())]


class Tag(Text):
    """One tag."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> str:
        """The folded tag.

        Raises:
            BadValue: It cannot be one.
        """
        return tagged([await super().parse(call, raw, given)])[0]


class PageNumber(Integer):
    """Which page of something that is long."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> int:
        """The number, from 1 on.

        Raises:
            BadValue: It is none, or there are not so many pages.
        """
        page = await super().parse(call, raw, given)
        if not 1 <= page <= DEEPEST:
            raise BadValue(what="page", value=str(page), why=f"it takes 1 to {DEEPEST}; search for something narrower")
        return page


@command("model list", role=Role.VIEWER)
async def list_(
    call: Call,
    *,
    scope: Annotated[Scope | None, Scoped("Whose: mine, shared (with you) or public", Scope)] = None,
    base: Annotated[str | None, BaseRef("For which base model")] = None,
    tag: Annotated[str | None, Tag("With which tag")] = None,
    text: Annotated[str, Text("Part of a name or a trigger word")] = "",
    page: Annotated[int, PageNumber("Which page")] = 1,
) -> Reply:
    """Your models, those that are shared with you, and those for everyone: the latest first."""
    search = Search(scope=scope, base=base, tag=tag, text=text, adult=call.place.shows(Rating.NSFW))
    found = await call.services.models.list(call.actor, search, skip=(page - 1) * PAGE, limit=PAGE + 1)
    if not found and (search.narrow or scope or page > 1):
        title = "No more models" if page > 1 else "No such model"
        return Reply(title=title, lines=("See all: `model list`.",))
    if not found:
        return Reply(title="No models yet", lines=("Train one: `train order DATASET OFFERING`.",))
    said = {"scope": scope or "", "base": base or "", "tag": tag or "", "text": text, "page": str(page + 1)}
    more = _button("More", "model list", {name: word for name, word in said.items() if word})
    return Reply(
        title="Models",
        table=Table(
            header=("model", "trigger", "who may use it"),
            rows=tuple((one.name, one.trigger, _users(call, one)) for one in found[:PAGE]),
        ),
        buttons=(more.but(then=Then.REPLACE),) if len(found) > PAGE and page < DEEPEST else (),
    )


@command("model view", role=Role.VIEWER)
async def view(call: Call, model: Ref) -> Reply:
    """A model: what it is for, how it was trained, what can be done with it."""
    seen = await call.services.models.view(call.actor, model.id)
    run, mine = seen.run, model.owner == call.actor.account
    epoch = run.epoch_at(model.step)
    optional = {
        "weights": f"sha256 {model.weights[:16]}…" if model.weights else "",
        "tags": " ".join(model.tags),
        "snapshot": run.snapshot[:16] if mine else "",
    }
    return Reply(
        title=f"{model.name} · {model.standing}",
        lines=tuple(filter(None, (model.description, called(seen, mine=mine)))),
        fields=(
            ("trigger", model.trigger),
            ("base", model.base),
            ("licence", model.licence.value),
            ("who may use it", _users(call, model)),
            ("epoch", f"{epoch.name} of {len(run.epochs)}" if epoch else "0"),
            ("evaluation loss", f"{_loss(run.evaluation_before)} → {_loss(run.evaluation_at(model.step))}"),
            ("used by others", number(seen.uses, "time")),
            ("downloads", str(model.downloads)),
            ("file", f"{model.file.name}, {weight(model.artifact.size)}, sha256 {model.artifact.sha256[:16]}…"),
            *((name, value) for name, value in optional.items() if value),
        ),
        pictures=model.samples or (epoch.samples if epoch else ()),
        rating=model.rating,
        buttons=_next(model, mine=mine),
    )


@command("model card", role=Role.VIEWER)
async def card(call: Call, model: Ref) -> Reply:
    """A model's README as model hubs read it."""
    written = await call.services.publications.card(call.actor, model.id)
    return Reply(title=f"The card of {model.name}", files=(written,))


@command("model stats", role=Role.VIEWER)
async def stats(call: Call, model: Ref) -> Reply:
    """How often others use a model; its owner sees what that has earned."""
    counted = await call.services.models.stats(call.actor, model.id)
    people = {0: "", 1: " by 1 person"}.get(counted.people, f" by {counted.people} people")
    others = (("all of its training", number(counted.run_uses, "time")),) if counted.run_uses != counted.uses else ()
    earned = () if counted.earned is None else (("earned", f"{shown(counted.earned)} qoints"),)
    return Reply(
        title=f"{model.name} in numbers",
        fields=(
            ("used by others", number(counted.uses, "time") + people),
            *others,
            ("downloads", str(counted.model.downloads)),
            *earned,
        ),
    )


@command("model download", role=Role.VIEWER)
async def download(call: Call, model: Ref) -> Reply:
    """A model as a file for other programs, with its card."""
    files = await call.services.publications.download(call.actor, model.id)
    return Reply(
        title=model.file.name,
        lines=(f"Base model: {model.base}. Trigger word: {model.trigger}. Licence: {model.licence}.",),
        files=tuple(files),
        rating=model.rating,
    )


@command("model pin", role=Role.MODERATOR)
async def pin(call: Call, model: Ref, state: Annotated[State, Turned("On or off", State)] = State.ON) -> Reply:
    """Let a public model answer to its trigger word in this server or group, whoever was first."""
    await call.services.communities.pin(call.actor, call.place, model.id, on=state is State.ON)
    if state is State.ON:
        return Reply(title=f"«{model.trigger}» calls {model.name} here now")
    return Reply(title=f"«{model.trigger}» is not pinned to {model.name} here")


def called(seen: ModelView, *, mine: bool) -> str:
    """What calls a model: its trigger word, unless that calls one which was registered before, or it is unlisted."""
    model, keeper = seen.model, seen.keeper
    if keeper:
        whose = f"For everyone else «{model.trigger}»" if mine else f"«{model.trigger}»"
        return f"{whose} calls {keeper.name}; this one is called by its name: `imagine {model.name} …`"
    hidden = model.visibility is Access.UNLISTED and not mine
    return f"Use it: `imagine {model.name if hidden else model.trigger} …`"


def _users(call: Call, model: Model) -> str:
    """Who may use a model, in the words of who asks."""
    if not model.usable:
        return model.standing
    if model.owner == call.actor.account and model.shared:
        return f"{model.visibility}, shared with {len(model.shared)}"
    shared = call.actor.account in model.shared and model.visibility is not Access.PUBLIC
    return "shared with you" if shared else model.visibility.value


def _loss(loss: float | None) -> str:
    return "–" if loss is None else f"{loss:.4f}"


def _next(model: Model, *, mine: bool) -> tuple[Button, ...]:
    named = {"model": model.id}
    looks = (_button("Download", "model download", named), _button("Stats", "model stats", named))
    if not mine:
        return looks
    private = model.visibility is Access.PRIVATE
    publish = _button("Publish", "model publish", named).but(style=Style.GO)
    return (
        publish if private else _button("Unpublish", "model unpublish", named),
        *looks,
        _button("Edit", "model edit", named),
        _button("Samples", "model samples", named),
        _button("Epochs", "model epoch", named),
        _button("Delete", "model delete", named).but(style=Style.DANGER),
    )


def _button(label: str, path: str, arguments: Mapping[str, str]) -> Button:
    return Button(label=label, command=path, arguments=arguments)
