"""DreamBooth as a LoRA (Ruiz et al., 2022, arXiv:2208.12242): one subject is learnt, and its class is not forgotten."""

from core.domain.recipes.dreambooth_lora import Hyperparameters
from worker.channel import Channel
from worker.pipelines import lesson, prior
from worker.pipelines.base import Base
from worker.pipelines.crew import Crew
from worker.pipelines.lesson import Prior
from worker.pipelines.spans import Spans
from worker.pipelines.tasks import Stopped, Trained, TrainingTask


def train(task: TrainingTask, channel: Channel, *, base: Base, crew: Crew | None = None) -> Trained | Stopped:
    """Train one adapter on pictures of a subject, beside pictures of its class that the base makes first.

    Raises:
        TaskFailed: An item, the start or the checkpoint is unusable, or the loss is no number.
        pydantic.ValidationError: The hyper-parameters do not fit the recipe.
    """
    wish = Hyperparameters.model_validate(task.hyperparameters)
    named = tuple(item.but(caption=prior.with_trigger(item.caption, task.trigger)) for item in task.items)
    spans = Spans()
    with spans.measured("class pictures"):
        pictures = prior.pictures(base, task, wish, channel)
    if len(pictures) < wish.class_pictures:
        return Stopped(checkpoint=None, step=0)
    return lesson.train(
        task.but(items=named),
        channel,
        base=base,
        wish=wish,
        prior=Prior(items=pictures, weight=wish.prior_weight),
        crew=crew,
        spans=spans,
    )
