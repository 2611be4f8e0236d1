"""Reports: anybody says that something must not be, and moderators decide; and who is of age, by their word."""

from collections.abc import Sequence
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import PAGE, Call, Given, Listed, OneOf, Page, Parameter, Raw, Row, Text
from bots.chat.references import ModelRef, SharedDatasetRef, UserRef
from bots.chat.reply import Button, Reply
from bots.chat.wording import number
from bots.commands.operations import State
from core.domain.account import Account, Role
from core.domain.action import Style, Then
from core.domain.report import Report, ReportedKind

LOOK = {ReportedKind.DATASET: "dataset view", ReportedKind.MODEL: "model view"}


class ThingRef(Parameter[str]):
    """The id of what is reported: a dataset or a model that the actor can see, or pictures of anybody by their id."""

    async def choices(self, call: Call, text: str, given: Given, *, after: str = "", limit: int = PAGE) -> Page:
        """The datasets or models that the actor can see."""
        match _kind(given):
            case ReportedKind.DATASET:
                return await SharedDatasetRef(self.help).choices(call, text, given, after=after, limit=limit)
            case ReportedKind.MODEL:
                return await ModelRef(self.help).choices(call, text, given, after=after, limit=limit)
            case _:
                return Page()

    async def parse(self, call: Call, raw: Raw, given: Given) -> str:
        """The id.

        Raises:
            NotFound, Ambiguous: The name means nothing that the actor can see, or several things.
        """
        match _kind(given):
            case ReportedKind.DATASET:
                return (await SharedDatasetRef(self.help).parse(call, raw, {})).id
            case ReportedKind.MODEL:
                return (await ModelRef(self.help).parse(call, raw, {})).id
            case _:
                return await Text(self.help).parse(call, raw, given)


class ReportRef(Listed[Report]):
    """A report that waits for a moderator."""

    noun = "report"
    hint = "See `moderation reports`."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Report]]:
        """Those that wait, the oldest first."""
        waiting = [one.report for one in await call.services.reports.waiting(call.actor)]
        return [Row(value=one.id, label=f"{one.name}: {one.why}", thing=one) for one in waiting]


Ref = Annotated[str, Text("The report")]


@command("report", role=Role.VIEWER)
async def report(
    call: Call,
    kind: Annotated[ReportedKind, OneOf("What it is: a dataset, a model, or pictures (generation)", ReportedKind)],
    name: Annotated[str, ThingRef("Its name or id; of pictures the id that their card shows as the job")],
    why: Annotated[str, Text("What is wrong with it: that you are depicted, for example", rest=True)],
) -> Reply:
    """Say that something must not be here: nobody can use it until a moderator has looked."""
    made = await call.services.reports.report(call.actor, kind, name, why=why)
    return Reply(
        title="Thank you: a moderator looks at it",
        lines=(f"Until then nobody can use {'it' if len(made) == 1 else 'them'}. The owner is not told who you are.",),
    )


@command("moderation reports", role=Role.MODERATOR)
async def reports(call: Call) -> Reply:
    """What was reported and waits for a moderator: the first, and how many more there are."""
    waiting = await call.services.reports.waiting(call.actor)
    if not waiting:
        return Reply(title="No report waits for a moderator")
    first, said = waiting[0], waiting[0].report
    more = (f"{number(len(waiting) - 1, 'report')} more wait.",) if len(waiting) > 1 else ()
    look = Button(label="Look", command=LOOK[said.kind], arguments={said.kind.value: said.thing})
    return Reply(
        title=f"{said.kind.title()} «{said.name}» of {first.owner}",
        lines=(f"{first.reporter}: {said.why}", *more),
        fields=(("id", said.thing), ("reported", f"{said.at:%d %b %Y %H:%M}")),
        buttons=(
            _button("Uphold", "moderation uphold", said).but(style=Style.DANGER),
            _button("Dismiss", "moderation dismiss", said),
            *((look,) if first.thing else ()),
        ),
    )


@command("moderation uphold", role=Role.MODERATOR, menu=False)
async def uphold(call: Call, report: Ref) -> Reply:
    """Agree with a report: what it is about is gone for good."""
    done = await call.services.reports.uphold(call.actor, report)
    return _done(f"«{done.name}» is taken down")


@command("moderation dismiss", role=Role.MODERATOR, menu=False)
async def dismiss(call: Call, report: Ref) -> Reply:
    """Disagree with a report: what nobody else has reported can be used again."""
    done = await call.services.reports.dismiss(call.actor, report)
    return _done(f"The report about «{done.name}» is dismissed")


@command("moderation adult", role=Role.MODERATOR)
async def adult(
    call: Call,
    user: Annotated[Account, UserRef("Who: a name, a login such as discord:1234, or an id")],
    state: Annotated[State, OneOf("Whether you have verified that they are of age", State)] = State.ON,
) -> Reply:
    """Let somebody order what is for adults, since you have verified their age; or no longer."""
    changed = await call.services.accounts.verify(call.actor, user, on=state is State.ON)
    verdict = "is verified as of age" if changed.adult else "is not verified as of age"
    return Reply(title=f"{changed.name} {verdict}", fields=(("account", changed.id),))


def _kind(given: Given) -> ReportedKind | None:
    """The kind that was given before, as it was typed or read already."""
    known = given.get("kind")
    return ReportedKind(known) if known in set(ReportedKind) else None


def _button(label: str, path: str, about: Report) -> Button:
    return Button(label=label, command=path, arguments={"report": about.id}, then=Then.REPLACE)


def _done(title: str) -> Reply:
    return Reply(title=title, buttons=(Button(label="Next", command="moderation reports", then=Then.REPLACE),))
