"""LoRA training over a base that draws in a few steps: what makes it fast stays as it is, and out of the adapter."""

from core.domain.recipes.hyper_lora import Hyperparameters
from worker.channel import Channel
from worker.pipelines import lesson
from worker.pipelines.base import Base
from worker.pipelines.crew import Crew
from worker.pipelines.tasks import Stopped, Trained, TrainingTask


def train(task: TrainingTask, channel: Channel, *, base: Base, crew: Crew | None = None) -> Trained | Stopped:
    """Train one adapter on pictures, at the noise levels that it will be asked at: so less of the speed is unlearnt.

    Raises:
        TaskFailed: An item, the start or the checkpoint is unusable, or the loss is no number.
        pydantic.ValidationError: The hyper-parameters do not fit the recipe.
    """
    wish = Hyperparameters.model_validate(task.hyperparameters)
    return lesson.train(task, channel, base=base, wish=wish, levels=wish.levels, crew=crew)
