"""LoRA training for models of the FLUX.1 family."""

from core.domain.recipes.flux_lora import Hyperparameters
from worker.pipelines import lesson

train = lesson.training(Hyperparameters)
