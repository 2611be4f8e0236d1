"""Models: list, view, publish, download; and using one."""

from datetime import timedelta
from typing import Annotated

from bots.cards import card
from bots.chat.definition import Visibility, command
from bots.chat.parameter import Call, Integer, Text
from bots.chat.references import ModelRef
from bots.chat.reply import Button, Reply, Table
from core.domain.account import Role
from core.domain.action import Style
from core.domain.allowance import Limit
from core.domain.model import Model
from core.domain.model import Visibility as Access

Ref = Annotated[Model, ModelRef("Which model")]
OFTEN = Limit(times=20, per=timedelta(minutes=10))


@command("model list", role=Role.VIEWER)
async def list_(call: Call) -> Reply:
    """Your models, and those that others have published."""
    models = await call.services.models.list(call.actor)
    if not models:
        return Reply(title="No models yet", lines=("Train one: `train order DATASET OFFERING`.",))
    rows = tuple((f"{one.owner_name}/{one.slug}", one.trigger, one.visibility.value) for one in models)
    return Reply(title="Models", table=Table(header=("model", "trigger", "who may use it"), rows=rows))


@command("model view", role=Role.VIEWER)
async def view(call: Call, model: Ref) -> Reply:
    """A model, how it was trained, and its file."""
    seen = await call.services.models.view(call.actor, model.id)
    run = seen.run
    return Reply(
        title=f"{model.owner_name}/{model.slug} · {model.visibility.value}",
        fields=(
            ("trigger", model.trigger),
            ("base", model.base),
            ("offering", model.offering),
            ("epochs", str(len(run.epochs))),
            ("evaluation loss", f"{run.evaluation_before or 0:.4f} → {run.evaluation_after or 0:.4f}"),
            ("snapshot", run.snapshot[:16]),
            ("seed", str(run.seed)),
            ("file", f"{model.artifact.name}, sha256 {model.artifact.sha256[:16]}…"),
        ),
        pictures=run.epochs[-1].samples if run.epochs else (),
        rating=model.rating,
        buttons=_next(call, model),
    )


@command("model publish")
async def publish(call: Call, model: Ref) -> Reply:
    """Let everyone use a model by its trigger word."""
    public = await call.services.models.publish(call.actor, model.id)
    return Reply(
        title=f"{public.owner_name}/{public.slug} is public",
        lines=(f"Everyone can use it now: `imagine {public.trigger} …`",),
    )


@command("model download", role=Role.VIEWER)
async def download(call: Call, model: Ref) -> Reply:
    """The LoRA as a file for diffusers, A1111 or ComfyUI."""
    return Reply(
        title=model.artifact.name,
        lines=(f"Base model: {model.base}. Trigger word: {model.trigger}.",),
        files=(model.artifact,),
        rating=model.rating,
    )


@command("imagine", visibility=Visibility.PUBLIC, orders=True, limit=OFTEN)
async def imagine(
    call: Call,
    prompt: Annotated[str, Text("What to draw, with a model's trigger word in it", rest=True)],
    count: Annotated[int, Integer("How many pictures")] = 1,
    seed: Annotated[int | None, Integer("The same seed draws the same picture")] = None,
) -> Reply:
    """Make pictures with a model."""
    job, _ = await call.services.generations.order(
        call.actor, text=prompt, count=count, seed=seed, place=call.told, key=call.key
    )
    return await card(call, job.id)


def _next(call: Call, model: Model) -> tuple[Button, ...]:
    download = Button(label="Download", command="model download", arguments={"model": model.id})
    if model.owner != call.actor.account or model.visibility is Access.PUBLIC:
        return (download,)
    publish = Button(label="Publish", command="model publish", arguments={"model": model.id}, style=Style.GO)
    return (publish, download)
