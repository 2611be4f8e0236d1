"""The card of a captioning: the first captions as they are now."""

from bots.chat.parameter import Call
from bots.chat.reply import Reply, Table
from bots.chat.wording import number
from core.domain.job import Job
from core.kinds.captioning import Result

SHOWN = 5


async def running(call: Call, job: Job) -> Reply:
    """Nothing but the bar."""
    return Reply(title=job.title)


async def done(call: Call, job: Job) -> Reply:
    """How many pictures were described, and the first of them."""
    result = Result.model_validate(job.result)
    described, shared = result.scenes, ", ".join(result.shared)
    pruned = (f"All pictures show «{shared}»: left out, so that the trigger word learns it.",) if shared else ()
    view = await call.services.datasets.view(call.actor, job.subject)
    rows = [(item.artifact.name, item.caption.text) for item in view.items if item.id in described and item.caption]
    return Reply(
        title=job.title,
        lines=(
            f"{number(len(described), 'picture')} described.",
            f"Change one: `caption edit {view.dataset.name} NUMBER TEXT`.",
            *pruned,
        ),
        table=Table(header=("picture", "caption"), rows=tuple(rows[:SHOWN])),
    )
