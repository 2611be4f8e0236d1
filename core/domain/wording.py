"""Words that every face says alike: what a notice tells, what a transaction did, why a model earned what it did."""

from collections.abc import Mapping

from core.domain.job import Job
from core.domain.ledger import Act, Lot
from core.domain.notice import Notice, Topic
from core.domain.royalty import HUNDREDTHS, Rule, Usage
from core.domain.value import Value

ACTS: Mapping[Act, str] = {
    Act.GRANT: "granted",
    Act.REFILL: "refilled",
    Act.HOLD: "held",
    Act.CAPTURE: "captured",
    Act.RELEASE: "returned",
    Act.REFUND: "paid back",
    Act.MERGE: "brought along",
    Act.PURCHASE: "bought",
    Act.ROYALTY: "earned",
    Act.MATURE: "free to use",
    Act.CLAWBACK: "taken back",
    Act.SPEND: "exchanged",
    Act.PAYOUT: "on its way out",
    Act.RETURN: "back in earnings",
    Act.PAID: "paid out",
}
LOTS: Mapping[Lot, str] = {Lot.FREE: "points", Lot.GRANTED: "granted", Lot.PURCHASED: "purchased"}
NOTHING: Mapping[Rule, str] = {
    Rule.OWN: "your own picture",
    Rule.RELATED: "from an account that counts as your own",
    Rule.OFF: "this offering shares none of its price",
    Rule.COPY: "the same file as another model of the picture",
    Rule.NOT_PURCHASED: "paid with free points or granted qoints",
}
ENDS: Mapping[Topic, str] = {
    Topic.JOB_SUCCEEDED: "done",
    Topic.JOB_FAILED: "failed",
    Topic.JOB_CANCELLED: "cancelled",
}


class Words(Value):
    """A title, and what else there is to say, in lines."""

    title: str
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.lines)


def told(notice: Notice, job: Job | None = None) -> Words:
    """What a notice says; one about a job says of it what there is to know without looking at it."""
    facts = notice.details
    match notice.topic:
        case Topic.JOB_SUCCEEDED | Topic.JOB_FAILED | Topic.JOB_CANCELLED:
            title = f"{_titled(job)}: {ENDS[notice.topic]}"
            text = job.failure.words if job and job.failure else ""
        case Topic.STEERED:
            title, text = f"{_titled(job)} has done what you asked", f"After step {facts['step']}."
        case Topic.GRANTED:
            title, text = f"{facts['by']} gave you {_qoints(int(facts['amount']))}", facts["why"]
        case Topic.REFUNDED:
            title, text = f"{facts['by']} gave you {facts['amount']} back for {facts['what']}", facts["why"]
        case Topic.LINK_ASKED:
            title = f"Are you {facts['name']} on {facts['platform'].title()}?"
            text = "Somebody used your code there. Confirm or refuse it in the chat that gave you the code."
        case Topic.LINKED:
            title = f"{facts['name']} on {facts['platform'].title()} is you from now on"
            text = "One wallet, the same datasets, models and jobs wherever you are."
        case Topic.REVIEWED:
            title, text = f"A moderator has {facts['review']} «{facts['what']}»", facts["why"]
        case Topic.BROADCAST:
            title, text = "News for everyone", facts["text"]
        case _:  # what it says was written when it happened
            title, text = facts["title"], facts["text"]
    return Words(title=title, lines=tuple(text.splitlines()))


def earned(usage: Usage) -> str:
    """Why a use earned what it did, in words that do not name who paid."""
    if usage.rule in NOTHING:
        return NOTHING[usage.rule]
    if not usage.paid:
        return "the picture was paid back"
    whole = usage.paid * usage.terms.percent
    said = f"{usage.terms.percent} % of {_qoints(usage.paid)}"
    if usage.rule is Rule.CAPPED:
        return f"less than {said}: daily cap reached"
    if usage.share < whole:
        said += f", {_part(usage.share, whole)} of it for this model"
    return f"{said}, the rest was paid back" if usage.clawed else said


def _titled(job: Job | None) -> str:
    return job.title if job else "A job"


def _qoints(count: int) -> str:
    return "1 qoint" if count == 1 else f"{count} qoints"


def _part(share: int, whole: int) -> str:
    return "half" if share * 2 == whole else f"{share * HUNDREDTHS // whole} %"
