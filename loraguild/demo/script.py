"""What is said in the demo, in order: three people, their lines and the buttons they press."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Line:
    """Somebody types a line; `pictures` go with it. `DATASET` stands for the name that is free."""

    who: str
    text: str
    pictures: bool = False


@dataclass(frozen=True, kw_only=True)
class Press:
    """Somebody presses a button of the last answer they got."""

    who: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Hear:
    """Somebody waits for the card of what began by itself after their last answer."""

    who: str


Step = Line | Press | Hear

SCRIPT: tuple[Step, ...] = (
    Line(who="root", text='admin grant alice 50 "for a first training"'),
    Line(who="alice", text="start"),
    Line(who="alice", text="dataset new DATASET trigger=zorp"),
    Line(who="alice", text="dataset add DATASET", pictures=True),
    Hear(who="alice"),
    Press(who="alice", label="Caption them"),
    Line(who="alice", text="dataset view DATASET"),
    Line(who="alice", text="train order DATASET demo-tiny balanced"),
    Press(who="alice", label="Confirm"),
    Press(who="alice", label="Publish"),
    Line(who="bob", text="model list"),
    Line(who="bob", text="imagine zorp on a white background count=2"),
    Press(who="bob", label="Info"),
    Line(who="alice", text="wallet"),
    Line(who="alice", text="receipts"),
)
PEOPLE = tuple(dict.fromkeys(step.who for step in SCRIPT))
