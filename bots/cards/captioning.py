"""The card of a captioning: how many pictures were described, the first captions, and what failed."""

from collections.abc import Mapping

from bots.cards.contents import typed
from bots.cards.findings import training
from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from core.domain.action import Style
from core.domain.job import Job
from core.kinds.captioning import Result

SHOWN = 5


async def running(call: Call, job: Job) -> Reply:
    """Nothing but the bar."""
    return Reply(title=job.title)


async def done(call: Call, job: Job) -> Reply:
    """What was described, what was left out of it, what failed and why, with a way to try that once more."""
    result = Result.model_validate(job.result)
    written = await call.services.captionings.written(call.actor, job)
    shared = ", ".join(result.shared)
    pruned = (f"All pictures show «{shared}»: left out, so that the trigger word learns it.",) if shared else ()
    paid = (f"Paid: {job.due} of the {job.price} set aside.",) if job.price else ()
    names = {item: name for item, name in written.names.items() if item in written.captions}
    rows = [(name, written.captions[item].text) for item, name in names.items()]
    return Reply(
        title=job.title,
        lines=(
            f"{number(result.described, 'picture')} described.",
            f"Change one: `caption edit {typed(written.dataset)} NUMBER TEXT`.",
            *pruned,
            *paid,
            *_failed(result.failures, written.names),
        ),
        table=Table(header=("picture", "caption"), rows=tuple(rows[:SHOWN])) if rows else None,
        buttons=(*_again(job, len(result.failures)), *training(written.dataset)),
    )


def _failed(failures: Mapping[str, str], names: Mapping[str, str]) -> tuple[str, ...]:
    """The first failures, a line each, and how many there are."""
    if not failures:
        return ()
    told = [f"✗ {names.get(item, 'deleted meanwhile')}: {words}" for item, words in failures.items()]
    more = [f"… and {len(told) - SHOWN} more."] if len(told) > SHOWN else []
    return (f"{number(len(told), 'picture')} failed:", *told[:SHOWN], *more)


def _again(job: Job, failed: int) -> tuple[Button, ...]:
    label = f"Retry the {failed} that failed"
    return (Button(label=label, command="caption retry", arguments={"job": job.id}, style=Style.GO),) if failed else ()
