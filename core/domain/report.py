"""Reports: somebody says that a dataset or a model must not be; it is suspended until a moderator has looked."""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from core.domain.allowance import Limit
from core.domain.errors import BadValue, NothingToDo
from core.domain.value import Entity

LENGTH = 500  # characters of a reason
OFTEN = Limit(times=3, per=timedelta(days=1))


class ReportState(StrEnum):
    """A report is decided once."""

    OPEN = "open"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


class ReportedKind(StrEnum):
    """What can be reported; pictures stand for the models that drew them."""

    DATASET = "dataset"
    MODEL = "model"
    GENERATION = "generation"


class Report(Entity):
    """Somebody's report about a thing of somebody; `thing` is the id of a dataset or a model, `name` what it is called.

    Its own id is made of reporter and thing: nobody reports the same twice.
    """

    reporter: str
    kind: ReportedKind
    thing: str
    name: str
    owner: str
    why: str
    state: ReportState = ReportState.OPEN
    at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None

    def decided(self, state: ReportState, *, by: str, now: datetime) -> Self:
        """A moderator has looked.

        Raises:
            NothingToDo: One has before.
        """
        if self.state is not ReportState.OPEN:
            raise NothingToDo(why=f"This report is {self.state} already.")
        return self.but(state=state, decided_by=by, decided_at=now)


def report_id(reporter: str, thing: str) -> str:
    """The one name of what somebody reports about a thing, from which nobody learns who it is."""
    return hashlib.sha256(f"report:{reporter}:{thing}".encode()).hexdigest()[:24]


def reason(text: str) -> str:
    """Why something must not be, in one line.

    Raises:
        BadValue: Nothing is said, or too much.
    """
    line = " ".join(text.split())
    if not 0 < len(line) <= LENGTH:
        raise BadValue(what="reason", value=line[:40], why=f"it takes 1 to {LENGTH} characters")
    return line
