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


SCRIPT: tuple[Line | Press, ...] = (
    Line(who="root", text='admin grant alice 50 "for a first training"'),
    Line(who="alice", text="start"),
    Line(who="alice", text="dataset new DATASET trigger=zorp"),
    Line(who="alice", text="dataset add DATASET", pictures=True),
    Line(who="alice", text="caption auto DATASET"),
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
